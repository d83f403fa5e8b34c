"""Which tasks: suites that are built in, and those that people made of tables or of a task alone.

`choose` draws the whole choice, wherever a form needs one.
"""

from pages.ui.suites.choosing import choose

__all__ = ["choose"]
