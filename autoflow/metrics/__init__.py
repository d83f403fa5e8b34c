"""Measures of what a run made; each says its range and its direction."""
