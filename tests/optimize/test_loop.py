"""The search loop on a suite that can be reckoned by hand: what is run and what is not, why it ends, how it goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from autoflow.errors import LeaseLost, ModelRequestError, ModelUnavailable
from autoflow.llm.base import Capabilities
from autoflow.optimize.base import Rules
from autoflow.optimize.loop import canonical
from autoflow.optimize.running import Halted
from autoflow.study import MANUAL, PLAIN, Candidate, Outcome, StudyBudget
from tests.optimize.tiny import BROKEN, Killed, Listed, Memory, Tiny, TinySuite, skilled

VAL = [f"val-{n}" for n in range(1, 6)]
TEST = ["test-2", "test-4", "test-6"]
GATE = Rules(minibatch=0)  # all train tasks, as published


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints by what happens and never by the clock, so that a loaded machine makes no other ones."""
    monkeypatch.setattr("autoflow.optimize.running.BATCH_S", 3600.0)


def found(tiny: Tiny) -> tuple[list[Candidate], set[Outcome | str], object]:
    """What a study came to, without times."""
    view = tiny.view()
    plain = {o.model_copy(update={"at": 0.0, "totals": None}).model_dump_json() for o in view.all_outcomes()}
    return view.candidates, plain, (view.study.stop, view.study.best, view.study.rounds, view.study.test_uses)


# -- what is run
async def test_manual_workflow_and_plain_prompt_are_always_in_the_pool() -> None:
    tiny = Tiny()
    assert await tiny.go() == "rounds"
    view = tiny.view()
    assert [(c.operator, view.score(c.number, "val")) for c in view.candidates] == [(MANUAL, 0.2), (PLAIN, 0.0)]
    assert view.study.best == 0
    assert tiny.generator.calls == 0


async def test_better_draft_goes_on_to_validation_and_is_tested_beside_the_two_baselines() -> None:
    tiny = Tiny([skilled(3)], [skilled(4)], rules=GATE)
    assert await tiny.go() == "rounds"
    view = tiny.view()
    assert [view.score(n, "val") for n in range(4)] == [0.2, 0.0, 0.6, 0.8]
    assert view.study.best == 3
    assert tiny.runs("test") == {0: TEST, 1: TEST, 3: TEST}
    assert view.score(3, "test") == pytest.approx(2 / 3)
    assert view.study.rounds == 2


async def test_draft_that_is_no_better_than_its_parent_is_not_validated() -> None:
    tiny = Tiny([skilled(1, "Other words.")], [skilled(0, "Worse.")], [skilled(4)], rules=Rules(minibatch=4))
    await tiny.go()
    assert {number: runs for number, runs in tiny.runs("val").items() if number > 1} == {4: VAL}


async def test_draft_as_good_as_its_parent_goes_on_where_the_rules_are_not_strict() -> None:
    same = [skilled(1, "Other words.")]
    strict, lax = Tiny(same, rules=Rules(4)), Tiny(same, rules=Rules(4, strict=False))
    await strict.go()
    await lax.go()
    assert 2 not in strict.runs("val")
    assert lax.runs("val")[2] == VAL


async def test_drafts_and_their_rivals_are_tried_on_the_same_few_tasks_and_the_better_ones_on_all() -> None:
    tiny = Tiny([(skilled(4), 1), (skilled(0, "No better."), 0)], rules=Rules(minibatch=2), seed=5)
    await tiny.go()
    runs = {number: set(tasks) for number, tasks in tiny.runs("train").items()}
    assert set(runs) == {0, 1, 2, 3}
    assert len(runs[3]) == 2
    assert runs[0] == runs[1] == runs[2] == set(tiny.view().study.splits["train"])
    assert runs[3] < runs[2]


async def test_minibatch_is_another_each_round_and_the_same_for_the_same_seed() -> None:
    def tried(tiny: Tiny) -> dict[int, list[str]]:
        return {n: tasks for n, tasks in tiny.runs("train").items() if n > 1}

    rounds = [[skilled(1, f"Draft {n}.")] for n in range(6)]
    first, again, other = (Tiny(*rounds, rules=Rules(2), seed=seed) for seed in (1, 1, 2))
    for tiny in (first, again, other):
        await tiny.go()
    assert tried(first) == tried(again) != tried(other)
    assert len({tuple(tasks) for tasks in tried(first).values()}) > 1


