"""Suite `travelplanner`: trips planned by searching a database, scored by the constraints that the plans keep.

The benchmark is TravelPlanner (arXiv 2402.01622) in its two-stage mode: a run is given the query and six search tools,
and answers with a plan. Database and queries are the user's; see `autoflow.tools.travel.database` and
`autoflow.suites.travelplanner_queries` for their layout. Two things differ from the benchmark: the objective says the
form of the answer, where the benchmark has another model put plans into that form; and its other mode, in which a run
is given all information beforehand, is left out, as it needs no workflow.

Options, both needed:

data     the folder of the database
queries  the file of the queries
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError

from autoflow.errors import SettingsError
from autoflow.metrics.base import Score
from autoflow.records import Json, Record, Task, broken_rule
from autoflow.study import Split, SuiteSpec
from autoflow.suites.base import Sizes, SuiteTask, plain_prompt, split_tasks
from autoflow.suites.sizes import fit_sizes
from autoflow.suites.travelplanner_plan import FORM
from autoflow.suites.travelplanner_queries import Query, read_queries
from autoflow.suites.travelplanner_score import score_answer
from autoflow.tools.base import Tool
from autoflow.tools.travel.database import TravelDatabase, open_database
from autoflow.tools.travel.search import travel_tools

MANUAL = Path(__file__).resolve().parents[2] / "assets" / "workflows" / "travelplanner.core"
_LONGEST = 1_000  # characters of a path


class TravelPlannerOptions(Record):
    """See the module."""

    data: str = Field(min_length=1, max_length=_LONGEST)
    queries: str = Field(min_length=1, max_length=_LONGEST)


class TravelPlannerSuite:
    """Plans for the queries of a file.

    Args:
        queries: at least two.
        sizes: of the splits, which are stratified by level and days; where there are fewer queries, about the same
            shares of them.
    Raises SettingsError: too few queries.
    """

    name = "travelplanner"
    vocabulary: Sequence[str] = ()
    plain = plain_prompt(
        "Find out with the tools what there is, then plan the trip. Give the plan only, in the form that the objective "
        "asks for."
    )

    def __init__(self, database: TravelDatabase, queries: Sequence[Query], *, sizes: Sizes, seed: int = 0) -> None:
        self._database = database
        self.count = len(queries)
        tasks = [_suite_task(query) for query in queries]
        self._splits = split_tasks(tasks, fit_sizes(len(tasks), sizes), seed, stratum=lambda task: task.tags)

    @property
    def baseline(self) -> str:
        return MANUAL.read_text("utf-8")

    @property
    def tools(self) -> Sequence[Tool]:
        return travel_tools(self._database)

    def tasks(self, split: Split) -> Sequence[SuiteTask]:
        return self._splits[split]

    def expected(self, task: SuiteTask) -> str:
        """There is no one right plan: what is asked of it."""
        assert isinstance(task.expected, Query)
        return task.expected.wishes

    async def score(self, task: SuiteTask, answer: str) -> Score:
        """See `travelplanner_score`. Raises SettingsError: a file of the database is damaged."""
        assert isinstance(task.expected, Query)
        return await asyncio.to_thread(score_answer, task.expected, answer, self._database)


def open_travelplanner(spec: SuiteSpec) -> TravelPlannerSuite:
    """The suite. The rows of the database are read when they are first asked for.

    Raises SettingsError: an option is missing or means nothing, folder or file cannot be used, too few queries.
    """
    options = read_options(spec.options)
    queries = read_queries(str(Path(options.queries).expanduser()))
    return TravelPlannerSuite(open_database(options.data), queries, sizes=spec.sizes, seed=spec.seed)


def read_options(options: Json) -> TravelPlannerOptions:
    """Raises SettingsError."""
    hint = "Name your copy of the benchmark: data=FOLDER queries=FILE."
    for name in ("data", "queries"):
        if not options.get(name):
            raise SettingsError(f"The suite travelplanner lacks its option `{name}`.", hint)
    try:
        return TravelPlannerOptions.model_validate(options)
    except ValidationError as error:
        raise SettingsError(
            f"The options of the suite travelplanner cannot be used: {broken_rule(error)}", hint
        ) from error


def _suite_task(query: Query) -> SuiteTask:
    tags = tuple(filter(None, (query.level, f"{query.days} days")))
    return SuiteTask(query.id, Task(id=query.id, objective=f"{query.text}\n\n{FORM}"), tags, query)
