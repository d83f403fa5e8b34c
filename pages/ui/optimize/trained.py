"""The steps of a training as the page has them: read once, then only new ones, and the one that the address names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from autoflow.optimize.training_view import TrainingPoint, point_of
from autoflow.study import TrainingStep
from pages.ui import services

_KEPT = "optimize-trained"
T = TypeVar("T")


@dataclass
class Trained:
    """The steps of one study in this tab, with their shares."""

    study_id: str
    steps: list[TrainingStep] = field(default_factory=list)
    points: list[TrainingPoint] = field(default_factory=list)
    made: dict[str, tuple[object, Any]] = field(
        default_factory=dict
    )  # by name: what it was made of, and what came of it

    def once(self, name: str, of: object, make: Callable[[], T]) -> T:
        """What `make` gives, made anew only where `of` or the number of steps is another."""
        mark = (len(self.steps), of)
        if name not in self.made or self.made[name][0] != mark:
            self.made[name] = (mark, make())
        found: T = self.made[name][1]
        return found


def load(study_id: str) -> Trained:
    """The training as it is now; without steps where the study trains nothing. Raises NotFound."""
    kept = st.session_state.get(_KEPT)
    if not isinstance(kept, Trained) or kept.study_id != study_id:
        kept = st.session_state[_KEPT] = Trained(study_id)
    new = services.store().training_steps(study_id, after=kept.steps[-1].step if kept.steps else 0)
    kept.steps += new
    kept.points += map(point_of, new)
    return kept


def chosen(trained: Trained) -> TrainingStep:
    """The step that the address names, else the latest. There must be one."""
    word = st.query_params.get("step", "")
    number = int(word) if word.isdecimal() and len(word) < 9 else 0
    return trained.steps[number - 1] if 0 < number <= len(trained.steps) else trained.steps[-1]


def choose(number: int) -> None:
    """Read the samples of this step; the address remembers it."""
    st.query_params["step"] = str(number)


def follow() -> None:
    """Read the samples of the latest step, whichever that is."""
    st.query_params.pop("step", None)


def is_following() -> bool:
    return "step" not in st.query_params
