"""A table to read: words to the left, numbers to the right; a wide one scrolls by itself, also by keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from pages.ui.components.assets import script, style

Kind = Literal["text", "wide", "number"]
_HTML = '<div class="frame" tabindex="0" role="region"><table><thead><tr></tr></thead><tbody></tbody></table></div>\n'
_component = st.components.v2.component("autoflow_figures", html=_HTML, css=style("figures"), js=script("figures"))


def figures(
    columns: Mapping[str, Sequence[str]], *, key: str, label: str, words: Sequence[str] = (), wide: Sequence[str] = (),
    strong: Sequence[int] = (),
) -> None:  # fmt: skip
    """Draw it.

    Args:
        columns: name -> what stands in it, from top to bottom, shown as it is; all are of one length.
        words, wide: names of columns that hold words, and long ones; others hold numbers.
        strong: rows that stand out.
    """
    data = {
        "label": label, "rows": [list(row) for row in zip(*columns.values(), strict=True)], "strong": list(strong),
        "columns": [{"name": name, "kind": _kind(name, words, wide)} for name in columns],
    }  # fmt: skip
    _component(data=data, key=key)


def _kind(name: str, words: Sequence[str], wide: Sequence[str]) -> Kind:
    return "wide" if name in wide else "text" if name in words else "number"
