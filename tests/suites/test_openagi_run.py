"""Suite `openagi`: plans carried out by offline parts on the project's own sample, and scored."""

from __future__ import annotations

import pytest

from autoflow.errors import SettingsError
from autoflow.llm.scripted import ScriptedLLM
from autoflow.metrics.plan import gold_plan
from autoflow.study import SuiteSpec
from autoflow.suites import openagi_run
from autoflow.suites.openagi_open import open_openagi
from autoflow.suites.openagi_run import OpenAGISuite
from autoflow.suites.openagi_tasks import OpenAGITask, openagi_tasks
from autoflow.tools.openagi.values import Value
from tests.models import offline_files, offline_parts  # noqa: F401

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("offline_parts")]
TASKS = openagi_tasks()
RESTORE, LABEL, SENTIMENT = TASKS[11], TASKS[103], TASKS[116]


def suite(llm: object | None = None, **options: object) -> OpenAGISuite:
    spec = SuiteSpec(name="openagi", train=2, val=2, test=2, options={"provider": "offline", "samples": 3} | options)
    return open_openagi(spec, llm)  # type: ignore[arg-type]


async def value(task: OpenAGITask, *plan: str) -> float:
    return (await suite().score_plan(task, plan)).value


def test_tasks_are_those_whose_right_plan_can_be_carried_out() -> None:
    alone, asking = suite(), suite(ScriptedLLM([{"match": "", "reply": "word"}]))
    for task in alone.runnable:
        assert not {"Colorization", "Fill Mask", "Machine Translation"} & set(gold_plan(task.plan))
    assert {t.number for t in alone.runnable} < {t.number for t in asking.runnable}
    dealt = [task.id for split in ("train", "val", "test") for task in asking.tasks(split)]  # type: ignore[arg-type]
    assert len(dealt) == len(set(dealt)) == 6


async def test_the_right_plan_is_worth_more_than_none() -> None:
    assert await value(RESTORE, "Image Deblurring") > await value(RESTORE)
    assert await value(LABEL, "Image Super Resolution", "Image Classification") > await value(LABEL) == 0
    assert await value(SENTIMENT, "Sentiment Analysis") == pytest.approx(1.0)


async def test_pictures_have_their_distance_told_as_well() -> None:
    right, none = await suite().score_plan(RESTORE, ("Image Deblurring",)), await suite().score_plan(RESTORE, ())
    assert right.parts["psnr"] > none.parts["psnr"] + 1
    assert right.parts["ssim"] > none.parts["ssim"]
    assert (right.parts["valid"], none.parts["valid"]) == (1.0, 0.0)


async def test_the_same_plan_scores_the_same_in_another_process_or_order() -> None:
    one, other = suite(), suite()
    plans = [("Image Denoising", "Image Deblurring"), ("Image Deblurring", "Image Denoising")]
    first = [(await one.score_plan(TASKS[9], plan)).value for plan in plans]
    again = [(await other.score_plan(TASKS[9], plan)).value for plan in reversed(plans)]
    assert first == again[::-1]
    assert first[0] != first[1]


async def test_what_was_made_before_a_tool_failed_is_scored() -> None:
    cut = await suite().score_plan(RESTORE, ("Image Deblurring", "Colorization"))
    whole = await suite().score_plan(RESTORE, ("Image Deblurring",))
    assert (cut.value, cut.parts["failed"]) == (whole.value, 1.0)


async def test_what_is_not_of_the_asked_type_scores_nothing() -> None:
    assert await value(RESTORE, "Image Classification") == 0
    assert await value(LABEL, "Image Super Resolution") == 0


async def test_an_answer_is_read_as_a_plan_and_what_tools_ask_is_counted() -> None:
    there = suite(ScriptedLLM([{"match": "", "reply": "Minna"}]))
    asked = next(t for split in ("train", "val", "test") for t in there.tasks(split))  # type: ignore[arg-type]
    assert there.expected(asked)
    score = await there.score_plan(TASKS[184], ("Question Answering",))
    assert score.totals.calls == 3, "one a sample"
    read = await there.score(asked, f"First {there.expected(asked)}, then stop.")
    assert read.parts["plan"] == 1.0


async def test_memory_holds_few_tasks_and_few_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openagi_run, "TASKS_KEPT", 2)
    monkeypatch.setattr(openagi_run, "PLANS_KEPT", 3)
    there = suite()
    for task in (LABEL, SENTIMENT, RESTORE, TASKS[14], TASKS[13]):
        await there.score_plan(task, ())
    assert len(there._kept) == 2
    assert len(there._scores) == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [({"provider": "moon"}, "options"), ({"data": "/nowhere"}, "task_description"), ({"colour": 1}, "options")],
)
def test_options_that_mean_nothing(options: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        suite(**options)


@pytest.mark.parametrize(
    ("number", "plan"),
    [
        (9, ("Image Denoising", "Image Deblurring")),
        (103, ("Image Super Resolution", "Image Classification")),
        (116, ("Sentiment Analysis",)),
        (115, ("Text Summarization",)),
        (170, ("Visual Question Answering",)),
        (184, ("Fill Mask", "Question Answering")),
        (9, ("Image Deblurring", "Colorization", "Image Denoising")),
    ],
)
async def test_the_same_plan_carried_out_twice_gives_the_same_outputs_and_figures(
    number: int, plan: tuple[str, ...]
) -> None:
    llm = ScriptedLLM([{"match": "", "reply": "Minna"}])
    (one, figures), (other, again) = [await suite(llm).judge(TASKS[number], plan) for _ in range(2)]
    assert one.runs, "a tool did something"
    assert figures == again
    assert list(map(content, one.outputs)) == list(map(content, other.outputs))
    assert (one.failed, one.error) == (other.failed, other.error)


def content(value: Value) -> object:
    return value if isinstance(value, str) else value.tobytes()
