"""Components that draw a workflow or a run in the browser; all text goes in as text."""
