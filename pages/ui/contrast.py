"""Two places where Streamlit paints words in the accent colour, which white button labels need to be dark.

On a dark page no one accent serves both: white on it, and itself on the page. So the words of a chosen segment and of
an open tab get a lighter shade there. The selectors are ARIA roles, which outlast Streamlit's class names.
"""

from __future__ import annotations

import streamlit as st

_STYLE = """<style>
[role="radio"][data-selected="true"] p, [role="tab"][aria-selected="true"] p { color: light-dark(#1d47a8, #a9c3ff); }
</style>"""


def mend() -> None:
    """Add the rule to the page. Draws nothing."""
    st.html(_STYLE)