async def test_only_so_many_drafts_of_a_round_are_promoted_best_gains_first() -> None:
    drafts = [skilled(2), skilled(4), skilled(3)]
    tiny = Tiny(drafts, rules=Rules(minibatch=4, promote=2))
    await tiny.go()
    assert sorted(n for n in tiny.runs("val") if n > 1) == [3, 4]


@pytest.mark.parametrize(
    "again", [skilled(1, "By hand."), "  " + skilled(3).strip() + "   ", "# said anew\n" + skilled(3)]
)
async def test_duplicates_are_refused_and_what_they_took_is_counted(again: str) -> None:
    tiny = Tiny([skilled(3), skilled(3)], [again], rules=GATE)
    await tiny.go()
    view = tiny.view()
    assert len(view.candidates) == 3
    assert view.study.unused.calls == 2
    assert view.totals(test=False).calls == tiny.generator.calls + tiny.interpreter.calls - len(TEST) * 3
    assert view.study.rounds == 2


def test_texts_are_one_that_differ_in_white_space_and_comments_alone() -> None:
    assert canonical("# a\n" + skilled(3)) == canonical(skilled(3).replace(":::", " ::: ", 1) + "\n\n")
    assert canonical(skilled(3)) != canonical(skilled(4))
    assert canonical("no  workflow\n") == canonical("no workflow") != canonical("none")


async def test_text_that_cannot_run_is_kept_with_its_error_and_never_run() -> None:
    tiny = Tiny([BROKEN, "no workflow at all"], [skilled(2)], rules=Rules(2))
    await tiny.go()
    view = tiny.view()
    assert "Nowhere" in view.candidates[2].error
    assert view.candidates[3].error
    assert set(tiny.runs()) == {0, 1, 4}
    assert view.reward(2, "train") == -0.5
    assert view.reward(3, "train") == -1.0
    assert view.study.rounds == 2


async def test_every_run_is_made_once_and_repeats_apart() -> None:
    tiny = Tiny([skilled(2)], [skilled(4)], rules=GATE, repeats=2)
    await tiny.go()
    runs = [(o.candidate, o.task, o.repeat) for o in tiny.outcomes()]
    assert len(runs) == len(set(runs))
    assert {repeat for _, _, repeat in runs} == {0, 1}
    assert tiny.view().complete(3, "val")


async def test_optimizer_learns_after_its_drafts_were_run() -> None:
    optimizer = Listed([skilled(2), skilled(3)], [], [skilled(4)])
    tiny = Tiny([], [], [], optimizer=optimizer)
    await tiny.go()
    assert optimizer.learned == [[2, 3], [], [4]]


# -- why it ends
async def test_perfect_candidate_ends_the_search() -> None:
    tiny = Tiny([skilled(2)], [skilled(5)], [skilled(6)], rules=GATE)
    assert await tiny.go() == "perfect"
    assert tiny.view().study.rounds == 2


async def test_patience_counts_rounds_without_a_new_best() -> None:
    tiny = Tiny([skilled(3)], [skilled(2)], [skilled(1, "a")], [skilled(4)], rules=GATE, patience=2)
    assert await tiny.go() == "patience"
    assert tiny.view().study.rounds == 3


@pytest.mark.parametrize(
    ("budget", "stop", "spends"),
    [
        ({"max_calls": 25}, "calls", 25),
        ({"max_calls": 10}, "calls", 10),
        ({"max_calls": 12}, "calls", 12),  # within the train tasks before the first proposal
        ({"max_tokens": 2_000}, "tokens", None),
        ({"max_cost_usd": 0.25}, "cost", 25),
        ({"max_cost_usd": 0.0}, "cost", None),
    ],
)
async def test_limit_ends_the_search_within_the_runs_under_way(
    budget: dict[str, object], stop: str, spends: int | None
) -> None:
    tiny = Tiny(*([skilled(1, f"{n}.")] for n in range(20)), rules=Rules(2), **budget)
    tiny.interpreter._cost_usd = tiny.generator._cost_usd = 0.01
    assert await tiny.go() == stop
    view = tiny.view()
    spent = view.totals(test=False)
    if spends is not None:
        assert spends <= spent.calls < spends + tiny.interpreter.capabilities.concurrency
    assert spent.calls == tiny.generator.calls + tiny.interpreter.calls - sum(map(len, tiny.runs("test").values()))
    assert view.study.stop == stop
    assert view.study.rounds < 20


