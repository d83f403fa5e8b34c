"""Rows of a table as tasks, and what is wrong in which row.

One pass over the table, whatever its size. Each kind of problem is counted in full, and named row by row up to a limit,
so that a table of 100,000 bad rows is told in a few sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, NamedTuple

from autoflow.errors import SettingsError
from autoflow.metrics.kinds import ScorerKind, near
from autoflow.metrics.scorers import SCORERS
from autoflow.records import Json
from autoflow.suites import table_names as names
from autoflow.suites.base import PROPOSED
from autoflow.suites.table_cells import is_formula, rows_named
from autoflow.suites.table_mapping import Columns
from autoflow.suites.table_read import FORMULAS, Table

NAMED = 100  # rows a kind that are named one by one
LONG = 12_000  # characters of a task: more than small models take in
TOO_LONG = 200_000  # characters that no model takes in
TAG_CHARACTERS = 60
ORIGIN_WORDS = {"model": PROPOSED, "edited": f"{PROPOSED}, changed by a person"}
Origin = Literal["person", "model", "edited"]
Kind = Literal[
    "empty", "no-objective", "no-answer", "bad-answer", "duplicate", "conflict", "too-long", "long", "formula"
]


@dataclass(frozen=True, slots=True)
class Row:
    """One task of a table."""

    objective: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = "person"  # `model`: a model proposed it, and a person accepted it as it was
    row: int = 0  # its number in the table that it came from, as a spreadsheet shows it; 0: from none

    @property
    def id(self) -> str:
        """Of its task: where it stands and a mark of what it asks."""
        told = "\x00".join([self.objective, *(part for pair in sorted(self.inputs.items()) for part in pair)])
        return f"row-{self.row}-{blake2b(told.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"

    def to_json(self) -> Json:
        """As a suite holds it; what is empty or as usual is left out."""
        told = {"expected": self.expected, "inputs": dict(self.inputs), "tags": list(self.tags), "row": self.row}
        kept = {name: value for name, value in told.items() if value}
        return {"objective": self.objective, **kept, **({} if self.origin == "person" else {"origin": self.origin})}


class Problem(NamedTuple):
    """What is wrong in one row."""

    row: int
    kind: Kind
    words: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a table gives, and what is wrong with it."""

    rows: tuple[Row, ...]  # those that can be used
    total: int  # rows of the table
    problems: tuple[Problem, ...]  # by row; of each kind the first 100
    counts: Mapping[Kind, int]  # of each kind, all of them
    notes: tuple[str, ...]  # about the table as a whole: what was assumed when it was read
    unused: tuple[str, ...]  # columns that are nothing

    def sentences(self) -> list[str]:
        """One for each kind of problem, the worst first."""
        return [self._sentence(kind) for kind in LEFT_OUT | KEPT if self.counts.get(kind)]

    def _sentence(self, kind: Kind) -> str:
        """`Left out: rows 4, 9 and 12 more ask the same as an earlier row.`"""
        count, found = self.counts[kind], [p for p in self.problems if p.kind == kind]
        rows = rows_named([p.row for p in found] + [0] * (count - len(found)))
        rows = rows if kind in LEFT_OUT else rows[:1].upper() + rows[1:]
        words = (LEFT_OUT | KEPT)[kind][count > 1]
        reason = f" {found[0].words}" if kind in _TOLD else ""
        return f"{'Left out: ' if kind in LEFT_OUT else ''}{rows} {words}.{reason}"


# What is said of one row, and of several.
LEFT_OUT: dict[Kind, tuple[str, str]] = {
    "no-objective": ("asks nothing", "ask nothing"),
    "no-answer": ("has no expected answer", "have no expected answer"),
    "bad-answer": ("has an expected answer that cannot be scored", "have expected answers that cannot be scored"),
    "conflict": (
        "asks the same as an earlier row, with another answer",
        "ask the same as earlier rows, with other answers",
    ),
    "duplicate": ("asks the same as an earlier row", "ask the same as earlier rows"),
    "too-long": ("is longer than any model reads", "are longer than any model reads"),
    "empty": ("is empty", "are empty"),
}
KEPT: dict[Kind, tuple[str, str]] = {
    "long": ("is long; small models may not read all of it", "are long; small models may not read all of them"),
    "formula": (
        f"has a cell that begins as formulas do. {FORMULAS[:-1]}",
        f"have cells that begin as formulas do. {FORMULAS[:-1]}",
    ),
}
_TOLD = frozenset({"bad-answer"})  # the first row's own words are told as well


