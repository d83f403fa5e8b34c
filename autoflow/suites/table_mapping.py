"""Which column of a table is what: guessed from names and cells, to be changed by a person."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from autoflow.errors import SettingsError
from autoflow.metrics.numbers import numbers
from autoflow.metrics.scorers import SCORERS
from autoflow.records import Record
from autoflow.suites import table_names as names
from autoflow.suites.table_read import Table

SAMPLE = 500  # rows that a guess looks at
LABELS_MOST, LABEL_CHARACTERS = 24, 60  # answers that are one of so many short texts are labels
_NUMBER = re.compile(r"[^\W\d]{0,3}[^\w]*\d\S*(\s\S+)?$")  # `$5`, `EUR 5`, `5 km`, but no `answer 5`
LONG_ANSWER = 8  # words from which an answer is a text of its own


class Columns(Record):
    """What the columns are, by name; empty: there is none."""

    objective: str = ""  # what each row asks
    instruction: str = ""  # in words, no column: said before what a row asks; all there is where no column says it
    inputs: tuple[str, ...] = ()
    expected: str = ""  # the right answer
    tags: tuple[str, ...] = ()
    origin: str = ""  # who made a row: words such as `model` or `person`

    def used(self) -> tuple[str, ...]:
        """All columns that are something, each once."""
        single = filter(None, (self.objective, self.expected, self.origin))
        return tuple(dict.fromkeys((*single, *self.inputs, *self.tags)))

    def check(self, table: Table) -> None:
        """Raises SettingsError: a column is not there, or would tell every run its answer."""
        for name in self.used():
            table.place(name)
        if self.expected and self.expected in (self.objective, *self.inputs):
            raise SettingsError(
                f"The column `{self.expected}` is the expected answer and is given to the workflow as well.",
                "Choose other columns for one of the two: every run would be told its answer.",
            )
        if not self.objective and not self.instruction.strip():
            raise SettingsError(
                "Nothing says what should get done with a row.",
                "Choose the column that does, or write one instruction for all rows.",
            )


def guess_columns(table: Table) -> Columns:
    """What the columns seem to be. There may be no objective in it: then an instruction is still to be written."""
    plain = {column: names.plain_name(column) for column in table.columns}
    left = [c for c in table.columns if plain[c] not in names.ROW_NUMBERS and _filled(table, c)]

    def take(known: Sequence[str]) -> str:
        found = next((c for name in known for c in left if plain[c] == name), "")
        if found:
            left.remove(found)
        return found

    origin = next((c for c in left if plain[c] in names.ORIGIN and _says_who(table, c)), "")
    left = [c for c in left if c != origin]
    objective, expected = take(names.OBJECTIVE), take(names.EXPECTED) or take(names.LABELS)
    tags = [c for c in left if plain[c] in (*names.TAGS, *names.LABELS)]
    left = [c for c in left if c not in tags]
    inputs = [c for c in left if plain[c] in names.INPUTS]
    rest = [c for c in left if c not in inputs]
    if not objective and not inputs and rest:
        objective, expected, inputs = _unnamed(rest, expected)
    elif objective and len(table.rows) > 1 and len(set(_sample(table, objective))) == 1:
        inputs += rest  # every row asks the same: what differs is what is given
    elif not expected:  # a column of a few texts that come again is what there is to tell apart
        expected = next((c for c in reversed(rest) if labels_of([x for x in _sample(table, c) if x.strip()])), "")
    return Columns(
        objective=objective, inputs=tuple(inputs), expected=expected, tags=tuple(tags), origin=origin
    )  # fmt: skip


def _unnamed(rest: Sequence[str], expected: str) -> tuple[str, str, list[str]]:
    """Objective, answer and inputs among columns whose names say nothing.

    Two of them are a question and its answer. More are what is given, with the answer in the last.
    """
    if expected or len(rest) == 1:
        return (rest[0], expected, []) if len(rest) == 1 else ("", expected, list(rest))
    return (rest[0], rest[1], []) if len(rest) == 2 else ("", rest[-1], list(rest[:-1]))


def _filled(table: Table, column: str) -> bool:
    return any(cell.strip() for cell in _sample(table, column))


def _sample(table: Table, column: str) -> list[str]:
    at = table.place(column)
    return [row[at] for row in table.rows[:SAMPLE]]


def _says_who(table: Table, column: str) -> bool:
    said = {cell.strip().casefold() for cell in _sample(table, column)}
    return said <= names.MODEL_WORDS | names.PERSON_WORDS


def guess_scorer(answers: Sequence[str]) -> str:
    """The name of a scorer that fits these expected answers; without any, a model is to judge."""
    there = [answer.strip() for answer in answers[:SAMPLE] if answer.strip()]
    if not there:
        return "judge"
    if _all_pass("json", there) and all(answer[0] in "{[" for answer in there):
        return "json"
    if all(len(numbers(answer)) == 1 and _NUMBER.match(answer) for answer in there):
        return "numeric"
    if labels_of(there) or sum(len(answer.split()) for answer in there) < LONG_ANSWER * len(there):
        return "exact"
    return "rouge-l"


def _all_pass(scorer: str, answers: Collection[str]) -> bool:
    return all(SCORERS[scorer].check(answer, {}) is None for answer in answers)


def labels_of(answers: Sequence[str]) -> tuple[str, ...]:
    """The few short texts that the answers are made of, the most frequent first; empty where they are no labels."""
    counts: dict[str, int] = {}
    for answer in answers:
        text = answer.strip()
        if not text or len(text) > LABEL_CHARACTERS or "\n" in text:
            return ()
        counts[text] = counts.get(text, 0) + 1
        if len(counts) > LABELS_MOST:
            return ()
    repeated = sum(count > 1 for count in counts.values())
    if len(counts) < 2 or 2 * repeated < len(counts) or len(answers) < 2 * len(counts):
        return ()
    return tuple(sorted(counts, key=lambda text: (-counts[text], text)))
