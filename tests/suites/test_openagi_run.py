"""Suite `openagi`: plans carried out by offline parts on the project's own sample, and scored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autoflow.errors import ModelError, ModelNotFound, ModelUnavailable, SettingsError
from autoflow.llm.base import Completion, Message, OnToken, Options
from autoflow.llm.scripted import ScriptedLLM
from autoflow.llm.wrappers.base import Wrapper
from autoflow.metrics.plan import gold_plan
from autoflow.settings import settings
from autoflow.study import SuiteSpec
from autoflow.suites import openagi_run
from autoflow.suites.openagi_open import open_openagi
from autoflow.suites.openagi_run import OpenAGISuite
from autoflow.suites.openagi_sample import own_samples
from autoflow.suites.openagi_tasks import OpenAGITask, openagi_tasks
from autoflow.tools.openagi import shapes
from autoflow.tools.openagi.values import Sample, Value
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


def test_a_task_whose_tool_lacks_its_weights_is_never_dealt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert any("Visual Question Answering" in gold_plan(task.plan) for task in suite().runnable)
    monkeypatch.setattr(shapes, "FILE", tmp_path / "shapes.safetensors")
    monkeypatch.setenv("AUTOFLOW_MODELS_DIR", str(tmp_path))
    settings.cache_clear()
    for task in suite().runnable:
        assert not {"Visual Question Answering", "Image Classification"} & set(gold_plan(task.plan))


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


class Failing(Wrapper):
    """A model that is gone until it comes back."""

    gone = True

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        if self.gone:
            raise ModelUnavailable("The server is gone.")
        return await self.inner.complete(messages, options, on_token)


async def test_a_model_that_is_gone_costs_no_plan_its_score_now_or_later() -> None:
    llm = Failing(ScriptedLLM([{"match": "", "reply": "Minna"}]))
    there, plan = suite(llm), ("Fill Mask", "Question Answering")
    with pytest.raises(ModelError, match="gone"):
        await there.score_plan(TASKS[184], plan)
    llm.gone = False
    score = await there.score_plan(TASKS[184], plan)
    assert score.parts["failed"] == 0
    assert score.totals.calls > 0


async def test_weights_that_cannot_be_loaded_cost_no_plan_its_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, right = suite(), shapes.FILE
    damaged = tmp_path / "shapes.safetensors"
    damaged.write_bytes(right.read_bytes()[:1000])
    shapes._network.cache_clear()
    monkeypatch.setattr(shapes, "FILE", damaged)
    with pytest.raises(ModelNotFound, match="easy-vqa network are damaged"):
        await there.score_plan(TASKS[170], ("Visual Question Answering",))
    monkeypatch.setattr(shapes, "FILE", right)
    assert (await there.score_plan(TASKS[170], ("Visual Question Answering",))).parts["failed"] == 0


async def test_the_same_plan_at_the_same_time_is_carried_out_once_and_its_spending_told_once() -> None:
    llm = ScriptedLLM([{"match": "", "reply": "Minna"}])
    there = suite(llm)
    scores = await asyncio.gather(*(there.score_plan(TASKS[184], ("Question Answering",)) for _ in range(4)))
    assert len({score.value for score in scores}) == 1
    assert [score.totals.calls for score in scores] == [3, 0, 0, 0]
    assert (await there.score_plan(TASKS[184], ("Question Answering",))).totals.calls == 0
    assert not there._working, "nothing is left of those that waited"


def test_samples_are_read_once_however_many_threads_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    there, read = suite(), []

    def slowly(task: OpenAGITask) -> list[Sample]:
        read.append(task.number)
        time.sleep(0.05)
        return own_samples(task)

    monkeypatch.setattr(there, "_samples", slowly)
    with ThreadPoolExecutor(8) as pool:
        counts = set(pool.map(lambda n: len(there.samples(TASKS[115 + n % 2])), range(16)))
    assert counts == {6}
    assert sorted(read) == [115, 116]


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
