"""Beginning a benchmark: its studies made, their jobs queued. Workers take cells as they are free, each by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pydantic import ValidationError

from autoflow.benchmark import Benchmark, BenchmarkSpec, Cell, cells, name_of, study_spec
from autoflow.errors import SettingsError
from autoflow.optimize.start import check_study, start_study
from autoflow.records import Job, Json, broken_rule
from autoflow.store.base import BenchmarkStore, JobStore, StudyStore
from autoflow.study import Study, StudySpec

MOST = 400  # cells


class BenchmarksAndStudies(BenchmarkStore, StudyStore, JobStore, Protocol):
    """What beginning one takes of the store."""


def start_benchmark(
    store: BenchmarksAndStudies,
    name: str,
    spec: BenchmarkSpec,
    *,
    begun: Callable[[int, int], None] = lambda n, all_: None,
) -> Benchmark:
    """A new benchmark with a study a cell, and their jobs queued. All cells are checked before anything is written.

    Args:
        begun: told how many cells of how many are written.
    Raises SettingsError: a cell cannot begin, and why; too many cells.
    """
    grid = list(cells(spec))
    if len(grid) > MOST:
        raise SettingsError(
            f"The grid has {len(grid):,} cells; up to {MOST:,} are carried out.", "Choose fewer of an axis."
        )
    specs = [_spec(spec, cell) for cell in grid]
    for cell, told in zip(grid, specs, strict=True):
        _check(store, spec, cell, told)
    studies: dict[str, str] = {}
    for n, (cell, told) in enumerate(zip(grid, specs, strict=True)):
        studies[cell.key] = start_study(store, f"{name}: {name_of(spec, cell)}", told).id
        begun(n + 1, len(grid))
    benchmark = store.create_benchmark(name, spec, studies)
    submit(store, benchmark)
    return benchmark


def submit(store: BenchmarksAndStudies, benchmark: Benchmark) -> list[Job]:
    """Queue what has not ended and is not under way."""
    studies = [store.get_study(study_id) for study_id in benchmark.studies.values()]
    return [
        store.submit("study", _payload(study), title=study.name, subject_id=study.id, unique=True)
        for study in studies
        if study.stop is None or study.best is None
    ]


def _payload(study: Study) -> Json:
    return {"study_id": study.id}


def _spec(spec: BenchmarkSpec, cell: Cell) -> StudySpec:
    try:
        return study_spec(spec, cell)
    except ValidationError as error:
        variant = spec.variants[cell.variant].name or "as it is"
        raise SettingsError(f"The variant `{variant}` cannot be used: {broken_rule(error)}") from error


def _check(store: StudyStore, spec: BenchmarkSpec, cell: Cell, told: StudySpec) -> None:
    try:
        check_study(store, told)
    except SettingsError as error:
        raise SettingsError(f"The cell `{name_of(spec, cell)}` cannot begin: {error.message}", error.hint) from error
