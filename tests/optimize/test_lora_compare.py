"""Samples of two models, each run on the test: their means, what is left of the difference, and a word on it."""

from __future__ import annotations

import pytest

from autoflow.optimize.lora_compare import gain
from autoflow.optimize.view import StudyView
from autoflow.optimize.warnings import warnings
from autoflow.study import MANUAL, TRAINED, UNTRAINED, Candidate, Outcome, Study, StudyBatch, StudySpec, SuiteSpec

TASKS = ("a", "b")


def view(base: list[float | None], trained: list[float | None], *, leave_out: int | None = None) -> StudyView:
    """Scores of samples, the same on both tasks; None: it cannot run."""
    spec = StudySpec(method="lora", suite=SuiteSpec(name="x"), interpreter="i")
    study = Study(id="st_000000000000", name="S", spec=spec, splits={"train": (), "val": (), "test": TASKS})
    found = StudyView(study)
    for operator, scores in ((UNTRAINED, base), (TRAINED, trained)):
        for score in scores:
            number = len(found.candidates)
            error = "it cannot run" if score is None else ""
            found.add([Candidate(number=number, text=str(number), operator=operator, error=error)])
            if score is not None and number != leave_out:
                found.add(
                    (), [Outcome(candidate=number, task=t, split="test", score=score, stop="terminal") for t in TASKS]
                )
    return found


def test_what_cannot_run_scores_0() -> None:
    found = gain(view([None, 0.5, None, None], [0.5, 1.0, 1.0, None]))
    assert found is not None
    assert (found.base.runnable, found.trained.runnable) == (0.25, 0.75)
    assert found.base.score.mean == pytest.approx(0.125)
    assert found.trained.score.mean == pytest.approx(0.625)
    assert found.difference.difference.mean == pytest.approx(0.5)


def test_a_sure_gain_is_sure_and_no_warning() -> None:
    found = view([0.0, 0.1, 0.0, 0.1, None, None, 0.0, 0.1], [0.9, 0.8, 1.0, 0.9, 0.8, 1.0, 0.9, 1.0])
    told = gain(found)
    assert told is not None
    assert told.sure
    assert [w.kind for w in warnings(found)] == []


def test_no_gain_is_told_with_its_figures() -> None:
    found = view([0.5, 0.4, 0.6, None], [0.4, 0.6, None, 0.5])
    told = gain(found)
    assert told is not None
    assert not told.sure
    (warning,) = warnings(found)
    assert warning.kind == "untaught"
    assert "the trained model score 0.38 and those of the base model 0.38 (4 each" in warning.message


def test_a_training_that_never_got_above_its_base_model_says_so() -> None:
    found = view([], [])
    found.add([Candidate(number=0, text="t", operator=MANUAL)])
    assert warnings(found) == []
    found.take(StudyBatch(found.study.id, stop="rounds", best=0, test_uses=1))
    (warning,) = warnings(found)
    assert (warning.kind, "no adapter was kept" in warning.message) == ("untaught", True)


@pytest.mark.parametrize("found", [view([], []), view([0.5], []), view([0.5, 0.5], [0.5, 0.5], leave_out=3)])
def test_nothing_is_said_of_what_is_not_measured_to_its_end(found: StudyView) -> None:
    assert gain(found) is None
    assert warnings(found) == []
