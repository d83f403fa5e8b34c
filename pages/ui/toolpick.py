"""Which tools the steps of a workflow may call, and why some of them cannot be used on this machine."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.state import WidgetCallback

from autoflow.errors import AutoFlowError
from pages.ui import services

_HELP = (
    "What steps may call. `openagi` stands for all expert tools that can be used here. More: AUTOFLOW_TOOLS=module, or "
    "an MCP server in the command line."
)


def draw(
    chosen: Sequence[str], *, key: str, on_change: WidgetCallback | None = None, args: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """A field with the tools that are chosen; what is chosen by now."""
    try:
        known = services.tool_names()
    except AutoFlowError as error:
        services.show_error(error)
        return tuple(chosen)
    missing = services.missing_tools()
    picked = st.multiselect(
        "Tools", list(dict.fromkeys([*known, *chosen])), list(chosen), key=key, placeholder="none", help=_HELP,
        on_change=on_change or "rerun", args=args, format_func=lambda n: f"{n} (not here)" if n in missing else n,
    )  # fmt: skip
    for name in picked:
        if name in missing:
            st.text(f"{name}: {missing[name]}")
    return tuple(picked)
