"""One module a kind of job: each joins the store with the part of the library that does the work."""
