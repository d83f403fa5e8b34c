"""The files a component is made of, read from beside it."""

from __future__ import annotations

from pathlib import Path

from pages.ui.palette import css_variables

_HERE = Path(__file__).parent


def script(name: str) -> str:
    return (_HERE / f"{name}.js").read_text("utf-8")


def style(name: str) -> str:
    """The component's style sheet, after the colours that all of them share."""
    return css_variables() + (_HERE / f"{name}.css").read_text("utf-8")
