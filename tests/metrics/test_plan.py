"""The plan score: worked examples by hand, and what must hold for all 185 tasks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.metrics.plan import PlanTask, gold_plan, read_plan, score_plan
from autoflow.suites.openagi_tasks import openagi_tasks
from autoflow.tools.openagi.table import TOOLS

ALL = ("grayscale", "blurry", "noisy", "low-resolutioned")
RESTORATIONS = ("Image Super Resolution", "Image Denoising", "Image Deblurring", "Colorization")
CAPTION = PlanTask(("grayscale", "blurry", "noisy"), (), "caption", german=True)
tasks = st.sampled_from(openagi_tasks()).map(lambda task: task.plan)
names = st.sampled_from([tool.name for tool in TOOLS])


@pytest.mark.parametrize(
    ("plan", "score"),
    [
        (["Image Denoising", "Image Deblurring", "Colorization", "Image Captioning", "Machine Translation"], 1.0),
        (["Image Denoising", "Image Deblurring", "Colorization", "Image Captioning"], 4 / 5),  # not in German
        (["Image Captioning", "Machine Translation"], 2 / 5),  # nothing was restored
        (["Image Deblurring", "Image Denoising", "Colorization", "Image Captioning", "Machine Translation"],
         (5 - 0.5 / 3) / 5),  # one of three pairs in the wrong order
        (["Colorization", "Image Deblurring", "Image Denoising", "Image Captioning", "Machine Translation"],
         4.5 / 5),  # all of them
        (["Image Super Resolution", *gold_plan(CAPTION)], 4.5 / 5),  # there was nothing to enlarge
        ([*gold_plan(CAPTION), "Machine Translation"], 4.5 / 5),
        ([*gold_plan(CAPTION), "Colorization"], 4.5 / 5),  # no image is left
        ([*gold_plan(CAPTION), "Sentiment Analysis"], 3 / 5),  # harm, and what comes of it is not in German
        (["Object Detection", "Image Captioning"], 0.0),
        (["Machine Translation", *gold_plan(CAPTION)], 0.0),  # there is no text yet: nothing after it runs
        ([tool.name for tool in TOOLS], 0.0),
        ([], 0.0),
    ],
)  # fmt: skip
def test_a_caption_in_german_of_an_image_with_three_degradations(plan: list[str], score: float) -> None:
    assert score_plan(CAPTION, plan).score == pytest.approx(score)


@pytest.mark.parametrize(
    ("task", "plan", "score"),
    [
        (PlanTask(None, (False,), "sentiment"), ["Sentiment Analysis", "Machine Translation"], 0.0),  # English asked
        (PlanTask(None, (True,), "translation", True), ["Fill Mask", "Machine Translation"], 1.0),
        (PlanTask(None, (True,), "translation", True), ["Machine Translation"], 2 / 3),
        (PlanTask(None, (False,), "sentiment", True), ["Machine Translation", "Sentiment Analysis"], 0.25),
        (PlanTask(None, (True, True), "answer"), ["Fill Mask", "Fill Mask", "Question Answering"], 1.0),
        (PlanTask(None, (True, True), "answer"), ["Fill Mask", "Question Answering", "Fill Mask"], 1.5 / 3),
        (PlanTask(("noisy",), (False,), "answer"), ["Question Answering"], 0.0),  # one text is not two
        (PlanTask(("noisy",), (), "regular image"), ["Image Denoising"], 1.0),
        (PlanTask(("noisy",), (), "regular image"), ["Colorization"], 0.25),
        (PlanTask(None, (False,), "generated image"), ["Text to Image Generation", "Image Denoising"], 0.5),
    ],
)
def test_other_tasks(task: PlanTask, plan: list[str], score: float) -> None:
    assert score_plan(task, plan).score == pytest.approx(score)


@given(tasks)
def test_gold_scores_one_and_nothing_scores_nothing(task: PlanTask) -> None:
    found = score_plan(task, gold_plan(task))
    assert (found.score, found.valid, found.exact, found.overlap) == (1.0, True, True, 1.0)
    assert score_plan(task, ()).score == 0.0
    assert not score_plan(task, ()).valid


@settings(max_examples=500)
@given(tasks, names, st.data())
def test_any_tool_too_many_lowers_the_score(task: PlanTask, name: str, data: st.DataObject) -> None:
    plan = list(gold_plan(task))
    plan.insert(data.draw(st.integers(0, len(plan))), name)
    assert score_plan(task, plan).score < 1.0


@given(tasks, st.data())
def test_any_tool_too_few_lowers_the_score(task: PlanTask, data: st.DataObject) -> None:
    plan = list(gold_plan(task))
    plan.pop(data.draw(st.integers(0, len(plan) - 1)))
    assert score_plan(task, plan).score < 1.0


@given(tasks, st.data())
def test_any_wrong_order_lowers_the_score(task: PlanTask, data: st.DataObject) -> None:
    """Only whether a mask is filled before or after a restoration makes no difference."""
    gold = gold_plan(task)
    plan = data.draw(st.permutations(gold))

    def without_masks(of: Sequence[str]) -> list[str]:
        last = max((n for n, name in enumerate(of) if name == "Fill Mask"), default=-1)
        tool = next((n for n, name in enumerate(of) if name == task.tool), len(of))
        return [name for name in of if name != "Fill Mask"] if last < tool else list(of)

    same = without_masks(plan) == without_masks(gold)
    assert (score_plan(task, plan).score == 1.0) == same


def test_words_that_are_missing_when_a_text_is_translated_stay_missing() -> None:
    task = PlanTask(image=None, texts=(True,), output="translation", german=True)
    assert score_plan(task, ["Fill Mask", "Machine Translation"]).score == 1.0
    late = score_plan(task, ["Machine Translation", "Fill Mask"])
    assert (late.achieved, late.superfluous, late.score) == (2, 1, 0.5)


@given(tasks, st.lists(names, max_size=12))
def test_every_plan_has_a_score_and_valid_ones_chain(task: PlanTask, plan: list[str]) -> None:
    found = score_plan(task, plan)
    assert 0 <= found.score <= 1
    assert found.harmed + found.superfluous <= len(plan)


def test_four_restorations_for_every_task_score_a_third() -> None:
    scores = [score_plan(task.plan, RESTORATIONS).score for task in openagi_tasks()]
    assert sum(scores) / len(scores) == pytest.approx(0.297, abs=0.0005)


def test_all_tools_at_once_score_nothing_anywhere() -> None:
    assert {score_plan(task.plan, [tool.name for tool in TOOLS]).score for task in openagi_tasks()} == {0.0}


@pytest.mark.parametrize(
    ("answer", "plan"),
    [
        ("", ()),
        ("I would repair the picture.", ()),
        ("image denoising, then COLORIZATION", ("Image Denoising", "Colorization")),
        ("Visual Question Answering", ("Visual Question Answering",)),
        ("Question Answering after Visual  Question\nAnswering", ("Question Answering", "Visual Question Answering")),
        ("Text-to-Image Generation; Text Generation", ("Text to Image Generation", "Text Generation")),
        ("Image Super-Resolution, Image Super Resolution", ("Image Super Resolution",) * 2),
        ("Fill Masks, Recolorization", ()),  # parts of other words
        ("`Machine Translation (English to German)`.", ("Machine Translation",)),
    ],
)
def test_a_plan_is_what_an_answer_names(answer: str, plan: tuple[str, ...]) -> None:
    assert read_plan(answer) == plan
