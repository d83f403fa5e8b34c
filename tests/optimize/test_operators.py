"""Operators: whatever they make can run, changes something, and says what; questions find their words by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.evaluate import LocalEvaluator, Unit
from autoflow.lang import format_workflow, has_errors, parse
from autoflow.lang.marks import read_marks
from autoflow.llm.base import Choice
from autoflow.optimize.operators import OPERATORS
from autoflow.optimize.operators.asking import one_line
from autoflow.optimize.operators.cues import grown, in_order, likeness, mined, parts_of
from autoflow.optimize.operators.questions import Question, compiled, read_questions
from autoflow.optimize.operators.wording import UNDERSTOOD, _changed, best_about, best_of, try_out, worded
from autoflow.records import Event, RunPolicy
from autoflow.study import Outcome, StudyBudget
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.tools.toolbox import Toolbox
from tests.lang.strategies import workflows
from tests.optimize.operating import WRITTEN, Honest, operated, workshop
from tests.optimize.tiny import TinySuite

TWO = """Look:::process:::Look at the task:::next::Choose
Choose:::process:::Choose the models:::next::Sure
Sure:::decision:::Is it sure?:::yes::End::no::Choose
End:::terminal:::Answer:::
"""


@pytest.mark.parametrize("name", list(OPERATORS))
@settings(max_examples=25, deadline=None)
@given(workflow=workflows(), seed=st.integers(0, 99))
def test_whatever_comes_of_an_operator_can_run_and_is_not_what_was_there(
    name: str, workflow: object, seed: int
) -> None:
    text = format_workflow(workflow)  # type: ignore[arg-type]
    if name == "ask for each part":
        text = WRITTEN  # it does not look at the parent: once is enough
    edit = asyncio.run(operated(name, workshop(text, Honest(), TinySuite()), seed))
    if edit is not None:
        assert not has_errors(parse(edit.text).diagnostics), edit.text
        assert edit.text != text


@pytest.mark.parametrize(
    "name", ["rewrite", "reword a step", "change what a step sees", "split a step", "ask before a step", "drop a step",
             "show an example", "start anew", "swap two steps", "reason or not"],
)  # fmt: skip
async def test_operator_finds_something_to_do_with_an_ordinary_workflow(name: str) -> None:
    edits = [await operated(name, workshop(TWO, Honest()), seed) for seed in range(6)]
    assert any(edits)
    assert all(edit.text != TWO for edit in edits if edit)


async def test_two_steps_change_places_with_their_instructions() -> None:
    edit = await operated("swap two steps", workshop(TWO, Honest()))
    assert edit is not None
    steps = parse(edit.text).workflow.steps
    assert [s.instruction for s in steps[:2]] == ["Choose the models", "Look at the task"]
    assert [s.name for s in steps] == ["Look", "Choose", "Sure", "End"]


async def test_question_before_a_step_lets_it_be_passed_by() -> None:
    edit = await operated("ask before a step", workshop(TWO, Honest()), seed=1)
    assert edit is not None
    decision = next(s for s in parse(edit.text).workflow.steps if s.name.startswith("Need of"))
    text, marks = read_marks(decision.instruction)
    assert (text, marks.sees, marks.reason) == ("something about question", frozenset({"task"}), False)
    passed = decision.name.removeprefix("Need of ")
    after = {"Look": "Choose", "Choose": "Sure"}[passed]
    assert [(b.key, b.target) for b in decision.branches] == [("yes", passed), ("no", after)]


async def test_a_questions_workflow_solves_all_plans_where_questions_are_answered_honestly() -> None:
    suite, model = OpenAGIPlanSuite(seed=3, sizes={"train": 40, "val": 60, "test": 0}), Honest()
    edit = await operated("ask for each part", workshop(suite.plain, model, suite))
    assert edit is not None
    assert edit.from_scratch
    assert "100% right" in edit.note
    found = await _scored(edit.text, suite, model)
    assert sum(o.score for o in found) / len(found) > 0.9
    assert all(o.stop == "terminal" for o in found)


async def test_the_weakest_question_is_reworded_until_it_is_right() -> None:
    suite = OpenAGIPlanSuite()
    asked = [
        Question("Image Denoising", "Does the task say banana?"),
        Question("Colorization", "Does the task say grayscale?"),
    ]
    shop = workshop(compiled(asked, "Repeat the lines above."), Honest(), suite)
    edit = await operated("reword a question", shop)
    assert edit is not None
    read = read_questions(parse(edit.text).workflow, suite.vocabulary)
    assert read is not None
    first, second = (q.words for q in read[0])
    assert "noisy" in first
    assert second == "Does the task say grayscale?"
    assert "100% right" in edit.note


async def test_another_wording_is_taken_where_the_first_is_not_understood() -> None:
    suite = OpenAGIPlanSuite()
    shop = workshop(suite.plain, Honest(deaf_to="say noisy"), suite)
    edit = await operated("ask for each part", shop)
    assert edit is not None
    read = read_questions(parse(edit.text).workflow, suite.vocabulary)
    assert read is not None
    words = {q.part: q.words for q in read[0]}
    assert words["Image Denoising"] == "Does the task mention noisy?"
    assert words["Image Deblurring"] == "Does the task say blurry?"


async def test_a_part_that_no_train_task_needs_is_asked_for_by_what_a_model_thinks_of() -> None:
    suite = OpenAGIPlanSuite()
    known = ["Image Denoising", "Colorization"]
    shop = workshop(compiled([Question(p, f"Does the task say {p}?") for p in known], "Repeat."), Honest(), suite)
    edits = [await operated("ask for one more part", shop, seed) for seed in range(4)]
    for edit in filter(None, edits):
        read = read_questions(parse(edit.text).workflow, suite.vocabulary)
        assert read is not None
        parts = [q.part for q in read[0]]
        assert len(parts) == 3
        assert set(known) < set(parts)
    assert any(edits)


async def test_trying_out_is_counted_as_what_proposing_took() -> None:
    model = Honest()
    shop = workshop(OpenAGIPlanSuite.plain, model)
    await operated("ask for each part", shop)
    assert shop.take().calls == model.calls > 0


def test_cues_tell_tasks_apart_and_likeness_breaks_ties() -> None:
    needs = {
        "Given a noisy picture, return it": True, "Given a noisy blurry picture, return it": True,
        "Given a blurry picture, return it": False, "Given a picture, return it": False,
    }  # fmt: skip
    found = mined("Image Denoising", needs)
    assert (found[0].words, found[0].f1) == ("noisy", 1.0)
    given_a = next(cue for cue in mined("X", {"Given a dog": True, "Given a cat": False}, 9) if "dog" in cue.words)
    assert given_a.f1 == 1.0
    assert likeness("noisy", "Image Denoising") > likeness("grayscale", "Image Denoising")
    tied = {"the sentiment of a text": True, "the picture of it": False}
    assert mined("Sentiment Analysis", tied)[0].words == "sentiment"


def test_parts_stand_in_the_order_of_right_answers() -> None:
    lists = [("a", "b", "d"), ("b", "c"), ("a", "d"), ("c", "d")]
    assert in_order("dcba", lists, "abcd") == ["a", "b", "c", "d"]
    assert in_order(["d", "b"], lists, "abcd") == ["b", "d"]


def test_parts_of_a_right_answer() -> None:
    suite = OpenAGIPlanSuite()
    for task in suite.tasks("train"):
        assert ", ".join(parts_of(suite, task)) == suite.expected(task)


_parts = st.lists(st.sampled_from(OpenAGIPlanSuite.vocabulary), min_size=1, max_size=8, unique=True)


@settings(deadline=None)
@given(parts=_parts, ending=st.sampled_from(["Repeat the lines above.", "Say it again"]))
def test_questions_are_read_back_from_the_text(parts: list[str], ending: str) -> None:
    asked = tuple(Question(part, f"Does it say x{n}?", "Yes", "No") for n, part in enumerate(parts))
    text = compiled(asked, ending)
    assert not has_errors(parse(text).diagnostics)
    assert read_questions(parse(text).workflow, OpenAGIPlanSuite.vocabulary) == (asked, ending)
    assert read_questions(parse(TWO).workflow, OpenAGIPlanSuite.vocabulary) is None


@settings(deadline=None)
@given(parts=_parts)
def test_two_questions_about_a_part_are_read_back_too(parts: list[str]) -> None:
    asked = tuple(
        Question(part, "Does it say x?", "Yes", "No", also=Question(part, "Does it mention x?") if n % 2 else None)
        for n, part in enumerate(parts)
    )
    text = compiled(asked, "Repeat the list.")
    assert not has_errors(parse(text).diagnostics)
    assert read_questions(parse(text).workflow, OpenAGIPlanSuite.vocabulary) == (asked, "Repeat the list.")


class Hasty(Honest):
    """Says yes too often: to `say` where a caption is asked for, to `mention` where a label is; no to all else."""

    def _said(self, prompt: str, constraint: object) -> str:
        task, _, question = prompt.partition("\n\n")
        if isinstance(constraint, Choice):
            tells = next(
                (word for verb, word in (("say noisy", "caption"), ("mention noisy", "label")) if verb in question), ""
            )
            return constraint.choices[0 if tells and ("noisy" in task or tells in task) else 1]
        return super()._said(prompt, constraint)  # type: ignore[arg-type]


async def test_two_that_say_yes_too_often_are_right_together() -> None:
    shop = workshop(OpenAGIPlanSuite.plain, Hasty())
    whole = shop.allowance(1)
    tried = await best_of(shop, "Image Denoising", worded("Image Denoising", ["noisy"]), whole)
    assert tried.question.also is not None
    assert {q.words.split()[3] for q in (tried.question, tried.question.also)} == {"say", "mention"}
    assert tried.right == 1
    assert (await try_out(shop, tried.question)).right == 1, "asked one after the other as they will be in a run"
    one = await best_of(shop, "Image Denoising", worded("Image Denoising", ["noisy"])[:1], whole)
    assert one.right < 1


class Slips(Honest):
    """Wrong about some of the tasks where it is asked for `noisy`, and never where it is asked for `Given`."""

    def __init__(self, share: int) -> None:
        super().__init__()
        self._share = share

    def _said(self, prompt: str, constraint: object) -> str:
        task, _, question = prompt.partition("\n\n")
        if isinstance(constraint, Choice):
            word = "noisy" if "noisy" in question else "Given"
            slips = word == "noisy" and sum(map(ord, task)) % self._share == 0
            return constraint.choices[0 if (word in task) != slips else 1]
        return super()._said(prompt, constraint)  # type: ignore[arg-type]


async def test_words_that_are_easy_to_see_do_not_win_over_words_that_tell_of_the_part() -> None:
    shop = workshop(OpenAGIPlanSuite.plain, Slips(12))
    tried = await best_about(shop, "Image Denoising", ["noisy", "Given"], shop.allowance(1))
    assert UNDERSTOOD <= tried.right < 1
    assert tried.question.cue == "noisy"


async def test_words_that_are_not_understood_make_room_for_the_next() -> None:
    shop = workshop(OpenAGIPlanSuite.plain, Slips(2))
    tried = await best_about(shop, "Image Denoising", ["noisy", "Given"], shop.allowance(1))
    assert tried.question.cue == "Given"


async def test_trying_wordings_leaves_half_of_a_small_budget_for_what_is_found() -> None:
    whole, half = Honest(deaf_to="the task"), Honest(deaf_to="the task")  # no wording is any good: all are tried
    assert await operated("ask for each part", workshop(OpenAGIPlanSuite.plain, whole)) is not None
    shop = workshop(OpenAGIPlanSuite.plain, half, budget=StudyBudget(max_calls=1_000))
    edit = await operated("ask for each part", shop)
    assert edit is not None
    assert not has_errors(parse(edit.text).diagnostics)
    texts = 3 * (len(shop.suite.tasks("train")) + len(shop.suite.tasks("val")))
    assert whole.calls > 1_000
    assert half.calls < 500 + texts + 50, "what was begun is finished, and the ending is tried"


async def test_labels_that_no_step_can_bear_are_not_asked_for() -> None:
    suite = TinySuite()
    suite.vocabulary = ("a ::: b", "Answer")  # type: ignore[misc]
    suite.expected = lambda task: "a ::: b, Answer"  # type: ignore[method-assign]
    model = Honest()
    assert await operated("ask for each part", workshop(suite.plain, model, suite)) is None
    assert model.calls == 0


@given(st.text())
def test_words_of_a_model_stay_inside_an_instruction(text: str) -> None:
    line = one_line(text)
    assert ":::" not in line
    assert "\n" not in line
    assert len(line) <= 400


async def _scored(text: str, suite: OpenAGIPlanSuite, model: Honest) -> list[Outcome]:
    found: list[Outcome] = []

    async def done(outcome: Outcome, events: Sequence[Event]) -> None:
        found.append(outcome)

    units = (Unit(0, text, task, 0, "val") for task in suite.tasks("val"))
    await LocalEvaluator(suite, model, Toolbox(), policy=RunPolicy(max_steps=80)).map(units, done)
    return found


async def test_a_part_is_missed_where_its_words_stand_in_tasks_that_went_wrong() -> None:
    suite = OpenAGIPlanSuite(seed=0)
    known = sorted({part for t in suite.tasks("train") for part in parts_of(suite, t)})
    assert "Object Detection" not in known, "train tasks of this seed say nothing of it"
    model = Honest()
    first = await operated("ask for each part", workshop(suite.plain, model, suite))
    assert first is not None
    shop = workshop(first.text, model, suite)
    for outcome in await _scored(first.text, suite, model):
        shop.view.add((), [outcome])
    edit = await operated("ask for one more part", shop)
    assert edit is not None
    assert (edit.parent, edit.note) == (0, "Asks for Object Detection as well, by the words: object names.")
    before, after = shop.view.score(0, "val"), await _scored(edit.text, suite, model)
    assert before is not None
    assert sum(o.score for o in after) / len(after) > before
    assert "Ask Object Detection" in edit.text


def test_a_cue_grows_by_neighbours_that_stand_nowhere_else() -> None:
    texts = ["return the class label in German", "the class label in it", "the names in German"]
    assert grown("label", texts) == "class label"
    assert grown("class", texts) == "class label"
    assert grown("German", texts) == "German", "`in` stands elsewhere too"


def test_tasks_are_changed_so_that_what_is_right_is_known() -> None:
    shop = workshop(OpenAGIPlanSuite.plain, Honest())
    found = _changed(shop, "noisy")
    said = [(task.task.objective, needed) for task, needed in found]
    assert {needed for _, needed in said} == {True, False}
    assert all(("noisy" in objective) == needed for objective, needed in said)
    assert all(task.expected is None for task, _ in found), "nobody knows their plans"
    assert found == _changed(shop, "noisy"), "the same again after a crash"
