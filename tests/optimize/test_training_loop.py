"""The search loop where rounds are steps of a training: all are learned from, and final drafts are tested."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autoflow.optimize.base import Draft, Rules, Workshop
from autoflow.study import TRAINED, UNTRAINED, Candidate, StudyStop, TrainingStep
from tests.optimize.test_loop import unhurried
from tests.optimize.tiny import BROKEN, Killed, Listed, Memory, Tiny, skilled
from tests.training import trained

__all__ = ["unhurried"]
ROUNDS = [[skilled(2)], [], [skilled(3), skilled(2)], [skilled(9)], [], [skilled(4)]]


class Trainee(Listed):
    """Learns from every round, and says how often it proposed which."""

    def __init__(self, *rounds: Sequence[str], ends_after: int | None = None) -> None:
        super().__init__(*rounds, rules=Rules(minibatch=0, trains=True))
        self.proposed: list[int] = []
        self.finals = 0
        self._ends_after = ends_after

    async def propose(self, workshop: Workshop, round_: int) -> list[Draft]:
        self.proposed.append(round_)
        return await super().propose(workshop, round_)

    async def learn(self, workshop: Workshop, candidates: Sequence[Candidate]) -> TrainingStep:
        self.learned.append([c.number for c in candidates])
        return trained(workshop.view.study.rounds + 1)

    async def ended(self, workshop: Workshop) -> StudyStop | None:
        return "collapsed" if workshop.view.study.rounds == self._ends_after else None

    async def final(self, workshop: Workshop) -> list[Draft]:
        self.finals += 1
        return [Draft(skilled(0), None, UNTRAINED), Draft(BROKEN, None, UNTRAINED), Draft(skilled(4), None, TRAINED)]


def training(optimizer: Trainee | None = None, **more: object) -> Tiny:
    return Tiny(*ROUNDS, optimizer=optimizer or Trainee(*ROUNDS), **more)  # type: ignore[arg-type]


def steps(tiny: Tiny) -> list[tuple[int | None, list[int]]]:
    """Which rounds were kept with which steps."""
    return [(b.rounds, [s.step for s in b.steps]) for b in tiny.sink.kept if b.steps]


async def test_each_round_is_kept_with_its_step_also_one_without_a_draft_or_after_a_perfect_one() -> None:
    tiny = training()
    assert await tiny.go() == "rounds"
    assert steps(tiny) == [(n, [n]) for n in range(1, 7)]
    assert isinstance(tiny.optimizer, Trainee)
    assert tiny.optimizer.learned == [[2], [], [3], [4], [], [5]]
    assert tiny.view().score(4, "val") == 1.0


async def test_all_that_was_there_before_is_run_on_train_as_any_of_it_may_be_drawn() -> None:
    tiny = training()
    await tiny.go()
    assert tiny.runs("train")[0] == tiny.runs("train")[1] == sorted(tiny.view().study.splits["train"])


async def test_final_drafts_are_kept_as_they_are_and_run_on_the_test_alone() -> None:
    tiny = training()
    await tiny.go()
    view = tiny.view()
    assert [(c.operator, bool(c.error)) for c in view.candidates[6:]] == [
        (UNTRAINED, False), (UNTRAINED, True), (TRAINED, False),
    ]  # fmt: skip
    test = tiny.runs("test")[6]
    assert tiny.runs()[6] == tiny.runs()[8] == test
    assert 7 not in tiny.runs()
    assert view.study.best == 4


async def test_a_training_that_ended_early_says_why_and_is_tested_all_the_same() -> None:
    tiny = training(Trainee(*ROUNDS, ends_after=3))
    assert await tiny.go() == "collapsed"
    assert (tiny.view().study.rounds, tiny.view().study.test_uses) == (3, 1)


@pytest.mark.parametrize("after", [False, True])
async def test_killed_at_any_checkpoint_it_draws_its_round_again_and_comes_to_the_same_end(after: bool) -> None:
    undisturbed = training()
    await undisturbed.go()
    for number in range(1, len(undisturbed.sink.kept) + 1):
        tiny = training()
        tiny.sink = Memory(fail_at=number, after=after)
        with pytest.raises(Killed):
            await tiny.go()
        tiny.sink.fail_at = None
        again = Trainee(*ROUNDS)
        tiny.optimizer, done = again, tiny.view().study.rounds
        assert await tiny.go() == "rounds"
        assert again.proposed == list(range(done + 1, 7)), "each step that is not done is proposed anew"
        assert len(again.learned) == 6 - done
        assert tiny.view().candidates == undisturbed.view().candidates
        assert tiny.runs().keys() == undisturbed.runs().keys()
        assert tiny.view().study.best == undisturbed.view().study.best
        assert steps(tiny)[-1] == (6, [6])
