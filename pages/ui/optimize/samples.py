"""The samples of one step of a training: what the model wrote, and what each text earned, to be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from autoflow.report.figures import percent, signed
from autoflow.study import StudySample
from pages.ui.components.samples import Kind, Sample, sample_list
from pages.ui.components.stepper import stepper
from pages.ui.format import plural
from pages.ui.optimize import trained
from pages.ui.optimize.figures import number
from pages.ui.optimize.live import pick
from pages.ui.optimize.trained import Trained

ORDERS = ("Best first", "Worst first", "As drawn")
LONGEST = 20_000  # characters of one text


def draw(found: Trained) -> None:
    """The step that the address names, or the latest, with a way to another."""
    step = trained.chosen(found)
    with st.container(horizontal=True, vertical_alignment="bottom", key="samples-head"):
        stepper(
            "Samples of step", step.step, len(found.steps), key=f"samples-step-{found.study_id}",
            following=trained.is_following(), on_choose=trained.choose, on_follow=trained.follow,
        )  # fmt: skip
        st.space("stretch")
        order = st.segmented_control(
            "Order of samples", ORDERS, key="samples-order", default=ORDERS[0], required=True,
            label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
    rows = found.once("samples", (step.step, order), lambda: samples(step.samples, order or ORDERS[0]))
    if not rows:
        st.text("The texts of this step were not kept.")
        return
    same = f", {plural(len(rows), 'text')}" if len(rows) < len(step.samples) else ""
    st.caption(f"{plural(len(step.samples), 'sample')} of step {step.step}{same}, as the model wrote them.")
    sample_list(rows, key=f"samples-{found.study_id}", label=f"Samples of step {step.step}", on_open=pick)


def samples(drawn: Sequence[StudySample], order: str) -> list[Sample]:
    """The texts to be shown, those that are the same once."""
    times = Counter((s.text, s.reward) for s in drawn)
    first: dict[tuple[str, float], StudySample] = {}
    for sample in drawn:
        first.setdefault((sample.text, sample.reward), sample)
    once = list(first.values())
    if order != "As drawn":
        once.sort(key=lambda s: s.reward, reverse=order == "Best first")
    return [_shown(s, times[s.text, s.reward]) for s in once]


def _shown(sample: StudySample, times: int) -> Sample:
    kind, verdict = _verdict(sample)
    left_out = len(sample.text) - LONGEST
    more = f"\n… and {left_out:,} more characters" if left_out > 0 else ""
    return Sample(
        reward=number(sample.reward), kind=kind, verdict=verdict, facts=_facts(sample, times),
        text=sample.text[:LONGEST] + more, candidate=sample.candidate,
    )  # fmt: skip


def _verdict(sample: StudySample) -> tuple[Kind, str]:
    if sample.error:
        return "error", sample.error
    if sample.copied:
        return "copy", "Hardly more than the example in the prompt."
    if sample.score is None:
        return "waits", "Without errors, but not run."
    reached = f", {percent(sample.reached)} of its runs came to an answer" if sample.reached is not None else ""
    return "ran", f"Score {number(sample.score)}{reached}"


def _facts(sample: StudySample, times: int) -> str:
    cut = "" if sample.ended else "cut off"
    drawn = f"drawn {times} times" if times > 1 else ""
    parts = (plural(sample.tokens, "token"), cut, drawn, f"advantage {signed(sample.advantage)}")
    return " · ".join(filter(None, parts))
