"""The suite `travelplanner`: queries from files, splits, and runs that search the database and are scored."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoflow.errors import AutoFlowError, SettingsError
from autoflow.evaluate import LocalEvaluator, Unit
from autoflow.lang import has_errors, parse
from autoflow.llm.scripted import ScriptedLLM
from autoflow.records import Event, RunPolicy
from autoflow.study import SPLITS, Outcome, SuiteSpec
from autoflow.suites.registry import describe, open_suite, spec_of
from autoflow.suites.travelplanner import TravelPlannerSuite, open_travelplanner
from autoflow.suites.travelplanner_plan import FORM
from autoflow.suites.travelplanner_queries import read_queries
from autoflow.suites.travelplanner_score import PARTS
from autoflow.tools import open_toolbox
from autoflow.tools.travel.database import TABLES
from tests.suites.travel import LONG, SHORT, SHORT_PLAN, WISHES, query, write_database, write_queries


@pytest.fixture
def options(tmp_path: Path) -> dict[str, str]:
    root = write_database(tmp_path / "database")
    return {"data": str(root), "queries": str(write_queries(tmp_path / "queries.jsonl"))}


def spec(options: dict[str, str], **more: Any) -> SuiteSpec:
    return SuiteSpec(name="travelplanner", options=options, **{"train": 2, "val": 4, "test": 6, **more})


class TestQueries:
    def test_what_is_asked_is_read(self, tmp_path: Path) -> None:
        found = query(tmp_path, SHORT)
        assert (found.origin, found.destination, found.days, found.cities) == ("Orran", "Elmford", 3, 1)
        assert (found.people, found.budget, found.level) == (2, 2000.0, "hard")
        assert (found.house_rule, found.cuisines) == ("smoking", ("Mexican", "Indian"))
        assert (found.room_type, found.transportation) == ("not shared room", "no self-driving")
        assert found.wishes == (
            "3 days from Orran to Elmford and back, 1 city, 2 people, at most 2,000 dollars, smoking allowed, Mexican "
            "and Indian food, not shared room, no self-driving"
        )
        free = query(tmp_path, LONG)
        assert (free.house_rule, free.cuisines, free.room_type, free.transportation) == (None, (), None, None)

    def test_csv_as_python_writes_it_and_json_mean_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "validation.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, [*SHORT, "reference_information"])
            writer.writeheader()
            writer.writerow({**SHORT, "reference_information": "x" * 200_000})
        listed = tmp_path / "one.json"
        listed.write_text(json.dumps([SHORT]))
        assert read_queries(str(path)) == read_queries(str(listed)) == (query(tmp_path, SHORT),)

    def test_a_query_that_comes_twice_is_read_once(self, tmp_path: Path) -> None:
        path = write_queries(tmp_path / "twice.jsonl", SHORT, LONG, SHORT)
        assert [found.days for found in read_queries(str(path))] == [3, 5]

    @pytest.mark.parametrize(
        ("edits", "words"),
        [
            ({"days": "few"}, "Row 2 .* has `few` as `days`, which is no number from 1 to 31"),
            ({"days": 10**9}, "`1000000000` as `days`"),
            ({"people_number": 0}, "`0` as `people_number`"),
            ({"budget": "nan"}, "`nan` as `budget`"),
            ({"budget": -1}, "`-1` as `budget`"),
            ({"org": " "}, "has no `org`"),
            ({"query": None}, "has no `query`"),
            ({"local_constraint": "no flight"}, "which is no object"),
            ({"local_constraint": "[" * 4000}, "which is no object"),
            ({"local_constraint": "__import__('os').system('true')"}, "which is no object"),
            ({"local_constraint": {**WISHES, "room type": "castle"}}, "asks for `castle` as `room type`.*`entire"),
            ({"local_constraint": {**WISHES, "house rule": 3}}, "asks for `3` as `house rule`"),
            ({"local_constraint": {**WISHES, "cuisine": [1]}}, "as `cuisine`, which is no list of names"),
        ],
    )  # fmt: skip
    def test_a_row_that_breaks_the_form_is_told(self, edits: dict[str, Any], words: str, tmp_path: Path) -> None:
        path = write_queries(tmp_path / "bad.jsonl", LONG, {**SHORT, **edits})
        with pytest.raises(SettingsError) as caught:
            read_queries(str(path))
        assert str(path) in str(caught.value)
        assert re.search(words, str(caught.value))

    def test_test_queries_of_the_benchmark_are_told_apart(self, tmp_path: Path) -> None:
        path = write_queries(tmp_path / "test.jsonl", {name: SHORT[name] for name in ("query", "level", "days")})
        with pytest.raises(SettingsError, match=r"lacks the fields `org`, `dest`.*take the train or the validation"):
            read_queries(str(path))

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(sorted(SHORT)), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
    def test_whatever_a_field_holds_it_is_read_or_told(self, tmp_path: Path, name: str, value: object) -> None:
        path = write_queries(tmp_path / "any.jsonl", {**SHORT, name: value})
        told = ""
        try:
            read_queries(str(path))
        except AutoFlowError as error:
            told = error.message
        assert not told or str(path) in told


class TestOpening:
    def test_splits_share_nothing_and_each_has_both_kinds(self, options: dict[str, str]) -> None:
        suite = open_travelplanner(spec(options))
        ids = [task.id for split in SPLITS for task in suite.tasks(split)]
        assert len(set(ids)) == len(ids) == 12
        for split in SPLITS:
            assert {task.tags for task in suite.tasks(split)} == {("hard", "3 days"), ("easy", "5 days")}

    def test_the_same_spec_deals_the_same_tasks(self, options: dict[str, str]) -> None:
        one, other = (open_travelplanner(spec(options, seed=5)) for _ in range(2))
        assert [t.id for t in one.tasks("test")] == [t.id for t in other.tasks("test")]

    def test_a_run_sees_the_query_and_the_form_but_nothing_of_what_is_scored(self, options: dict[str, str]) -> None:
        suite = open_travelplanner(spec(options))
        task = suite.tasks("test")[0]
        assert task.task.objective.endswith(FORM)
        assert "not shared room" not in task.task.objective
        assert "at most" in suite.expected(task)

    def test_the_manual_workflow_and_the_plain_prompt_can_run(self, options: dict[str, str]) -> None:
        suite = open_travelplanner(spec(options))
        for text in (suite.baseline, suite.plain):
            assert not has_errors(parse(text).diagnostics)

    def test_splits_that_ask_for_too_much_share_what_there_is(self, options: dict[str, str]) -> None:
        suite = open_travelplanner(spec(options, train=8, val=12, test=24))
        assert sum(len(suite.tasks(split)) for split in SPLITS) == 12

    @pytest.mark.parametrize(
        ("edits", "words"),
        [
            ({"data": ""}, "lacks its option `data`.*data=FOLDER queries=FILE"),
            ({"queries": ""}, "lacks its option `queries`"),
            ({"data": 3}, "cannot be used"),
            ({"queries": "x" * 2000}, "cannot be used"),
            ({"split": "test"}, "cannot be used"),
            ({"data": "/no/such/folder"}, "There is no folder /no/such/folder"),
            ({"queries": "/no/such.csv"}, "There is no file `/no/such.csv`"),
        ],
    )
    def test_bad_options_are_told(self, edits: dict[str, Any], words: str, options: dict[str, str]) -> None:
        with pytest.raises(SettingsError) as caught:
            open_suite(spec({**options, **edits}))
        assert re.search(words, str(caught.value))

    def test_the_registry_knows_it(self, options: dict[str, str]) -> None:
        found = spec_of("travelplanner", 2, {"val": 3}, dict(options))
        assert (found.options, found.val) == (options, 3)
        assert isinstance(open_suite(found), TravelPlannerSuite)
        assert "TravelPlanner" in describe(found)


SEARCHES = (
    ("flight_search", {"origin": "Orran", "destination": "Elmford", "date": "2022-03-16"}),
    ("restaurant_search", {"city": "Elmford"}),
    ("accommodation_search", {"city": "Elmfort"}),  # which the model is told of
)
SCRIPT = (
    {"match": "F0000001.*", "reply": f"Here is the plan:\n```json\n{json.dumps(SHORT_PLAN)}\n```"},
    {"match": "", "tool_calls": [{"name": name, "arguments": arguments} for name, arguments in SEARCHES]},
)


async def evaluated(options: dict[str, str], text: str, *lines: Any) -> list[tuple[Outcome, Sequence[Event]]]:
    suite = open_suite(spec(options))
    found: list[tuple[Outcome, Sequence[Event]]] = []

    async def done(outcome: Outcome, events: Sequence[Event]) -> None:
        found.append((outcome, events))

    async with open_toolbox(tuple(suite.tools)) as toolbox:
        evaluator = LocalEvaluator(suite, ScriptedLLM(lines), toolbox, policy=RunPolicy(max_steps=30))
        await evaluator.map((Unit(0, text, task, split="test") for task in suite.tasks("test")), done)
    return found


class TestRunning:
    async def test_a_run_searches_the_database_and_its_plan_is_scored(self, options: dict[str, str]) -> None:
        plain = open_travelplanner(spec(options)).plain
        found = await evaluated(options, plain, {**SCRIPT[0], "match": "no city `Elmfort`"}, SCRIPT[1])
        assert len(found) == 6
        for outcome, events in found:
            assert (outcome.stop, outcome.error) == ("terminal", "")
            told = [event.data for event in events if event.kind == "tool_result"]
            assert ["F0000001 | 100" in str(data) for data in told] == [True, False, False]
            assert "Did you mean `Elmford`?" in str(told[2])
            hard = "smoking allowed" in outcome.expected  # the plan is one for the short trip
            assert (outcome.score == 1.0) == hard
            assert outcome.parts["final"] == float(hard)
            assert set(outcome.parts) == set(PARTS)
        assert {outcome.score == 1.0 for outcome, _ in found} == {True, False}

    async def test_the_manual_workflow_comes_to_a_plan(self, options: dict[str, str]) -> None:
        search = {"name": "flight_search", "arguments": dict(SEARCHES[0][1])}
        lines = (
            {"match": "Is the destination a state", "reply": "no"}, {"match": "Does the plan keep", "reply": "yes"},
            {"match": "Give the plan, in the form", "reply": json.dumps(SHORT_PLAN)},
            {"match": "Search how to travel", "tool_calls": [search]}, {"match": "", "reply": "Noted."},
        )  # fmt: skip
        found = await evaluated(options, open_travelplanner(spec(options)).baseline, *lines)
        assert {(outcome.stop, outcome.steps) for outcome, _ in found} == {("terminal", 8)}
        assert all(sum(event.kind == "tool_result" for event in events) == 1 for _, events in found)
        assert 0 < sum(outcome.parts["final"] for outcome, _ in found) < len(found)

    async def test_an_answer_without_a_plan_is_not_delivered(self, options: dict[str, str]) -> None:
        plain = open_travelplanner(spec(options)).plain
        for outcome, _ in await evaluated(options, plain, {"match": "", "reply": "I would go by train."}):
            assert (outcome.stop, outcome.score, outcome.parts["delivered"]) == ("terminal", 0.0, 0.0)

    @pytest.mark.parametrize("name", ["restaurants", "flights"])
    async def test_a_damaged_file_is_told_before_anything_is_run(self, name: str, options: dict[str, str]) -> None:
        file, columns, _ = TABLES[name]
        (Path(options["data"]) / file).write_text(f"{','.join(columns)}\n{','.join(['free'] * len(columns))}\n")
        plain = open_travelplanner(spec(options)).plain
        with pytest.raises(SettingsError, match=r"Line 2 of .* has .*(`free`|`Price`)"):
            await evaluated(options, plain, {"match": "", "reply": json.dumps(SHORT_PLAN)})
