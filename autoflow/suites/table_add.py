"""From a table to a saved suite, with what can be guessed of its columns and its scorer."""

from __future__ import annotations

import os
from dataclasses import dataclass

from autoflow.errors import SettingsError
from autoflow.records import Json
from autoflow.store.base import StudyStore
from autoflow.study import SavedSuite
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_mapping import Columns, guess_columns, guess_scorer
from autoflow.suites.table_read import Table
from autoflow.suites.table_rows import Origin, Preview, preview

ONE_INSTRUCTION = "Give the right answer to the input."  # where neither a column nor a person says what to do
NAME_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Choice:
    """What a table is taken for; what is left out is guessed."""

    columns: Columns | None = None
    instruction: str = ""  # in the place of that of `columns`
    scorer: str = ""
    options: Json | None = None
    rubric: Origin = "person"  # who wrote what a judge looks at
    model: str = ""  # which one proposed the rubric

    def completed(self, table: Table) -> tuple[Columns, str]:
        """Columns and scorer, guessed where they were not chosen."""
        columns = self.columns or guess_columns(table)
        if self.instruction.strip():
            columns = columns.model_copy(update={"instruction": self.instruction})
        elif not columns.objective and not columns.instruction.strip():
            columns = columns.model_copy(update={"instruction": ONE_INSTRUCTION})
        answers = table.column(columns.expected) if columns.expected else []
        return columns, self.scorer or guess_scorer(answers)


def add_table(
    store: StudyStore, table: Table, name: str, choice: Choice | None = None, *, source: str = ""
) -> tuple[SavedSuite, Preview]:
    """Save a table as a suite; one that is there already, with the same name and content, is not saved twice.

    Raises SettingsError: no row can be used, or the columns or the scorer cannot.
    """
    choice = choice or Choice()
    columns, scorer = choice.completed(table)
    seen = preview(table, columns, scorer, choice.options)
    if not seen.rows:
        raise SettingsError("No row of the table can be used.", " ".join(seen.sentences()[:3]))
    notes = [*seen.notes, *seen.sentences()]
    body = suite_body(
        seen.rows, scorer, choice.options, rubric=choice.rubric, columns=columns, source=source, notes=notes,
        model=choice.model,
    )  # fmt: skip
    return save_once(store, name, body), seen


def save_once(store: StudyStore, name: str, body: Json) -> SavedSuite:
    """A suite of this name and content: the one that is there, or a new one."""
    name = " ".join(name.split())[:NAME_CHARACTERS] or "A table"
    for suite_id, known in store.suite_names(limit=1000).items():
        if known == name and (found := store.get_suite(suite_id)).body == body:
            return found
    return store.save_suite(name, body)


def name_of_file(path: str) -> str:
    """`mails` for `/home/me/mails.csv`."""
    return os.path.splitext(os.path.basename(path))[0] or "A table"
