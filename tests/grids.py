"""Benchmarks as workers leave them: carried out on scripted models, or written straight into a store in any state."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autoflow.benchmark import Benchmark, BenchmarkSpec, Variant, cells, study_spec
from autoflow.jobs.context import JobContext
from autoflow.jobs.runner import carry_out, handlers
from autoflow.records import Job
from autoflow.store import SqlStore
from autoflow.study import (
    MANUAL,
    PLAIN,
    SPLITS,
    Candidate,
    Outcome,
    Study,
    StudyBatch,
    StudyBudget,
    SuiteSpec,
)  # fmt: skip
from autoflow.suites.openagi import OpenAGIPlanSuite
from tests.studies import SIZES, Writer, new_study

PLAN = SuiteSpec(name="openagi-plan", train=2, val=3, test=4)
BETTER = "Answer:::terminal:::Name every model that is needed, in order.:::\n"
FINE = "Image Super Resolution, Image Denoising, Image Deblurring, Colorization"
GAVE_UP = "The model `openai:b` cannot be reached."


def script(path: Path, reply: str = FINE, proposal: str = BETTER) -> str:
    """A model that proposes `proposal`, and answers with `reply` where a workflow asks for every model."""
    lines = [
        {"match": "Provide a new workflow", "reply": proposal},
        {"match": "Name every model", "reply": reply},
        {"match": "", "reply": "Text Generation"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return f"scripted:{path}"


def spec(generators: Sequence[str], interpreters: Sequence[str], **more: object) -> BenchmarkSpec:
    """A grid that takes a moment."""
    told = {
        "generators": tuple(generators), "interpreters": tuple(interpreters), "suites": (PLAN,), "method": "paper",
        "budget": StudyBudget(max_rounds=1),
    }  # fmt: skip
    return BenchmarkSpec.model_validate(told | more)


def worked(store: SqlStore, job: Job) -> Job:
    """What a worker does with a job; in a thread, as a browser test has an event loop in its own."""
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    with ThreadPoolExecutor(1) as own:
        own.submit(asyncio.run, carry_out(JobContext(store, lease), handlers()[job.kind])).result()
    return store.get_job(job.id)


def carried_out(store: SqlStore, benchmark: Benchmark) -> list[Job]:
    """All cells, one after the other."""
    jobs = store.benchmark_jobs(benchmark.id)
    return [worked(store, jobs[study_id]) for study_id in benchmark.studies.values()]


def written(
    store: SqlStore, name: str = "Written", *, generators: Sequence[str] = ("openai:a", "openai:b"),
    interpreters: Sequence[str] = ("openai:a", "openai:b"), variants: Sequence[Variant] = (Variant(),),
    states: Mapping[str, str] | None = None, rounds: int = 1, recorded: str = "",
) -> Benchmark:  # fmt: skip
    """A grid whose studies were never carried out, in these states by `Cell.key`; done where none is named.

    A worker that runs on this store takes what is running or paused: write it before the worker starts.
    """
    told = spec(generators, interpreters, suites=(SuiteSpec(name="openagi-plan", **SIZES),), variants=tuple(variants),
                method="in-context", budget=StudyBudget(max_rounds=rounds))  # fmt: skip
    studies = {}
    for n, cell in enumerate(cells(told)):
        state = (states or {}).get(cell.key, "done")
        writer = new_study(
            store, f"{name}: cell {cell.key}", seed=n, tasks_seed=0, rounds=rounds, recorded=recorded,
            generator=generators[cell.generator], interpreter=interpreters[cell.interpreter],
        )  # fmt: skip
        studies[cell.key] = writer.study.id
        _write(store, writer, state, rounds)
    made = store.create_benchmark(name, told, studies, recorded=recorded)
    for key, state in (states or {}).items():
        if state == "deleted":
            store.delete_study(studies[key])
    return made


def many(store: SqlStore, across: int = 20, name: str = "Many") -> Benchmark:
    """A grid of so many models on both sides, measured; only what its figures are read from is written."""
    sides = [f"openai:model-{n}" for n in range(across)]
    told = spec(sides, sides)
    suite = OpenAGIPlanSuite(seed=0, sizes=PLAN.sizes)
    splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
    studies = {}
    for cell in cells(told):
        study = store.create_study(f"{name}: cell {cell.key}", study_spec(told, cell), splits)
        store.add_to_study(_bare(study, f"{cell.key}"))
        studies[cell.key] = study.id
    return store.create_benchmark(name, told, studies)


def _bare(study: Study, luck: str) -> StudyBatch:
    chance = random.Random(luck)
    made = [
        Candidate(number=n, text=BETTER, operator=operator) for n, operator in enumerate((MANUAL, PLAIN, "rewrite"))
    ]
    outcomes = [
        (Outcome(candidate=c.number, task=task, split=split, score=round(chance.random(), 2), stop="terminal"), ())
        for c in made
        for split in ("val", "test")
        for task in study.splits[split]
    ]  # fmt: skip
    return StudyBatch(study.id, made, outcomes, rounds=1, stop="rounds", best=2, test_uses=1)


def _write(store: SqlStore, writer: Writer, state: str, rounds: int) -> None:
    writer.begin()
    if state == "done":
        for number in range(1, rounds + 1):
            writer.round(number)
        writer.end()
        return
    study_id = writer.study.id
    if state in ("waiting", "deleted"):
        return
    job = store.submit("study", {"study_id": study_id}, title=writer.study.name, subject_id=study_id)
    if state in ("running", "failed"):
        lease = store.claim("a worker of a test", lease_s=3600, job_id=job.id)
        assert lease is not None
        if state == "failed":
            store.finish(lease, "failed", error=GAVE_UP)
        else:
            store.heartbeat(lease, {"doing": "Round 1: proposing"})
    elif state in ("paused", "stopped"):
        store.request(job.id, "pause" if state == "paused" else "cancel")