async def test_time_is_what_was_worked_however_the_clock_of_the_wall_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Tiny(*([skilled(1, f"{n}.")] for n in range(40)), rules=Rules(2), max_time_s=100)
    jumps = iter([1e9, -1e9, 5e8] * 10_000)
    monkeypatch.setattr("time.time", lambda: 1.7e9 + next(jumps))

    def work(_: int) -> None:
        tiny.sink.worked_s += 2.0

    tiny.interpreter.before = work
    assert await tiny.go() == "time"
    assert 50 <= tiny.interpreter.calls - sum(map(len, tiny.runs("test").values())) <= 53
    assert all(o.totals.seconds < 60 for o in tiny.outcomes())


async def test_time_of_a_round_in_which_nothing_could_run_is_kept_with_it() -> None:
    tiny = Tiny(["no workflow"], ["none either"], ["nor this"], ["and this"], max_time_s=100)

    def think(_: int) -> None:
        tiny.sink.worked_s += 40.0

    tiny.generator.before = think
    assert await tiny.go() == "time"
    ends = {batch.rounds: batch.seconds for batch in tiny.sink.kept if batch.rounds is not None}
    assert ends == {1: 40.0, 2: 80.0, 3: 120.0}


async def test_money_of_unknown_price_is_no_limit() -> None:
    tiny = Tiny([skilled(2)], rules=GATE, max_cost_usd=0.01)
    tiny.interpreter._cost_usd = None
    assert await tiny.go() == "rounds"
    assert tiny.view().totals().cost_usd is None


async def test_limit_that_ends_round_0_leaves_no_best_and_the_test_sealed() -> None:
    tiny = Tiny([skilled(2)], rules=GATE, max_calls=3)
    tiny.interpreter.capabilities = Capabilities(concurrency=1)
    assert await tiny.go() == "calls"
    study = tiny.view().study
    assert (study.best, study.test_uses, study.stop) == (None, 0, "calls")
    assert tiny.interpreter.calls == 3


async def test_generator_that_dies_in_round_7_leaves_the_test_sealed_and_goes_on_when_it_is_back() -> None:
    rounds = [[skilled(1 + n % 4, f"{n}.")] for n in range(12)]
    undisturbed, tiny = Tiny(*rounds, rules=GATE), Tiny(*rounds, rules=GATE)
    await undisturbed.go()

    def dies(number: int) -> None:
        if number == 7:
            raise ModelUnavailable("The server is gone.")

    tiny.generator.before = dies
    with pytest.raises(ModelUnavailable, match="The server is gone"):
        await tiny.go()
    study = tiny.view().study
    assert (study.rounds, study.stop, study.test_uses) == (6, None, 0)
    tiny.generator.before = lambda _: None
    assert await tiny.go() == undisturbed.view().study.stop
    assert found(tiny) == found(undisturbed)


async def test_generator_that_refuses_in_round_7_ends_with_what_there_is() -> None:
    tiny = Tiny(*([skilled(1 + n % 4, f"{n}.")] for n in range(12)), rules=GATE)

    def refuses(number: int) -> None:
        if number == 7:
            raise ModelRequestError("The prompt is too long.")

    tiny.generator.before = refuses
    assert await tiny.go() == "generator-error"
    view = tiny.view()
    assert view.study.rounds == 6
    assert (view.study.stop, view.study.best, view.study.test_uses) == ("generator-error", 5, 1)
    assert view.score(5, "test") is not None
    assert any("The prompt is too long." in words for words in tiny.sink.told)


async def test_interpreter_that_dies_blames_no_candidate_and_goes_on_later() -> None:
    rounds = [[skilled(2)], [skilled(3)], [skilled(4)]]
    undisturbed, tiny = Tiny(*rounds, rules=GATE), Tiny(*rounds, rules=GATE)
    await undisturbed.go()

    def dies(number: int) -> None:
        if number > 30:
            raise ModelUnavailable("The server is gone.")

    tiny.interpreter.before = dies
    with pytest.raises(ModelUnavailable, match="The server is gone"):
        await tiny.go()
    assert {o.stop for o in tiny.outcomes()} == {"terminal"}
    tiny.interpreter.before = lambda _: None
    assert await tiny.go() == "rounds"
    assert found(tiny) == found(undisturbed)


