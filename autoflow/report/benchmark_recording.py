"""A benchmark as one file to show around: its grid and every study of it, written from a store and put into another.

    {"format": "autoflow-benchmark", "version": 1, "words": ..., "name": ..., "spec": {...}, "cells": [keys]}
    the lines of the study of each cell as `recording_file` has them, one after the other in the order of `cells`
    {"benchmark_end": {"cells": 4}}                          without it the file was cut off

It is checked as a whole before anything of it is written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from pydantic import Field

from autoflow.benchmark import MOST, Benchmark, BenchmarkSpec, Cell, cells, without_folder
from autoflow.errors import SettingsError
from autoflow.records import Json, Record
from autoflow.report.recording import study_lines, suite_without_folder, write_recording
from autoflow.report.recording_file import Recording, Wrong, made, opened, read_study_lines, write_lines
from autoflow.store import SqlStore
from autoflow.study import Study

FORMAT, VERSION = "autoflow-benchmark", 1
WHAT = "benchmark"


class BenchmarkHead(Record):
    """The first line."""

    format: str
    version: int
    words: str = Field(min_length=1, max_length=2000)  # when and with what it was made, as pages show it
    name: str = Field(max_length=500)
    spec: BenchmarkSpec
    cells: tuple[str, ...] = Field(min_length=1, max_length=MOST)  # `Cell.key`


def save_benchmark(store: SqlStore, benchmark_id: str, path: str | os.PathLike[str], words: str) -> None:
    """Write a benchmark whose cells have all ended into a file.

    Args:
        words: when and with what it was made; pages show them with the label.
    Raises NotFound: no such benchmark. SettingsError: a cell has not ended or is gone, `words` is empty, or the file
        cannot be written.
    """
    benchmark = store.get_benchmark(benchmark_id)
    studies = store.benchmark_studies(benchmark_id)
    found = (studies.get(benchmark.studies.get(cell.key, "")) for cell in cells(benchmark.spec))
    open_ = sum(study is None or study.stop is None for study in found)
    if open_:
        raise SettingsError(
            f"{open_} of {benchmark.spec.size} cells of the benchmark {benchmark_id} have not ended, or are gone.",
            f"Let it come to its end, then record it: autoflow benchmark --resume {benchmark_id}",
        )
    if not words.strip():
        raise SettingsError("A recording must say when and with what it was made.", "Write a sentence.")
    write_lines(path, _lines(store, benchmark, " ".join(words.split())))


def load_benchmark(store: SqlStore, path: str | os.PathLike[str]) -> Benchmark:
    """Put a recorded benchmark with its studies into a store, under new ids; loaded again it is there twice.

    Raises SettingsError: it is no recording, is cut off, or does not fit together; nothing is written then.
    """
    with opened(path, WHAT) as lines:
        head, recordings = _read(lines)
    studies = {key: write_recording(store, one) for key, one in zip(head.cells, recordings, strict=True)}
    ids = {key: study.id for key, study in studies.items()}
    return store.create_benchmark(head.name, _with_suites(head.spec, studies), ids, recorded=head.words)


def is_benchmark(path: str | os.PathLike[str]) -> bool:
    """Whether a file says of itself that it is one. Raises SettingsError: it cannot be read."""
    with opened(path, "study or a benchmark") as lines:
        return next(lines, {}).get("format") == FORMAT


def _with_suites(spec: BenchmarkSpec, studies: Mapping[str, Study]) -> BenchmarkSpec:
    """Tables have other ids in another store: those that the studies were given."""
    found = {cell.suite: studies[cell.key].spec.suite for cell in cells(spec) if cell.key in studies}
    return spec.model_copy(update={"suites": tuple(found.get(n, suite) for n, suite in enumerate(spec.suites))})


def _lines(store: SqlStore, benchmark: Benchmark, words: str) -> Iterator[Json]:
    spec = benchmark.spec
    names = {side: tuple(map(without_folder, getattr(spec, side))) for side in ("generators", "interpreters")}
    head = BenchmarkHead(
        format=FORMAT, version=VERSION, words=words, name=benchmark.name, cells=tuple(benchmark.studies),
        spec=spec.model_copy(
            update={
                **names, "judge": without_folder(spec.judge), "suites": tuple(map(suite_without_folder, spec.suites)),
            }
        ),
    )  # fmt: skip
    yield head.model_dump(mode="json")
    for study_id in benchmark.studies.values():
        yield from study_lines(store, store.get_study(study_id), words)
    yield {"benchmark_end": {"cells": len(benchmark.studies)}}


def _read(lines: Iterator[Json]) -> tuple[BenchmarkHead, list[Recording]]:
    head = _head(next(lines, {}))
    if head.spec.size > MOST:  # before they are made: a short line can name very many
        raise Wrong(f"its grid has {head.spec.size:,} cells, and up to {MOST:,} are carried out.")
    known = {cell.key: cell for cell in cells(head.spec)}
    if sorted(head.cells) != sorted(known):
        raise Wrong("its cells are not those of its grid: one is missing, is not in the grid, or is there twice.")
    recordings = [_checked(read_study_lines(_study(lines)), head.spec, known[key]) for key in head.cells]
    if next(lines, None) != {"benchmark_end": {"cells": len(recordings)}}:
        raise Wrong("its end is missing: it was cut off.")
    if next(lines, None) is not None:
        raise Wrong("something comes after the end.")
    return head, recordings


def _checked(recording: Recording, spec: BenchmarkSpec, cell: Cell) -> Recording:
    """A study of other models or tasks than its cell says would be told under names that it does not bear."""
    study = recording.head.study.spec
    for side, there, told in (
        ("generator", study.generator, spec.generators[cell.generator]),
        ("interpreter", study.interpreter, spec.interpreters[cell.interpreter]),
        ("suite", study.suite, spec.suites[cell.suite]),
    ):
        if there != told:
            raise Wrong(f"the study of its cell {cell.key} has another {side} than the grid.")
    return recording


def _head(line: Json) -> BenchmarkHead:
    if line.get("format") != FORMAT:
        raise Wrong("its first line does not say so.")
    if line.get("version") != VERSION:
        raise Wrong(f"it has version {str(line.get('version'))[:20]}, and this AutoFlow reads version {VERSION}.")
    return made(BenchmarkHead, line, 1)


def _study(lines: Iterator[Json]) -> Iterator[Json]:
    """The lines of the next study, its end included."""
    for line in lines:
        yield line
        if sorted(line) == ["end"]:
            return
