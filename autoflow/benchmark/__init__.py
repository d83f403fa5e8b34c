"""Grids of generators, interpreters, suites and variants: every cell is a study."""