def preview(table: Table, columns: Columns, scorer: str, options: Json | None = None) -> Preview:
    """What the table gives with these columns and this scorer.

    Raises SettingsError: a column is not there or tells the answer, nothing says what to do, or there is no such
    scorer or option.
    """
    columns.check(table)
    kind = checked_scorer(scorer, options or {})
    found = _Found(kind, options or {})
    for row in _rows(table, columns):
        found.take(row)
    used = columns.used()
    told = found.counts["formula"]  # row by row, which is better than a note on all of them
    notes = tuple(note for note in table.notes if not (told and note.endswith(FORMULAS)))
    return Preview(
        tuple(found.rows), len(table.rows), tuple(sorted(found.problems)), dict(found.counts), notes,
        tuple(c for c in table.columns if c not in used),
    )  # fmt: skip


def preview_rows(rows: Sequence[Row], scorer: str, options: Json | None = None) -> Preview:
    """The same for rows that came from no table. Raises SettingsError: there is no such scorer or option."""
    found = _Found(checked_scorer(scorer, options or {}), options or {})
    for row in rows:
        found.take(_Read(row, formula=False))
    return Preview(tuple(found.rows), len(rows), tuple(sorted(found.problems)), dict(found.counts), (), ())


def checked_scorer(name: str, options: Json) -> ScorerKind:
    """The kind of scorer. Raises SettingsError: there is none, or it does not take these options."""
    if name not in SCORERS:
        raise SettingsError(f"There is no scorer `{name}`.", near(name, SCORERS))
    SCORERS[name].read_options(options)
    return SCORERS[name]


class _Read(NamedTuple):
    """A row as it was found."""

    row: Row
    formula: bool  # one of its cells looks like one


def _rows(table: Table, columns: Columns) -> Iterator[_Read]:
    place = {name: table.place(name) for name in columns.used()}
    objective, expected, origin = (place.get(name) for name in (columns.objective, columns.expected, columns.origin))
    inputs = [(name, place[name]) for name in columns.inputs]
    tags = [place[name] for name in columns.tags]
    instruction = columns.instruction.strip()
    for number, cells in enumerate(table.rows, table.first_row):
        asked = cells[objective].strip() if objective is not None else ""
        given = {name: cells[at] for name, at in inputs if cells[at].strip()}
        row = Row(
            objective="\n\n".join(filter(None, (instruction, asked))) if asked or given else "",
            inputs=given,
            expected=cells[expected].strip() if expected is not None else "",
            tags=tuple(dict.fromkeys(cells[at].strip()[:TAG_CHARACTERS] for at in tags if cells[at].strip())),
            origin="model" if origin is not None and _by_model(cells[origin]) else "person",
            row=number,
        )
        yield _Read(row, any(is_formula(cells[at]) for at in place.values()))


def _by_model(cell: str) -> bool:
    return cell.strip().casefold() in names.MODEL_WORDS


@dataclass(slots=True)
class _Found:
    """What there is so far."""

    scorer: ScorerKind
    options: Json
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    seen: dict[tuple[object, ...], Row] = field(default_factory=dict)  # what is asked -> the first row that asks it
    faults: dict[str, str | None] = field(default_factory=dict)  # of expected answers, each looked at once

    def take(self, read: _Read) -> None:
        for fault in (self._empty, self._length, self._answer, self._again):
            if found := fault(read.row):
                self._tell(read.row, *found)
                return
        self.rows.append(read.row)
        length = _length(read.row)
        if length > LONG:
            self._tell(read.row, "long", f"It has {length:,} characters.")
        if read.formula:
            self._tell(read.row, "formula", f"A cell begins with =, +, - or @. {FORMULAS}")

    def _tell(self, row: Row, kind: Kind, words: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= NAMED:
            self.problems.append(Problem(row.row, kind, words))

    def _empty(self, row: Row) -> tuple[Kind, str] | None:
        if not row.objective and not row.inputs and not row.expected:
            return "empty", "All cells are empty."
        return None if row.objective else ("no-objective", "It asks nothing.")

    def _length(self, row: Row) -> tuple[Kind, str] | None:
        length = _length(row) + len(row.expected)
        return ("too-long", f"It has {length:,} characters; {TOO_LONG:,} are the most.") if length > TOO_LONG else None

    def _answer(self, row: Row) -> tuple[Kind, str] | None:
        if row.expected not in self.faults:
            self.faults[row.expected] = self.scorer.check(row.expected, self.options)
        fault = self.faults[row.expected]
        if fault is None:
            return None
        return ("bad-answer" if row.expected else "no-answer"), fault

    def _again(self, row: Row) -> tuple[Kind, str] | None:
        first = self.seen.setdefault(_asked(row), row)
        if first is row:
            return None
        if _even(first.expected) == _even(row.expected):
            return "duplicate", f"It asks the same as row {first.row}."
        return "conflict", f"It asks the same as row {first.row}, which expects another answer."


def _length(row: Row) -> int:
    return len(row.objective) + sum(map(len, row.inputs.values()))


def _asked(row: Row) -> tuple[object, ...]:
    """Equal for rows that ask the same but for white space."""
    return _even(row.objective), *((name, _even(text)) for name, text in row.inputs.items())


def _even(text: str) -> str:
    return " ".join(text.split())
