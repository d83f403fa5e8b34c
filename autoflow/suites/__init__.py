"""Suites of tasks: what is asked, in which split, and how an answer is scored."""
