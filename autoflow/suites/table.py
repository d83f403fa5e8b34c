"""Suite `table`: rows of a person's table, or examples of a task, scored as that person chose.

Options: {"suite": "su_..."}, the id of a saved suite; `autoflow.suites.table_body` says what that holds.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from autoflow.llm.base import LLM
from autoflow.metrics.base import Score, Scorer
from autoflow.metrics.scorers import make_scorer
from autoflow.records import Json, Task, TaskInput
from autoflow.study import SavedSuite, Split, SuiteSpec
from autoflow.suites.base import SuiteTask, asked, plain_prompt, split_tasks
from autoflow.suites.table_body import TableBody, read_body, row_of
from autoflow.suites.table_mapping import labels_of
from autoflow.suites.table_rows import ORIGIN_WORDS, Row

VOCABULARY_SCORERS = ("exact", "contains", "token-f1")  # by which an answer may be one of a few labels


class TableSuite:
    """The rows of a saved suite in three splits, each with about the same share of every tag and label.

    Args:
        judge: the model that judges, where the scorer is one. Without it the suite can be looked at, but not scored.
    Raises SettingsError: the body has another form, or the splits ask for more rows than there are.
    """

    name = "table"
    baseline = ""
    tools: Sequence[str] = ()

    def __init__(self, saved: SavedSuite, spec: SuiteSpec, *, judge: LLM | None = None) -> None:
        body = read_body(saved.body)
        self._scorer = body.scorer
        self._judge = judge
        self._made: Scorer | None = None
        self.vocabulary: Sequence[str] = vocabulary_of(body)
        self.plain = plain_prompt(_plain_words(self.vocabulary))
        dealt = split_tasks(body.rows, spec.sizes, spec.seed, stratum=self._stratum)
        self._splits = {split: tuple(_task(row_of(told)) for told in rows) for split, rows in dealt.items()}

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        return self._splits[split]

    def expected(self, task: SuiteTask) -> str:
        return str(task.expected)

    async def score(self, task: SuiteTask, answer: str) -> Score:
        """By the scorer that was chosen. A judge is shown the inputs as well as the objective.

        Raises SettingsError: the scorer needs a judge and has none, or cannot score this row. What a judge raises.
        """
        if self._made is None:
            self._made = make_scorer(self._scorer.name, self._scorer.options, judge=self._judge)
        expected = self.expected(task)
        found = await self._made(answer, expected, asked(task))
        return found if found.expected else replace(found, expected=expected)

    def _stratum(self, told: Json) -> Hashable:
        return str(told.get("tags")), str(told.get("origin")), str(told.get("expected")) if self.vocabulary else ""


def vocabulary_of(body: TableBody) -> tuple[str, ...]:
    """The labels that answers are, where they are a few; they belong to what is asked, as the classes of a form do."""
    if body.scorer.name not in VOCABULARY_SCORERS:
        return ()
    return labels_of([str(row.get("expected", "")) for row in body.rows])


def _plain_words(vocabulary: Sequence[str]) -> str:
    if not vocabulary:
        return "Do what the objective asks. Give the answer only."
    words = " | ".join(label.replace(":::", ": :") for label in vocabulary)
    return f"Do what the objective asks. The answer is one of: {words}. Give the answer only."


def _task(row: Row) -> SuiteTask:
    inputs = tuple(TaskInput(name=name, text=text) for name, text in row.inputs.items())
    mark = (ORIGIN_WORDS[row.origin],) if row.origin in ORIGIN_WORDS else ()
    return SuiteTask(row.id, Task(id=row.id, objective=row.objective, inputs=inputs), (*row.tags, *mark), row.expected)
