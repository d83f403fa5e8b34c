"""Which step is shown: a number to type or to count up and down, and the way back to the latest.

A field of Streamlit's cannot do this: when the number changes by itself, as steps come in, a slow browser sends back
the one before, which then looks like a person's choice.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.ui.components.assets import script, style

_HTML = """
<div class="stepper">
  <label><span></span><input type="number" min="1" step="1"></label><button type="button">Latest</button>
</div>
"""
_component = st.components.v2.component("autoflow_stepper", html=_HTML, css=style("stepper"), js=script("stepper"))


def stepper(
    label: str, step: int, last: int, *, key: str, following: bool, on_choose: Callable[[int], None],
    on_follow: Callable[[], None],
) -> None:  # fmt: skip
    """Draw it.

    Args:
        last: steps are counted from 1 to this.
        following: whether it is the latest that is shown, whichever that is.
        on_choose: gets the number of the step that was typed; `on_follow` is called where the latest is wanted.
    """

    def said() -> None:
        pressed = st.session_state[key]["step"]
        if pressed is None:
            return
        if pressed["to"] is None:
            on_follow()
        else:
            on_choose(int(pressed["to"]))

    data = {"label": label, "step": step, "last": last, "following": following}
    _component(data=data, key=key, width="content", on_step_change=said)
