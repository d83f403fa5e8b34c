"""Texts that were sampled, each with what became of it; a button opens the candidate of one that was run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import streamlit as st

from pages.ui.components.assets import script, style

Kind = Literal["error", "copy", "ran", "waits"]
_component = st.components.v2.component(
    "autoflow_samples", html='<div class="samples" tabindex="0" role="region"></div>\n', css=style("samples"),
    js=script("samples"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, shown as it is."""

    reward: str
    kind: Kind
    verdict: str  # its error, that it is a copy, or its score
    facts: str
    text: str
    candidate: int | None  # that has the same text


def sample_list(shown: Sequence[Sample], *, key: str, label: str, on_open: Callable[[int], None]) -> None:
    """Draw them in this order; `on_open` gets the number of the candidate that was asked for."""
    data = {"label": label, "samples": [asdict(one) for one in shown]}

    def opened() -> None:
        pressed = st.session_state[key]["open"]
        if pressed is not None:
            on_open(int(pressed["candidate"]))

    _component(data=data, key=key, on_open_change=opened)
