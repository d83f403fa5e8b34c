"""The file of a recorded study: gzip over JSON lines, checked line by line before anything of it is believed.

    {"format": "autoflow-study", "version": 1, "words": ..., "study": {...}, "workflow": {...} or null, "suite": ... }
    {"candidate": {...}}                        one a candidate, by number
    {"outcome": {...}, "events": [...]}         one a run, with its trace
    {"training": {...}}                         one a step, where the study trained its generator
    {"end": {"candidates": 14, "outcomes": 352}}   without it the file was cut off; "steps" where there are any

Nothing in it is code. Ids of the store it comes from mean nothing elsewhere, so that a reader gives new ones.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from autoflow.errors import SettingsError
from autoflow.records import Event, Json, Origin, Record, broken_rule
from autoflow.study import Candidate, Outcome, Study, TrainingStep

T = TypeVar("T", bound=Record)
FORMAT, VERSION = "autoflow-study", 1
MOST_BYTES = 256 << 20  # inflated, of the whole file
MOST_LINE = 64 << 20  # characters of one line


class RecordedVersion(Record):
    """A version of the workflow that the study began with."""

    text: str
    origin: Origin
    model: str | None = None
    note: str = ""


class RecordedWorkflow(Record):
    """The workflow that the study began with, its versions from the first to the last."""

    name: str = Field(max_length=500)
    versions: tuple[RecordedVersion, ...] = ()


class RecordedSuite(Record):
    """The person's table that the study's tasks are of."""

    name: str = Field(max_length=500)
    body: Json


class Head(Record):
    """The first line."""

    format: str
    version: int
    words: str = Field(min_length=1, max_length=2000)  # when and with what it was made, as pages show it
    study: Study
    workflow: RecordedWorkflow | None = None
    suite: RecordedSuite | None = None


class Run(Record):
    """One run of a candidate, scored, with its trace."""

    outcome: Outcome
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """A whole file that fits together."""

    head: Head
    candidates: tuple[Candidate, ...]
    runs: tuple[Run, ...]
    steps: tuple[TrainingStep, ...] = ()


def write_lines(path: str | os.PathLike[str], lines: Iterator[Json]) -> None:
    """Write a file whole or not at all; the same lines make the same bytes. Raises SettingsError: it cannot be."""
    target = Path(path)
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n")
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise SettingsError(f"`{target}` cannot be written: {error.strerror or error}.") from error


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """The recording in a file. Raises SettingsError with the line: it is none, is cut off, or does not fit together."""
    with opened(path, "study") as lines:
        return read_study_lines(lines)


@contextmanager
def opened(path: str | os.PathLike[str], what: str) -> Iterator[Iterator[Json]]:
    """The lines of a file, within the bounds. Raises SettingsError: it cannot be read, or `Wrong` was raised.

    Args:
        what: it should be a recording of.
    """
    try:
        with gzip.open(path, "rb") as file:
            yield _lines(file)
    except Wrong as wrong:
        raise SettingsError(
            f"`{path}` is no recording of a {what}: {wrong}", "Make it anew, or take another."
        ) from wrong
    except FileNotFoundError as error:
        raise SettingsError(f"There is no file `{path}`.", "Check the path.") from error
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SettingsError(f"`{path}` is no recording of a {what}: {error}.", "Get the file again, whole.") from error
    except OSError as error:
        raise SettingsError(f"`{path}` cannot be read: {error.strerror or error}.") from error


class Wrong(Exception):
    """What is wrong with the file, in words."""


def _lines(file: gzip.GzipFile) -> Iterator[Json]:
    """Lines as JSON objects, within the bounds."""
    number = total = 0
    while data := file.readline(MOST_LINE + 1):
        number, total = number + 1, total + len(data)
        if len(data) > MOST_LINE or total > MOST_BYTES:
            raise Wrong(f"line {number} goes beyond what is read of one.")
        try:
            line = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Wrong(f"line {number} is no JSON.") from error
        if not isinstance(line, dict):
            raise Wrong(f"line {number} is no JSON object.")
        yield line


def read_study_lines(lines: Iterator[Json]) -> Recording:
    """One study, from its first line to its end. Raises Wrong."""
    head = _head(next(lines, {}))
    candidates: list[Candidate] = []
    runs: list[Run] = []
    steps: list[TrainingStep] = []
    end: Any = None
    for number, line in enumerate(lines, start=2):
        if end is not None:
            raise Wrong(f"line {number} comes after the end.")
        match sorted(line):
            case ["candidate"]:
                candidates.append(made(Candidate, line["candidate"], number))
            case ["events", "outcome"]:
                runs.append(made(Run, line, number))
            case ["training"]:
                steps.append(made(TrainingStep, line["training"], number))
            case ["end"]:
                end = line["end"]
            case _:
                raise Wrong(f"line {number} is neither a candidate nor a run.")
    if end != ending(len(candidates), len(runs), len(steps)):
        raise Wrong("its end is missing: it was cut off.")
    _check(head, candidates, runs)
    if [step.step for step in steps] != list(range(1, len(steps) + 1)):
        raise Wrong("the steps of its training are not numbered 1, 2, 3 ...")
    return Recording(head, tuple(candidates), tuple(runs), tuple(steps))


def ending(candidates: int, outcomes: int, steps: int) -> Json:
    """What the last line counts."""
    return {"candidates": candidates, "outcomes": outcomes} | ({"steps": steps} if steps else {})


def _head(line: Json) -> Head:
    if line.get("format") != FORMAT:
        raise Wrong("its first line does not say so.")
    if line.get("version") != VERSION:
        raise Wrong(f"it has version {str(line.get('version'))[:20]}, and this AutoFlow reads version {VERSION}.")
    return made(Head, line, 1)


def made(kind: type[T], value: object, number: int) -> T:
    """A record of what a line holds. Raises Wrong."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise Wrong(f"line {number}, `{where[:80]}`: {broken_rule(error)}.") from error


def _check(head: Head, candidates: list[Candidate], runs: list[Run]) -> None:
    """That the parts belong together."""
    count, study = len(candidates), head.study
    if [c.number for c in candidates] != list(range(count)):
        raise Wrong("its candidates are not numbered 0, 1, 2 ...")
    if any(c.parent is not None and not 0 <= c.parent < c.number for c in candidates):
        raise Wrong("a candidate comes before its parent.")
    if study.stop is None or (study.best is not None and not 0 <= study.best < count):
        raise Wrong("the study has not ended, or its best candidate is none of its candidates.")
    seen = set()
    for run in runs:
        o = run.outcome
        key = (o.candidate, o.task, o.repeat)
        if not 0 <= o.candidate < count or o.task not in study.splits.get(o.split, ()) or key in seen:
            raise Wrong(f"a run of candidate {o.candidate} on `{o.task[:60]}` belongs nowhere, or is there twice.")
        seen.add(key)
