"""Many runs at a time: none lost or doubled, failures score 0 with their reason, nothing is collected."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from autoflow import prompts
from autoflow.errors import ModelReplyError, ModelUnavailable
from autoflow.evaluate import SEEDS_A_REPEAT, TEXTS, LocalEvaluator, Unit
from autoflow.lang import parse
from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options
from autoflow.records import Event, RunPolicy
from autoflow.study import Outcome
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.tools.toolbox import Toolbox

PLAIN = "Answer:::terminal:::Name the models in order.:::\n"
suite = OpenAGIPlanSuite(sizes={"train": 4, "val": 40, "test": 0})


class Answers:
    """Answers everything alike, and sees how many ask at a time."""

    name = "answers"

    def __init__(
        self, text: str = "Image Denoising", *, places: int = 4, fails: Exception | None = None, only: str = ""
    ) -> None:
        """`fails`: raised at every call, or at those alone whose label holds `only`."""
        self.capabilities = Capabilities(concurrency=places)
        self.text, self.fails, self.only = text, fails, only
        self.busy = self.most = 0
        self.options: list[Options] = []

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.options.append(options)
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0.001)
        self.busy -= 1
        if self.fails and self.only in options.label:
            raise self.fails
        return Completion(self.text)

    async def aclose(self) -> None:
        return


class Kept:
    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.events = 0

    async def __call__(self, outcome: Outcome, events: Sequence[Event]) -> None:
        self.outcomes.append(outcome)
        self.events += len(events)


def units(text: str = PLAIN, repeats: int = 1) -> Iterator[Unit]:
    return (Unit(0, text, task, repeat) for repeat in range(repeats) for task in suite.tasks("val"))


async def evaluated(llm: Answers, of: Iterator[Unit], **more: object) -> Kept:
    kept = Kept()
    await LocalEvaluator(suite, llm, Toolbox(()), policy=RunPolicy(), **more).map(of, kept)  # type: ignore[arg-type]
    return kept


async def test_every_run_is_there_once_and_scored() -> None:
    llm = Answers(places=7)
    kept = await evaluated(llm, units(repeats=2))
    assert sorted((o.task, o.repeat) for o in kept.outcomes) == sorted(
        (task.id, repeat) for task in suite.tasks("val") for repeat in range(2)
    )
    assert llm.most == 7
    assert {o.stop for o in kept.outcomes} == {"terminal"}
    assert max(o.score for o in kept.outcomes) > 0
    assert all(o.totals.calls == 1 and o.steps == 1 for o in kept.outcomes)
    assert kept.events > 0


async def test_repeats_ask_with_other_seeds_and_other_keys() -> None:
    llm = Answers()
    await evaluated(llm, (Unit(0, PLAIN, suite.tasks("val")[0], repeat) for repeat in range(3)))
    assert sorted((o.seed, o.repeat) for o in llm.options) == [(SEEDS_A_REPEAT * n, n) for n in range(3)]


@pytest.mark.parametrize(
    ("text", "llm", "stop", "says"),
    [
        (PLAIN, Answers(fails=ModelReplyError("It was cut.")), "model-error", "It was cut."),
        (PLAIN, Answers(fails=ModelUnavailable("It broke."), only="step"), "model-error", "It broke."),
        (
            "A:::decision:::Again?:::yes::A::no::B\nB:::terminal:::End:::\n",
            Answers("yes"),
            "max-steps",
            "limit of visits",
        ),
        ("A:::process:::Go:::next::Nowhere\n", Answers(), "invalid-workflow", "Nowhere"),
        ("no workflow at all", Answers(), "invalid-workflow", "The workflow has errors"),
    ],
)
async def test_a_run_that_fails_scores_nothing_and_says_why(text: str, llm: Answers, stop: str, says: str) -> None:
    """Pitfall: the reference goes on with the reward of the task before."""
    kept = await evaluated(llm, (Unit(0, text, task) for task in suite.tasks("train")))
    assert [(o.score, o.stop) for o in kept.outcomes] == [(0.0, stop)] * 4
    assert all(says in o.error for o in kept.outcomes)


async def test_a_model_that_is_gone_ends_all_and_blames_no_workflow() -> None:
    kept = Kept()
    llm = Answers(places=4)

    async def done(outcome: Outcome, events: Sequence[Event]) -> None:
        await kept(outcome, events)
        if len(kept.outcomes) == 10:
            llm.fails = ModelUnavailable("The server is gone.")

    with pytest.raises(ModelUnavailable, match="The server is gone"):
        await LocalEvaluator(suite, llm, Toolbox(()), policy=RunPolicy()).map(units(), done)
    assert 10 <= len(kept.outcomes) <= 10 + 3
    assert {o.stop for o in kept.outcomes} == {"terminal"}
    asked = llm.options[-1]
    assert (asked.temperature, asked.seed) == (1.0, None)  # no cache answers that


async def test_units_are_taken_only_as_there_is_room() -> None:
    taken: list[Unit] = []

    def watched() -> Iterator[Unit]:
        for unit in units():
            taken.append(unit)
            yield unit

    kept = Kept()
    ahead = []

    async def done(outcome: Outcome, events: Sequence[Event]) -> None:
        await kept(outcome, events)
        ahead.append(len(taken) - len(kept.outcomes))

    await LocalEvaluator(suite, Answers(places=3), Toolbox(()), policy=RunPolicy()).map(watched(), done)
    assert max(ahead) <= 3


async def test_what_was_asked_to_end_finishes_what_is_under_way() -> None:
    kept = Kept()
    llm = Answers(places=4)
    evaluator = LocalEvaluator(suite, llm, Toolbox(()), policy=RunPolicy(), go_on=lambda: len(kept.outcomes) < 8)
    await evaluator.map(units(), kept)
    assert 8 <= len(kept.outcomes) <= 8 + 3
    assert len(llm.options) == len(kept.outcomes)


async def test_a_fault_of_who_keeps_the_outcomes_ends_it() -> None:
    async def full(_: Outcome, __: Sequence[Event]) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        await LocalEvaluator(suite, Answers(), Toolbox(()), policy=RunPolicy()).map(units(), full)


async def test_prompts_and_texts_are_read_once_for_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr("autoflow.evaluate.parse", lambda text: read.append(text) or parse(text))  # type: ignore[func-returns-value]
    loaded: list[str] = []
    load = prompts.load
    monkeypatch.setattr(prompts, "load", lambda area, name: loaded.append(name) or load(area, name))  # type: ignore[func-returns-value]
    kept = await evaluated(Answers(), units())
    assert len(kept.outcomes) == 40
    assert read == [PLAIN]
    assert len(loaded) == len(set(loaded))


async def test_more_texts_than_are_kept_are_all_run() -> None:
    task = suite.tasks("val")[0]
    texts = [f"Answer:::terminal:::Name model {n}.:::\n" for n in range(2 * TEXTS)] * 2
    llm = Answers()
    kept = await evaluated(llm, (Unit(n, text, task) for n, text in enumerate(texts)))
    assert sorted(o.candidate for o in kept.outcomes) == list(range(4 * TEXTS))
    assert {o.stop for o in kept.outcomes} == {"terminal"}


@pytest.mark.parametrize(
    ("fault", "ends"),
    [(ZeroDivisionError("by nought"), False), (ModelReplyError("cut"), False), (ModelUnavailable("gone"), True)],
)
async def test_scorer_that_raises_costs_a_run_its_score_but_for_a_judge_that_is_gone(
    fault: Exception, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def raises(*_: object) -> None:
        raise fault

    monkeypatch.setattr(suite, "score", raises)
    if ends:
        with pytest.raises(ModelUnavailable, match="gone"):
            await evaluated(Answers(), units())
        return
    kept = await evaluated(Answers(), units())
    assert {(o.score, o.stop) for o in kept.outcomes} == {(0.0, "terminal")}
    assert all(str(fault) in o.error and type(fault).__name__ in o.error for o in kept.outcomes)
