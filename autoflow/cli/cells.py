"""The cells of a benchmark carried out in this process: those that are free, while workers may have others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autoflow.cli import output
from autoflow.errors import NotFound

if TYPE_CHECKING:
    from autoflow.benchmark import Benchmark
    from autoflow.records import Job
    from autoflow.store import SqlStore

POLL_S = 1.0  # how soon a cell that a worker lets go of is noticed


def carry_out_cells(store: SqlStore, benchmark: Benchmark, ray: str | None) -> int:
    """Cell after cell; returns how many failed. One that is paused ends it: Ctrl-C means all, and none is lost."""
    failed = 0
    try:
        for job in _ended(store, benchmark, ray):
            if job.state == "failed":
                failed += 1
                output.note(f"The cell failed: {job.error}")
            if job.state in ("paused", "pausing"):
                _pause(store, benchmark)
                break
    except KeyboardInterrupt:  # between two cells, or while workers do the last ones
        _pause(store, benchmark)
    return failed


def _pause(store: SqlStore, benchmark: Benchmark) -> None:
    from autoflow.optimize.benchmarking import pause

    pause(store, benchmark)
    output.note(f"Paused. Go on: autoflow benchmark --resume {benchmark.id}")


def _ended(store: SqlStore, benchmark: Benchmark, ray: str | None) -> Iterator[Job]:
    """The jobs of cells as they end: free ones are done here, and only when none is left are others waited for.

    Each is tried again and again, as one whose worker was lost is free after a while.
    """
    from autoflow.optimize.benchmarking import submit

    jobs = {job.subject_id: job.id for job in submit(store, benchmark)}  # what was paused or failed waits again
    studies = list(enumerate(benchmark.studies.values()))
    left = [(n, study_id) for n, study_id in studies if study_id in jobs or _is_gone(store, study_id)]
    said = 0
    while left:
        busy = []
        for n, study_id in left:
            place = f"Cell {n + 1} of {len(studies)}"
            if _is_gone(store, study_id):
                output.note(f"{place}: its study was deleted")
            elif (job := _one(store, jobs[study_id], place, ray)) is not None:
                yield job
            else:
                busy.append((n, study_id))
        if len(busy) == len(left):
            if len(busy) != said:
                output.note(f"Waiting for workers, who have {output.plural(len(busy), 'cell')}. Ctrl-C pauses all.")
            said = len(busy)
            time.sleep(POLL_S)
        left = busy


def _one(store: SqlStore, job_id: str, place: str, ray: str | None) -> Job | None:
    """The job as it ended, here or with a worker; None: a worker has it."""
    from autoflow.cli.here import carry_out_if_free

    job = store.get_job(job_id)
    if job.ended or job.state == "paused":
        return job
    return carry_out_if_free(store, job, ("pause",), ray, begun=lambda: output.note(f"{place}: {job.title}"))


def _is_gone(store: SqlStore, study_id: str) -> bool:
    try:
        store.get_study(study_id)
    except NotFound:
        return True
    return False