# -- the test is sealed
async def test_test_set_is_opened_once_counted_before_it_is_used_and_outside_of_the_budget() -> None:
    tiny = Tiny([skilled(4)], rules=GATE, max_calls=19)
    order: list[str] = []
    tiny.interpreter.before = lambda _: order.append(tiny.interpreter.asked[-1])
    assert await tiny.go() in ("calls", "rounds")
    opened = next(n for n, b in enumerate(tiny.sink.kept) if b.test_uses)
    first = next(n for n, b in enumerate(tiny.sink.kept) for o, _ in b.outcomes if o.split == "test")
    assert opened < first
    assert [b.test_uses for b in tiny.sink.kept if b.test_uses] == [1]
    assert "difficulty 6" not in "".join(order[: -len(TEST) * 3])  # a difficulty of the test alone
    before = tiny.interpreter.calls
    await tiny.go()
    assert tiny.interpreter.calls == before
    assert tiny.view().study.test_uses == 1


async def test_once_the_test_is_open_nothing_is_searched_any_more() -> None:
    """A generator that answers again while the test is carried on would else search on what was seen there."""
    tiny = Tiny([skilled(2)], [skilled(4)], rules=GATE)

    def refuses(number: int) -> None:
        if number == 2:
            raise ModelRequestError("too long")

    tiny.generator.before = refuses
    tiny.sink = Memory()

    def pause(_: int) -> None:
        if tiny.sink.kept and tiny.sink.kept[-1].test_uses:
            tiny.sink.pause = True

    tiny.interpreter.before = pause
    with pytest.raises(Halted):
        await tiny.go()
    assert tiny.view().study.test_uses == 1
    tiny.generator.before = tiny.interpreter.before = lambda _: None
    tiny.sink.pause = False
    assert await tiny.go() == "generator-error"
    assert len(tiny.view().candidates) == 3
    assert tiny.runs("test") == {0: TEST, 1: TEST, 2: TEST}


async def test_study_without_a_test_split_ends_without_one() -> None:
    tiny = Tiny([skilled(4)], rules=GATE, suite=TinySuite({"train": (1, 2), "val": (1, 3), "test": ()}))
    assert await tiny.go() == "perfect"
    assert tiny.view().study.test_uses == 0


# -- pauses, ratings, crashes
async def test_pause_during_a_run_lets_it_end_and_begins_no_other() -> None:
    undisturbed, tiny = Tiny([skilled(3)], rules=GATE), Tiny([skilled(3)], rules=GATE)
    await undisturbed.go()
    tiny.interpreter.hold.clear()
    work = asyncio.create_task(tiny.go())
    while tiny.interpreter.calls < 3:
        await asyncio.sleep(0)
    tiny.sink.pause = True
    tiny.interpreter.hold.set()
    with pytest.raises(Halted) as halted:
        await work
    assert halted.value.waiting == 0
    assert tiny.interpreter.calls == len(tiny.outcomes()) == 3
    tiny.sink.pause = False
    assert await tiny.go() == "rounds"
    assert found(tiny) == found(undisturbed)
    assert tiny.interpreter.calls == undisturbed.interpreter.calls


async def test_pause_during_a_proposal_begins_no_further_call() -> None:
    tiny = Tiny([skilled(2), skilled(3), skilled(4)], [BROKEN], rules=GATE)
    tiny.generator.before = lambda number: setattr(tiny.sink, "pause", number == 2)
    with pytest.raises(Halted):
        await tiny.go()
    assert tiny.generator.calls == 2
    assert len(tiny.view().candidates) == 2  # all of a round or none
    tiny.sink.pause = False
    tiny.generator.before = lambda _: None
    assert await tiny.go() == "rounds"
    assert len(tiny.view().candidates) == 6


async def test_pause_is_noticed_where_a_round_has_nothing_to_run() -> None:
    tiny = Tiny(*([BROKEN + f"# {n}"] for n in range(5)), rules=GATE)
    tiny.generator.before = lambda number: setattr(tiny.sink, "pause", number == 2)
    with pytest.raises(Halted):
        await tiny.go()
    assert tiny.generator.calls == 2


async def test_answers_that_wait_for_a_person_halt_the_search_until_they_are_rated() -> None:
    tiny = Tiny([skilled(3)], rules=GATE, suite=TinySuite(rated=True))
    with pytest.raises(Halted) as halted:
        await tiny.go()
    assert halted.value.waiting == 2 * len(VAL)
    _rate(tiny)
    with pytest.raises(Halted) as halted:
        await tiny.go()
    assert halted.value.waiting == len(VAL)
    _rate(tiny)
    assert await tiny.go() == "rounds"
    assert tiny.view().study.best == 2


