"""What does not fit into the context of a real embedded model."""

from __future__ import annotations

import pytest

from autoflow.jobs.payloads import GeneratePayload
from autoflow.records import RunPolicy, TaskInput
from autoflow.store import SqlStore
from tests.bad_input.conftest import GOOD, carried_out, run_job
from tests.models import shared_model_server, smollm2, smollm2_file

__all__ = ["shared_model_server", "smollm2", "smollm2_file"]
LONG = "Decide whether this is justified. " * 3_000  # 102,000 characters
DENSE = "👩‍👩‍👧" * 20_000  # 100,000 characters; of all texts one of those that take the most tokens a character


@pytest.mark.model
def test_a_task_that_does_not_fit_ends_the_run_in_a_sentence(store: SqlStore, smollm2: str) -> None:
    run = store.create_run(text=GOOD, task=store.add_task(LONG), model=smollm2, policy=RunPolicy(max_steps=2))
    ended = run_job(store, run)
    assert (ended.stop, ended.totals.calls) == ("model-error", 0)
    assert "longer than the model" in ended.error
    assert "Shorten the inputs" in ended.error


@pytest.mark.model
def test_a_long_task_is_cut_for_generating_and_a_workflow_comes(store: SqlStore, smollm2: str) -> None:
    task = store.add_task(DENSE, [TaskInput(name="mail", text=DENSE)])
    asked = GeneratePayload(model=smollm2, task=task, min_steps=2, max_steps=2).model_dump()
    done = carried_out(store, store.submit("generate", asked, title="g"))
    assert done.state == "done", done.error
    assert done.result is not None
    assert "error" not in [d["severity"] for d in done.result["drafts"][0]["diagnostics"]]
