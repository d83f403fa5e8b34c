"""`autoflow optimize` on a study that trained its generator: the last step stands in its result."""

from __future__ import annotations

from autoflow.optimize.training_view import in_words, point_of
from autoflow.store import open_store
from autoflow.study import StudyBatch
from tests.cli.conftest import Cli
from tests.trainings import new_training, trained_study


def test_of_a_training_the_last_step_is_told(cli: Cli) -> None:
    store = open_store()
    study = trained_study(store, steps=6)
    found = cli("optimize", "--resume", study.id)
    last = point_of(store.training_steps(study.id)[-1])
    assert f"last step   6: {in_words(last)}" in found.out
    told = cli("optimize", "--resume", study.id, "--json").json["training"]
    assert (told["step"], told["count"], told["ending"]) == (6, last.counts, "")


def test_of_a_training_that_ended_early_it_is_told_why(cli: Cli) -> None:
    store = open_store()
    writer = new_training(store)
    writer.train(1)
    writer.end_early("Every sample is the same text.")
    store.add_to_study(StudyBatch(writer.study.id, best=0))
    assert "ended early Every sample is the same text." in cli("optimize", "--resume", writer.study.id).out