def _rate(tiny: Tiny) -> None:
    """As a person would who knows what is right."""

    def rated(o: Outcome) -> Outcome:
        return o.model_copy(update={"pending": False, "score": float(o.answer == "right")})

    tiny.sink.kept = [replace(b, outcomes=[(rated(o), e) for o, e in b.outcomes]) for b in tiny.sink.kept]


async def test_run_is_kept_in_time_also_where_the_next_one_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoflow.optimize.running.BATCH_S", 0.01)
    tiny = Tiny()
    tiny.interpreter.capabilities = Capabilities(concurrency=1)
    tiny.interpreter.before = lambda number: tiny.interpreter.hold.clear() if number == 3 else None
    work = asyncio.create_task(tiny.go())
    async with asyncio.timeout(10):
        while len(tiny.outcomes()) < 2:
            await asyncio.sleep(0)
    assert tiny.interpreter.calls == 3
    tiny.interpreter.hold.set()
    assert await work == "rounds"


async def test_what_cannot_be_kept_ends_the_search_before_its_runs_are_all_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autoflow.optimize.running.BATCH_S", 0.0)
    tiny = Tiny()
    tiny.interpreter.capabilities = Capabilities(concurrency=1)

    async def lost(batch: object, message: str = "") -> None:
        raise LeaseLost("Another worker has it.")

    monkeypatch.setattr(tiny.sink, "keep", lost)
    with pytest.raises(LeaseLost):
        await tiny.go()
    assert tiny.interpreter.calls < 10


ROUNDS = [[skilled(2), BROKEN], [skilled(2)], [(skilled(3), 2), skilled(1, "a")], [(skilled(4), 2)], [skilled(0, "b")]]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("rules", [Rules(2), Rules(2, strict=False, promote=1), GATE], ids=["few", "lax", "all"])
async def test_killed_at_any_checkpoint_it_comes_to_the_same_end(rules: Rules, after: bool) -> None:
    undisturbed = Tiny(*ROUNDS, rules=rules, seed=3)
    assert await undisturbed.go() == "rounds"
    for number in range(1, len(undisturbed.sink.kept) + 1):
        tiny = Tiny(*ROUNDS, rules=rules, seed=3)
        tiny.sink = Memory(fail_at=number, after=after)
        with pytest.raises(Killed):
            await tiny.go()
        tiny.sink.fail_at = None
        assert await tiny.go() == "rounds"
        assert found(tiny) == found(undisturbed)
        repeated = tiny.interpreter.calls - undisturbed.interpreter.calls
        assert 0 <= repeated <= 32 + 3  # what one batch may hold, and what was under way


async def test_killed_at_every_checkpoint_it_comes_to_the_same_end() -> None:
    undisturbed, tiny = Tiny(*ROUNDS, rules=Rules(2)), Tiny(*ROUNDS, rules=Rules(2))
    await undisturbed.go()
    lives = 0
    while tiny.view().study.stop is None:
        lives += 1
        tiny.sink.fail_at, tiny.sink.after = len(tiny.sink.kept) + 1, True
        with pytest.raises(Killed):
            await tiny.go()
    assert lives > 10
    assert found(tiny) == found(undisturbed)


@pytest.mark.parametrize("max_calls", range(11, 60, 7))
async def test_limit_of_calls_is_the_same_limit_after_a_crash(max_calls: int) -> None:
    """One run at a time, so that what is under way at the limit does not depend on who is faster."""
    budget = StudyBudget(max_rounds=5, max_calls=max_calls).model_dump()
    undisturbed = Tiny(*ROUNDS, rules=Rules(2), **budget)
    undisturbed.interpreter.capabilities = Capabilities(concurrency=1)
    await undisturbed.go()
    for number in range(1, len(undisturbed.sink.kept) + 1):
        tiny = Tiny(*ROUNDS, rules=Rules(2), **budget)
        tiny.interpreter.capabilities = undisturbed.interpreter.capabilities
        tiny.sink = Memory(fail_at=number)
        with pytest.raises(Killed):
            await tiny.go()
        tiny.sink.fail_at = None
        await tiny.go()
        assert found(tiny) == found(undisturbed)
