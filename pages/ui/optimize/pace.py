"""How long a training will take, from how long earlier ones of the same model took on this machine."""

from __future__ import annotations

from statistics import median
from typing import Any

import streamlit as st

from autoflow.errors import SettingsError
from autoflow.optimize.options import METHOD_OPTIONS, options_of
from autoflow.study import StudySpec
from pages.ui import services
from pages.ui.format import duration, plural
from pages.ui.plain import plain

LOOKED_AT = 30  # studies, newest first
_STEPS = 10  # the last ones of a training


def draw(spec: StudySpec) -> None:
    """`About 2 h 10 min for 100 steps of 8 samples.`, and what that rests on."""
    steps, known = spec.budget.max_rounds, _measured(spec.generator)
    try:
        drawn = samples_a_step(spec)
    except SettingsError as error:
        st.text(str(error))
        return
    if known is None:
        st.caption(f"How long {plural(steps, 'step')} take is known after the first; the page then tells what is left.")
        return
    seconds, name = known
    st.markdown(f"About **{duration(seconds * drawn * steps)}** for {plural(steps, 'step')} of {drawn} samples")
    rests = f"A sample took {duration(seconds)} in {plain(name)}, its runs and its share of the update included."
    limit = spec.budget.max_time_s
    sooner = " Your limit of time ends it sooner." if limit and limit < seconds * drawn * steps else ""
    st.caption(rests + sooner)


def samples_a_step(spec: StudySpec) -> int:
    """As the options say; their own defaults where they do not. Raises SettingsError: they mean nothing."""
    kind = METHOD_OPTIONS.get(spec.method)
    if kind is None:
        return 1
    chosen: dict[str, Any] = options_of(spec, kind).model_dump()
    return int(chosen.get("group", 1)) * int(chosen.get("accumulate", 1))


def _measured(generator: str) -> tuple[float, str] | None:
    """Seconds a sample in the latest training of this model, and the training's name; None where there is none."""
    studies = services.store().list_studies(LOOKED_AT, methods=("lora",), cells=False)
    own = (s for s in studies if s.spec.generator == generator and not s.recorded)
    measured = ((_seconds(study.id, study.rounds), study.name) for study in own if study.rounds)
    return next(((seconds, name) for seconds, name in measured if seconds is not None), None)


@st.cache_data(max_entries=100, show_spinner=False)
def _seconds(study_id: str, rounds: int) -> float | None:
    """A sample, as the last of so many steps took."""
    steps = services.store().training_steps(study_id, after=max(0, rounds - _STEPS))
    return median(s.figures.seconds / max(1, len(s.samples)) for s in steps) if steps else None
