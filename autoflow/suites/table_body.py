"""What a saved suite holds: rows, scorer, and where they came from.

A suite that was saved is not changed any more, so that a study on it means the same tomorrow: another scorer or other
rows are another suite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, TypeAdapter, ValidationError

from autoflow.errors import SettingsError
from autoflow.generate.examples import Example
from autoflow.records import Json, Record, broken_rule
from autoflow.suites.table_mapping import Columns
from autoflow.suites.table_rows import ORIGIN_WORDS, Origin, Row, checked_scorer

_ROW = TypeAdapter(Row)
_CHANGED = {"model": "", "edited": " (changed by a person)"}


class ScorerSpec(Record):
    """A scorer and what was chosen of it."""

    name: str
    options: Json = Field(default_factory=dict)
    origin: Origin = "person"  # of its rubric


class TableBody(Record):
    """The form of `SavedSuite.body`."""

    form: Literal[1] = 1
    rows: tuple[Json, ...]  # each as `Row.to_json` gives it; `row_of` reads one, as few of many are used
    scorer: ScorerSpec
    source: str = ""  # the file that it was read from; empty for pasted cells and for examples of a task
    columns: Columns | None = None  # what its columns were taken for; None: there was no table
    notes: tuple[str, ...] = ()  # what was assumed and left out when it was read
    model: str = ""  # which one proposed rows, or the rubric


def suite_body(
    rows: Sequence[Row], scorer: str, options: Json | None = None, *, rubric: Origin = "person",
    columns: Columns | None = None, source: str = "", notes: Sequence[str] = (), model: str = "",
) -> Json:  # fmt: skip
    """The body of a suite to save.

    Args:
        rubric: who wrote what the judge looks at.
        model: which one proposed rows, or the rubric.

    Raises SettingsError: no rows, two that are one task, no such scorer or option, or it cannot score a row.
    """
    options = options or {}
    if not rows:
        raise SettingsError("A suite needs at least one row that can be used.", "Look at what is wrong with the rows.")
    kind = checked_scorer(scorer, options)
    faults = {expected: kind.check(expected, options) for expected in {row.expected for row in rows}}
    if bad := next((row for row in rows if faults[row.expected]), None):
        raise SettingsError(f"Row {bad.row} cannot be scored: {faults[bad.expected]}", "Correct it, or leave it out.")
    if len({row.id for row in rows}) < len(rows):
        raise SettingsError("Two rows have the same number and ask the same.", "Leave one of them out.")
    about = TableBody(
        rows=(), scorer=ScorerSpec(name=scorer, options=options, origin=rubric), source=source[-200:], columns=columns,
        notes=tuple(notes), model=model,
    )  # fmt: skip
    told = about.model_dump(mode="json", exclude_defaults=True)
    return {**told, "form": about.form, "rows": [row.to_json() for row in rows]}


def read_body(body: Json) -> TableBody:
    """The suite that a body holds. Raises SettingsError: it has another form, or its scorer is none any more."""
    try:
        found = TableBody.model_validate(body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "body"
        raise SettingsError(
            f"The saved suite cannot be read: {where}: {broken_rule(error)}.", "Make it anew from its table."
        ) from error
    checked_scorer(found.scorer.name, found.scorer.options)
    return found


def row_of(told: Json) -> Row:
    """One row of a body. Raises SettingsError: it has another form."""
    try:
        return _ROW.validate_python(told)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "row"
        raise SettingsError(
            f"A row of the saved suite cannot be read: {where}: {broken_rule(error)}.", "Make it anew from its table."
        ) from error


def proposed_row(objective: str, example: Example) -> Row:
    """An example that a model proposed, as a row."""
    return Row(objective.strip(), _filled(example.inputs), example.expected.strip(), origin="model")


def corrected_row(objective: str, number: int, inputs: Mapping[str, str], expected: str, was: Row | None) -> Row:
    """A row as a person leaves it; what a model proposed stays marked as that.

    Args:
        number: from 1; where it stands.
        was: what it was before; None: nothing, a person wrote it.
    """
    given = _filled(inputs)
    origin: Origin = "person" if was is None else was.origin
    if was is not None and origin == "model" and (given, expected.strip()) != (_filled(was.inputs), was.expected):
        origin = "edited"
    asked = objective.strip() if given else ""  # nothing is given: a line that was added and left empty
    return Row(asked, given, expected.strip(), () if was is None else was.tags, origin, number)


def _filled(inputs: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in inputs.items() if text.strip()}


def proposed_words(body: TableBody) -> str:
    """`7 of 10 proposed by a model; rubric proposed by a model`; empty where people made all."""
    parts = [f"{count:,} of {len(body.rows):,} {ORIGIN_WORDS[o]}" for o, count in _proposed(body).items()]
    parts += [f"rubric {ORIGIN_WORDS[body.scorer.origin]}"] if body.scorer.origin in ORIGIN_WORDS else []
    return "; ".join(parts)


def proposed_parts(body: TableBody) -> tuple[str, ...]:
    """What a model proposed: `7 of 10 tasks`, `2 of 10 tasks (changed by a person)`, `the rubric`."""
    parts = [f"{count:,} of {len(body.rows):,} tasks{_CHANGED[o]}" for o, count in _proposed(body).items()]
    parts += [f"the rubric{_CHANGED[body.scorer.origin]}"] if body.scorer.origin in ORIGIN_WORDS else []
    return tuple(parts)


def _proposed(body: TableBody) -> dict[str, int]:
    counts = Counter(str(row.get("origin", "")) for row in body.rows)
    return {origin: counts[origin] for origin in ORIGIN_WORDS if counts[origin]}
