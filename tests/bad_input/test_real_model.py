"""What does not fit into the context of a real embedded model."""

from __future__ import annotations

import pytest

from autoflow.records import RunPolicy
from autoflow.store import SqlStore
from tests.bad_input.conftest import GOOD, run_job
from tests.models import shared_model_server, smollm2, smollm2_file

__all__ = ["shared_model_server", "smollm2", "smollm2_file"]
LONG = "Decide whether this is justified. " * 3_000  # 102,000 characters


@pytest.mark.model
def test_a_task_that_does_not_fit_ends_the_run_in_a_sentence(store: SqlStore, smollm2: str) -> None:
    run = store.create_run(text=GOOD, task=store.add_task(LONG), model=smollm2, policy=RunPolicy(max_steps=2))
    ended = run_job(store, run)
    assert (ended.stop, ended.totals.calls) == ("model-error", 0)
    assert "longer than the model" in ended.error
    assert "Shorten the inputs" in ended.error
