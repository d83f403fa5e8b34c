"""Suite `table`: rows dealt once, scored as a person chose, marked where a model proposed them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import ModelReplyError, SettingsError
from autoflow.generate.examples import Example
from autoflow.lang import parse
from autoflow.llm.scripted import ScriptedLLM
from autoflow.study import SavedSuite
from autoflow.suites.base import SPLITS, in_words
from autoflow.suites.table import TableSuite, vocabulary_of
from autoflow.suites.table_body import (
    corrected_row,
    proposed_parts,
    proposed_row,
    proposed_words,
    read_body,
    row_of,
    suite_body,
)
from autoflow.suites.table_rows import Row, preview_rows
from tests.generate.fakes import Teller
from tests.suites.tables import numbered, saved, spec

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda t: t.strip() == t)
rows = st.lists(
    st.builds(
        Row,
        objective=texts,
        inputs=st.dictionaries(texts, texts, max_size=3),
        expected=texts,
        tags=st.lists(texts, max_size=2).map(tuple),
        origin=st.sampled_from(["person", "model", "edited"]),
        row=st.integers(0, 10**6),
    ),
    min_size=1, max_size=30, unique_by=lambda row: row.row,
)  # fmt: skip


@settings(deadline=None)
@given(rows)
def test_rows_come_back_from_a_body_as_they_were(given_rows: list[Row]) -> None:
    told = json.loads(json.dumps(suite_body(given_rows, "contains", {"whole_words": False})))
    body = read_body(told)
    assert [row_of(row) for row in body.rows] == given_rows
    assert (body.scorer.name, body.scorer.options) == ("contains", {"whole_words": False})


@settings(deadline=None)
@given(rows, st.integers(0, 10**6), st.data())
def test_every_row_is_in_one_split_at_most(given_rows: list[Row], seed: int, data: st.DataObject) -> None:
    sizes = {}
    left = len(given_rows)
    for split in SPLITS:
        sizes[split] = data.draw(st.integers(0, left))
        left -= sizes[split]
    suite = TableSuite(saved(given_rows), spec(**sizes, seed=seed))
    tasks = {split: suite.tasks(split) for split in SPLITS}
    assert {split: len(found) for split, found in tasks.items()} == sizes
    dealt = Counter(task.id for found in tasks.values() for task in found)
    assert set(dealt.values()) <= {1}
    assert set(dealt) <= {row.id for row in given_rows}
    again = TableSuite(saved(given_rows), spec(**sizes, seed=seed))
    assert tasks == {split: again.tasks(split) for split in SPLITS}


@settings(deadline=None)
@given(rows)
def test_a_task_holds_what_its_row_gives_and_not_what_it_expects(given_rows: list[Row]) -> None:
    suite = TableSuite(saved(given_rows), spec(len(given_rows), 0, 0))
    by_id = {row.id: row for row in given_rows}
    for task in suite.tasks("train"):
        row = by_id[task.id]
        assert task.task.objective == row.objective
        assert {i.name: i.text for i in task.task.inputs} == dict(row.inputs)
        assert suite.expected(task) == row.expected
        assert task.task.model_dump().get("expected") is None


def test_what_a_model_proposed_is_marked_in_every_task() -> None:
    mixed = [*numbered(2), *(Row(f"q{n}", expected="x", origin="model", row=90 + n) for n in range(2))]
    suite = TableSuite(saved(mixed), spec(4, 0, 0))
    marked = {task.task.objective for task in suite.tasks("train") if "proposed by a model" in task.tags}
    assert marked == {"q0", "q1"}
    assert {in_words(task) for task in suite.tasks("train")} == {
        "What is 0 + 1?", "What is 1 + 1?", "(proposed by a model) q0", "(proposed by a model) q1",
    }  # fmt: skip
    body = suite_body(mixed, "judge", rubric="model")
    assert proposed_words(read_body(body)) == "2 of 4 proposed by a model; rubric proposed by a model"
    assert proposed_parts(read_body(body)) == ("2 of 4 tasks", "the rubric")
    changed = suite_body([Row("a", expected="b", origin="edited", row=1)], "judge", rubric="edited")
    assert proposed_parts(read_body(changed)) == (
        "1 of 1 tasks (changed by a person)", "the rubric (changed by a person)",
    )  # fmt: skip
    assert proposed_words(read_body(suite_body(numbered(2), "judge"))) == ""
    assert proposed_parts(read_body(suite_body(numbered(2), "judge"))) == ()


def test_rows_that_share_an_objective_are_told_by_their_inputs() -> None:
    one = Row("Sort it.", {"mail": "Hello", "empty": " "}, "x", ("urgent",), "edited", 2)
    [task] = TableSuite(saved([one]), spec(1, 0, 0)).tasks("train")
    assert in_words(task) == "(proposed by a model, changed by a person) mail: Hello · Sort it."


def test_the_mark_says_what_a_person_did_with_a_proposal() -> None:
    was = proposed_row("Sort it", Example(inputs={"mail": "hi ", "date": ""}, expected="a"))
    assert (was.inputs, was.origin) == ({"mail": "hi "}, "model")
    kept = corrected_row("Sort it", 1, {"mail": "hi "}, " a", was)
    changed = corrected_row("Sort it", 2, {"mail": "hi "}, "b", was)
    again = corrected_row("Sort it", 2, {"mail": "hi "}, "a", changed)
    own = corrected_row("Sort it", 3, {"mail": "yo"}, "b", None)
    assert (kept.origin, changed.origin, again.origin, own.origin) == ("model", "edited", "edited", "person")
    assert corrected_row("Sort it", 3, {"mail": "no"}, "b", own).origin == "person"
    assert corrected_row("Sort it", 4, {"mail": " "}, "", None).objective == ""


def test_labels_become_the_vocabulary_and_the_plain_prompt_names_them() -> None:
    rows = [Row(f"m{n}", expected=("spam", "ham")[n % 2], row=n) for n in range(8)]
    suite = TableSuite(saved(rows), spec(2, 2, 2))
    assert suite.vocabulary == ("ham", "spam")
    assert "ham | spam" in suite.plain
    assert {suite.expected(task) for task in suite.tasks("val")} == {"ham", "spam"}  # each split has both


@pytest.mark.parametrize("label", [":", ":::", "a:::next::b", "x:", "::::::", "Step 1:::terminal:::x"])
def test_no_label_breaks_the_plain_prompt(label: str) -> None:
    rows = [Row(f"m{n}", expected=(label, "other")[n % 2], row=n) for n in range(8)]
    suite = TableSuite(saved(rows, "contains"), spec(2, 2, 2))
    read = parse(suite.plain)
    assert read.ok
    assert len(read.workflow.steps) == 1


def test_answers_that_are_no_labels_are_no_vocabulary() -> None:
    assert vocabulary_of(read_body(saved(numbered(40)).body)) == ()
    assert vocabulary_of(read_body(saved([Row("a", expected="x", row=1)], "judge").body)) == ()


async def scored(scorer: str, answer: str, options: dict[str, Any] | None = None, judge: Any = None) -> Any:
    one = Row("Sort the mail.", {"mail": "Where is my parcel?"}, "delivery", row=2)
    suite = TableSuite(saved([one], scorer, options), spec(1, 0, 0), judge=judge)
    [task] = suite.tasks("train")
    return await suite.score(task, answer)


async def test_answers_are_scored_by_the_scorer_that_was_chosen() -> None:
    assert (await scored("exact", "Delivery.")).value == 1
    assert (await scored("exact", "Delivery.", {"ignore_punctuation": False})).value == 0
    assert (await scored("contains", "It is about delivery, I think")).value == 1
    assert (await scored("regex", "42", {"pattern": r"^\d+$"})).value == 1


async def test_a_judge_sees_the_inputs_and_its_calls_are_told_apart() -> None:
    judge = Teller('{"reason": "so", "grade": 4}')
    found = await scored("judge", "refund", {"rubric": "Is the department right?"}, judge)
    assert (found.value, found.totals.calls) == (0.75, 1)
    [(messages, _)] = judge.asked
    told = "\n".join(message.content for message in messages)
    assert all(part in told for part in ("Sort the mail.", "Where is my parcel?", "Is the department right?"))


async def test_a_judge_that_answers_prose_is_an_error_and_no_bad_grade() -> None:
    judge = ScriptedLLM([{"match": "", "reply": "Well, it depends on what one calls good."}])
    with pytest.raises(ModelReplyError, match="gave no grade from 1 to 5, asked twice"):
        await scored("judge", "refund", None, judge)


async def test_without_a_judge_a_suite_can_be_looked_at_but_not_scored() -> None:
    with pytest.raises(SettingsError, match="needs a model that judges"):
        await scored("judge", "refund")


async def test_a_person_rates_later() -> None:
    found = await scored("person", "refund")
    assert found.pending
    assert found.expected == "delivery"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "cannot be read: rows"),
        ({"form": 1, "rows": "x", "scorer": {"name": "exact"}}, "cannot be read: rows"),
        ({"form": 9, "rows": [], "scorer": {"name": "exact"}}, "cannot be read: form"),
        ({"form": 1, "rows": [{}], "scorer": {"name": "nope"}}, "no scorer `nope`"),
        ({"form": 1, "rows": [{}], "scorer": {"name": "exact", "options": {"x": 1}}}, "no option `x`"),
        ({"form": 1, "rows": [{"inputs": {"a": 1}}], "scorer": {"name": "exact"}}, "row of the saved suite"),
        ({"form": 1, "rows": [{"objective": "x", "tags": 5}], "scorer": {"name": "exact"}}, "row of the saved suite"),
    ],
)
def test_a_body_of_another_form_is_told(body: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        TableSuite(SavedSuite(id="su_000000000000", name="x", body=body), spec(1, 0, 0))


@pytest.mark.parametrize(
    ("bad", "scorer", "words"),
    [
        ([], "exact", "at least one row"),
        ([Row("a", row=3)], "exact", "Row 3 cannot be scored: There is no expected answer"),
        ([Row("a", expected="two", row=4)], "numeric", "Row 4 cannot be scored.*holds no number"),
        ([Row("a", expected="x"), Row("a", expected="y")], "exact", "same number and ask the same"),
    ],
)
def test_what_cannot_be_scored_is_not_saved(bad: list[Row], scorer: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        suite_body(bad, scorer)


def test_examples_that_ask_the_same_are_used_once() -> None:
    twice = [Row("Sort", {"mail": "hi"}, "a", row=1), Row("Sort", {"mail": " hi "}, "a", row=2)]
    seen = preview_rows(twice, "exact")
    assert [row.row for row in seen.rows] == [1]
    assert seen.sentences() == ["Left out: row 2 asks the same as an earlier row."]
