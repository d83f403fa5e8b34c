"""What the page says of a model that was really trained, small as it is."""

from __future__ import annotations

from pathlib import Path

from autoflow.optimize.lora import model_of
from autoflow.optimize.lora_compare import gain
from autoflow.report.figures import number, percent
from autoflow.report.load import load_view
from autoflow.store import SqlStore
from pages.ui.optimize.gained import in_words
from tests.app.optimizing import Visit, shown
from tests.optimize import trainable
from tests.trainings import new_training


def test_the_model_that_a_training_made_is_named_and_held_against_its_base(
    visit: Visit, store: SqlStore, home: Path
) -> None:
    study, job = trainable.begun(store, trainable.spec_of(store, home / "files", steps=8))
    job = trainable.carried_out(store, job)
    assert (job.state, job.error) == ("done", "")
    found = gain(load_view(store, study.id))
    assert found is not None
    app = visit("optimize", study=study.id)
    assert not app.exception
    text = shown(app)
    assert "The trained model" in [head.value for head in app.header]
    assert model_of(study.spec, study.id) in [code.value for code in app.code]
    assert in_words(found) in text
    table = next(table.value for table in app.table if "Written by" in table.value)
    assert list(table["Test"]) == [number(side.score.mean) for side in (found.base, found.trained)]
    assert list(table["Without errors"]) == [percent(side.runnable) for side in (found.base, found.trained)]
    assert "Step 8 of 8" in text


def test_nothing_is_said_of_a_model_before_there_is_one(visit: Visit, store: SqlStore) -> None:
    app = visit("optimize", study=new_training(store).study.id)
    assert "The trained model" not in [head.value for head in app.header]
