"""Kind `pilot`: a few runs and one proposal, measured; what it answered is not asked again by the search."""

from __future__ import annotations

from collections.abc import Callable

from autoflow.jobs.payloads import PilotPayload, StudyPayload
from autoflow.optimize.start import start_study
from autoflow.store import SqlStore
from autoflow.study import StudyBudget, StudySpec, SuiteSpec
from tests.jobs.test_handlers import carried_out, model, store, submit

__all__ = ["model", "store"]
Script = Callable[..., str]
TEXT = "Answer:::terminal:::Name every model that is needed, in order.:::\n"


def spec(name: str) -> StudySpec:
    return StudySpec(
        method="paper", suite=SuiteSpec(name="openagi-plan", train=2, val=3, test=2), generator=name, interpreter=name,
        budget=StudyBudget(max_rounds=1),
    )  # fmt: skip


async def test_a_pilot_tells_what_a_search_will_take_and_what_it_took_itself(store: SqlStore, model: Script) -> None:
    name = model({"match": "Provide a new workflow", "reply": TEXT}, {"match": "", "reply": "yes Colorization"})
    job = await carried_out(store, submit(store, "pilot", PilotPayload(spec=spec(name))))
    assert job.state == "done", job.error
    assert job.result is not None
    estimate = job.result["estimate"]
    assert job.result["runs"] == 4, "the manual workflow and the plain prompt, on two train tasks each"
    assert job.result["spent"]["calls"] > 4
    assert estimate["calls"] > job.result["spent"]["calls"]
    assert estimate["tokens"] > 0
    assert estimate["seconds"] > 0
    assert estimate["cost_usd"] == 0

    study = start_study(store, "After the pilot", spec(name))
    done = await carried_out(store, submit(store, "study", StudyPayload(study_id=study.id)))
    assert done.state == "done", done.error
    again = [o for _, o in store.study_outcomes(study.id, split="train") if o.candidate == 0]
    assert all(o.totals.cached == o.totals.calls > 0 for o in again), "the pilot ran these"


async def test_a_pilot_fails_in_words_where_the_model_is_gone(store: SqlStore, model: Script) -> None:
    job = await carried_out(store, submit(store, "pilot", PilotPayload(spec=spec("openai:nobody"))))
    assert job.state == "failed"
    assert "nobody" in job.error
