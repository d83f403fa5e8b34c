"""A benchmark begun, paused and taken up: studies made, their jobs queued. Workers take cells as they are free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from pydantic import ValidationError

from autoflow.benchmark import MOST, Benchmark, BenchmarkSpec, Cell, cells, name_of, study_spec
from autoflow.errors import AutoFlowError, SettingsError
from autoflow.optimize.start import check_generator, check_study, write_study
from autoflow.records import Job, Json, broken_rule
from autoflow.store.base import BenchmarkStore, JobStore, StudyStore
from autoflow.study import Candidate, Split, Study, StudySpec
from autoflow.suites.registry import settled_suite

GOING = ("queued", "running")  # what can be paused
RESTING = ("pausing", "paused", "failed")  # what can be taken up
_Dealt = tuple[Mapping[Split, Sequence[str]], Sequence[Candidate]]


class BenchmarksAndStudies(BenchmarkStore, StudyStore, JobStore, Protocol):
    """What beginning one takes of the store."""


def start_benchmark(store: BenchmarksAndStudies, name: str, spec: BenchmarkSpec) -> Benchmark:
    """A new benchmark with a study a cell, and their jobs queued. All cells are checked before anything is written.

    Where it is broken off, its studies are gone as well: none stays without a benchmark.

    Raises SettingsError: a cell cannot begin, and why; too many cells; a model stands twice on one side.
    """
    _check_axes(spec)
    spec = spec.model_copy(update={"suites": tuple(map(settled_suite, spec.suites))})
    grid = list(cells(spec))
    dealt: dict[tuple[int, int], _Dealt] = {}
    for cell in grid:  # models play no part in what is dealt: one look for all of them
        place = (cell.suite, cell.variant)
        if place not in dealt:
            dealt[place] = _dealt(store, spec, cell)
        with _named(spec, cell):
            check_generator(_spec(spec, cell))  # but not every method takes every generator
    benchmark = _written(store, name, spec, grid, dealt)
    submit(store, benchmark)
    return benchmark


def _written(
    store: BenchmarksAndStudies, name: str, spec: BenchmarkSpec, grid: Sequence[Cell],
    dealt: Mapping[tuple[int, int], _Dealt],
) -> Benchmark:  # fmt: skip
    studies: dict[str, str] = {}
    try:
        for cell in grid:
            splits, first = dealt[cell.suite, cell.variant]
            study = write_study(store, f"{name}: {name_of(spec, cell)}", study_spec(spec, cell), splits, first)
            studies[cell.key] = study.id
        return store.create_benchmark(name, spec, studies)
    except BaseException:  # a person's Ctrl-C, or a page that begins anew, as well
        for study_id in studies.values():
            with suppress(AutoFlowError):  # what ended it is what is told
                store.delete_study(study_id)
        raise


def submit(store: BenchmarksAndStudies, benchmark: Benchmark) -> list[Job]:
    """Queue what has not ended and is not under way; what was paused or failed is taken up, what was deleted is not."""
    jobs = store.benchmark_jobs(benchmark.id)
    return [_queued(store, study, jobs.get(study.id)) for study in open_studies(store, benchmark)]


def pause(store: BenchmarksAndStudies, benchmark: Benchmark) -> int:
    """Ask all cells that are under way, or wait for a worker, to pause; returns how many."""
    asked = [job for job in store.benchmark_jobs(benchmark.id).values() if job.state in GOING]
    for job in asked:
        store.request(job.id, "pause")
    return len(asked)


def open_studies(store: BenchmarksAndStudies, benchmark: Benchmark) -> list[Study]:
    """Studies that have not ended, in the order in which they are carried out."""
    found = store.benchmark_studies(benchmark.id)
    there = (found[study_id] for study_id in benchmark.studies.values() if study_id in found)
    return [study for study in there if study.stop is None]


def _queued(store: BenchmarksAndStudies, study: Study, job: Job | None) -> Job:
    if job is not None and job.state in RESTING:
        return store.request(job.id, "resume")
    return store.submit("study", _payload(study), title=study.name, subject_id=study.id, unique=True)


def _payload(study: Study) -> Json:
    return {"study_id": study.id}


def _check_axes(spec: BenchmarkSpec) -> None:
    if spec.size > MOST:
        raise SettingsError(
            f"The grid has {spec.size:,} cells; up to {MOST:,} are carried out.", "Choose fewer of an axis."
        )
    suites = tuple(suite.model_dump_json() for suite in spec.suites)
    for side, axis in (("generator", spec.generators), ("interpreter", spec.interpreters), ("suite", suites)):
        twice = next((n for n, one in enumerate(axis) if axis.index(one) < n), None)
        if twice is not None:
            name = spec.suites[twice].name if side == "suite" else axis[twice]
            raise SettingsError(f"The {side} `{name}` stands in the grid twice.", "Name it once.")


def _dealt(store: StudyStore, spec: BenchmarkSpec, cell: Cell) -> _Dealt:
    """Tasks and first candidates of the cells of this suite and variant."""
    with _named(spec, cell):
        return check_study(store, _spec(spec, cell))


@contextmanager
def _named(spec: BenchmarkSpec, cell: Cell) -> Iterator[None]:
    """What is refused names the cell."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"The cell `{name_of(spec, cell)}` cannot begin: {error.message}", error.hint) from error


def _spec(spec: BenchmarkSpec, cell: Cell) -> StudySpec:
    try:
        return study_spec(spec, cell)
    except ValidationError as error:
        variant = spec.variants[cell.variant].name or "as it is"
        raise SettingsError(f"The variant `{variant}` cannot be used: {broken_rule(error)}") from error
