"""Searches that are really carried out, on a model behind HTTP that does better the more care a workflow asks for.

The workflow's instruction holds `Care N`; the model names that share of the right plan, all of it from `WHOLE` on.
As a generator it asks for more with each proposal. What it says depends on the prompt alone, so that a search that is
taken up again comes to the same end.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

from autoflow.jobs.context import JobContext
from autoflow.jobs.payloads import StudyPayload
from autoflow.jobs.runner import carry_out, handlers
from autoflow.metrics.plan import gold_plan
from autoflow.optimize.start import start_study
from autoflow.records import Connection, Job, Json
from autoflow.store import SqlStore
from autoflow.study import Method, Study, StudyBudget, StudySpec, SuiteSpec
from autoflow.suites.openagi_tasks import openagi_tasks
from tests.llm.server import Answer, Request, Server, says

MODEL = "openai:careful"
SUITE = SuiteSpec(name="openagi-plan", train=3, val=5, test=4)
WRONG = "Image Denoising, Image Deblurring"
PLANS = {task.objective: list(gold_plan(task.plan)) for task in openagi_tasks()}
WHOLE = 30  # care for a whole plan
DEPARTMENTS = ("delivery", "refund", "other")
MAILS = "Decide which department a mail belongs to: delivery, refund, or other."
_MAIL = re.compile(r"Mail (\d+)")
_CARE = re.compile(r"Care (\d+)")


def careful(latency_s: float = 0.0, stride: int = 9) -> Answer:
    """Answers as a generator and as an interpreter, each proposal asking for `stride` more of care."""

    async def answer(writer: asyncio.StreamWriter, request: Request) -> None:
        await asyncio.sleep(latency_s)
        await says(reply(request.body, stride))(writer, request)

    return answer


def reply(body: Json, stride: int = 9) -> str:
    said = "\n".join(str(message["content"]) for message in body["messages"])
    asked = [int(care) for care in _CARE.findall(said)]
    more = max(asked, default=0) + stride
    if "Provide a new workflow with a higher reward" in said or "Write a better workflow" in said:
        return workflow(more)
    if "Write a better instruction" in said:
        return json.dumps({"instruction": f"Name the models that are needed, in order. Care {more}."})
    if "You make up test cases" in said:
        return proposed(len(set(_MAIL.findall(said))))
    return done(said, asked[-1] / WHOLE if asked else 0.0)


def done(said: str, share: float) -> str:
    """The answer to a task, as good as the care that was asked for."""
    mail = _MAIL.search(said)
    if mail:
        return DEPARTMENTS[int(mail[1]) % 3] if 3 * share > int(mail[1]) % 3 else "no idea"
    plan = PLANS.get(next((o for o in PLANS if o in said), ""), [])
    return ", ".join(plan[: round(len(plan) * min(1.0, share))]) or WRONG


def proposed(known: int) -> str:
    """Five more examples of mails and their departments."""
    mails = [
        {"inputs": {"input": f"Mail {n}: about {DEPARTMENTS[n % 3]}."}, "expected": DEPARTMENTS[n % 3]}
        for n in range(known, known + 5)
    ]
    return json.dumps({"examples": mails})


def workflow(care: int) -> str:
    return f"""Look:::process:::Say what is wrong with the input. Care {care}.:::next::Answer
Answer:::terminal:::Name the models that are needed, in order. Care {care}.:::
"""


@contextmanager
def model_server(latency_s: float = 0.0, stride: int = 9) -> Iterator[Server]:
    server = Server()
    server.start()
    server.script(careful(latency_s, stride))
    try:
        yield server
    finally:
        server.stop()


def connect(store: SqlStore, server: Server, name: str = "careful") -> str:
    """The model under a name."""
    store.save_connection(Connection(name=name, model=name, base_url=server.url))
    return f"openai:{name}"


def begun(
    store: SqlStore, name: str = "Careful plans", *, method: Method = "paper", rounds: int = 3,
    suite: SuiteSpec = SUITE, max_time_s: float | None = None,
) -> Study:  # fmt: skip
    """A study with its job queued."""
    budget = StudyBudget(max_rounds=rounds, max_time_s=max_time_s)
    spec = StudySpec(method=method, suite=suite, generator=MODEL, interpreter=MODEL, budget=budget)
    study = start_study(store, name, spec)
    payload = StudyPayload(study_id=study.id).model_dump()
    store.submit("study", payload, title=f"Optimize {name}", subject_id=study.id, unique=True)
    return study


def carried_out(store: SqlStore, study: Study) -> Job:
    """What a worker does with it, in this process."""
    return worked(store, store.list_jobs(kind="study", subject_id=study.id, limit=1)[0])


def worked(store: SqlStore, job: Job, ray: str | None = None) -> Job:
    """What a worker does with a job, in this process; as it is then."""
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    asyncio.run(carry_out(JobContext(store, lease), handlers(ray)[job.kind]))
    return store.get_job(job.id)


def came_to(store: SqlStore, study_id: str) -> Json:
    """What a study came to, without times and without what was answered from the cache."""
    study = store.get_study(study_id)
    lasting = {"number", "round", "text", "parent", "operator", "note", "error"}
    outcomes = [o for _, o in store.study_outcomes(study_id)]
    told = {"candidate", "task", "split", "repeat", "round", "score", "parts", "stop", "answer", "error", "steps"}
    return {
        "end": (study.stop, study.best, study.rounds, study.test_uses),
        "candidates": [c.model_dump(include=lasting) for c in store.study_candidates(study_id)],
        "outcomes": sorted(json.dumps(o.model_dump(include=told), sort_keys=True) for o in outcomes),
        "calls": sorted((o.candidate, o.task, o.totals.calls) for o in outcomes),
    }
