"""A study in memory: whatever is asked of it follows from candidates and outcomes, in whatever order they came."""

from __future__ import annotations

import random
from statistics import mean

import pytest

from autoflow.optimize.view import StudyView
from autoflow.records import Totals
from autoflow.study import MANUAL, PLAIN, Candidate, Outcome, RewardSpec, Study, StudyBatch, StudySpec, SuiteSpec

SPLITS = {"train": ("t1", "t2"), "val": ("v1", "v2"), "test": ("x1",)}


def view_of(
    candidates: int = 3,
    *outcomes: Outcome,
    repeats: int = 1,
    errors: tuple[int, ...] = (),
    reward: RewardSpec | None = None,
) -> StudyView:
    spec = StudySpec(
        method="paper", suite=SuiteSpec(name="s"), interpreter="i", repeats=repeats, reward=reward or RewardSpec()
    )
    study = Study(id="st_000000000000", name="s", spec=spec, splits=SPLITS)
    made = [
        Candidate(
            number=n, round=n, text="A:::process:::x:::next::B\n" if n in errors else "A:::terminal:::x:::\n",
            operator=(MANUAL, PLAIN)[n] if n < 2 else "split", parent=0 if n > 1 else None,
            error="no B" if n in errors else "", totals=Totals(calls=1, prompt_tokens=100) if n > 1 else Totals(),
        )
        for n in range(candidates)
    ]  # fmt: skip
    return StudyView(study, made, outcomes)


def run(candidate: int, task: str, score: float = 0.5, **more: object) -> Outcome:
    split = {"t": "train", "v": "val", "x": "test"}[task[0]]
    took = Totals(calls=2, prompt_tokens=10, completion_tokens=5, cost_usd=0.25)
    given = {"candidate": candidate, "task": task, "split": split, "score": score, "stop": "terminal", "totals": took}
    return Outcome.model_validate(given | more)


def test_score_is_there_when_the_whole_split_was_run() -> None:
    view = view_of(3, run(0, "v1", 0.25))
    assert view.score(0, "val") is None
    assert view.reward(0, "val") == 0.25
    assert view.best() is None
    view.add(outcomes=[run(0, "v2", 0.75)])
    assert view.score(0, "val") == 0.5
    assert view.complete(0, "val")
    assert not view.complete(0, "train")
    assert view.best() == view.candidates[0]


def test_repeats_are_all_needed_and_averaged_within_their_task() -> None:
    view = view_of(1, run(0, "v1", 1.0), run(0, "v1", 0.0, repeat=1), run(0, "v2", 1.0), repeats=2)
    assert view.score(0, "val") is None
    view.add(outcomes=[run(0, "v2", 1.0, repeat=1)])
    assert view.task_scores(0, "val") == {"v1": 0.5, "v2": 1.0}
    assert view.score(0, "val") == 0.75


def test_split_without_tasks_is_never_complete() -> None:
    view = view_of(1)
    view.study = view.study.model_copy(update={"splits": {"val": ()}})
    assert not view.complete(0, "val")
    assert not view.complete(0, "test")
    assert view.score(0, "val") is None


def test_best_is_the_highest_reward_then_the_fewest_calls_then_the_oldest() -> None:
    cheap, dear = Totals(calls=1), Totals(calls=5)
    view = view_of(
        4,
        *(run(0, t, 0.5, totals=dear) for t in SPLITS["val"]),
        *(run(1, t, 0.4, totals=cheap) for t in SPLITS["val"]),
        *(run(2, t, 0.5, totals=cheap) for t in SPLITS["val"]),
        *(run(3, t, 0.5, totals=cheap) for t in SPLITS["val"]),
    )
    assert [c.number for c in view.measured()] == [2, 3, 0, 1]


def test_best_goes_by_the_reward_and_not_by_the_score() -> None:
    many = Totals(calls=2, prompt_tokens=9000)
    view = view_of(
        2,
        *(run(0, t, 1.0, totals=many) for t in SPLITS["val"]),
        *(run(1, t, 0.9) for t in SPLITS["val"]),
        reward=RewardSpec(tokens=0.1),
    )
    assert view.best() == view.candidates[1]
    terms = view.terms(0, "val")
    assert terms is not None
    assert view.reward(0, "val") == pytest.approx(sum(terms.values())) == pytest.approx(0.1)


def test_text_that_cannot_run_has_its_reward_without_a_run() -> None:
    view = view_of(3, errors=(2,))
    assert view.reward(2, "train") == view.reward(2, "val") == -0.5
    assert view.valid_share(2) == 0.0
    assert view.best() is None
    empty = Candidate(number=3, text="nothing", error="no step")
    view.add([empty])
    assert view.reward(3, "train") == -1.0


def test_reward_may_be_that_of_some_tasks() -> None:
    view = view_of(1, run(0, "t1", 1.0), run(0, "t2", 0.0))
    assert view.reward(0, "train", ["t1"]) == 1.0
    assert view.reward(0, "train", ["t2", "t1"]) == 0.5
    assert view.reward(0, "train", ["v1"]) is None
    assert view.reward(0, "val") is None


def test_totals_count_each_run_once_proposals_and_judges_with_them_and_the_test_apart() -> None:
    view = view_of(3, run(0, "v1"), run(0, "x1"), run(0, "v2", judge=Totals(calls=1, cost_usd=0.5)))
    view.add(outcomes=[run(0, "v1", 1.0)])  # rated meanwhile
    assert view.totals().calls == 1 + 2 + 2 + 3
    assert view.totals(test=False).calls == 1 + 2 + 3
    assert view.totals(test=False).cost_usd == 1.0
    view.take(StudyBatch(view.study.id, unused=Totals(calls=7)))
    assert view.totals(test=False).calls == 13
    view.add(outcomes=[run(1, "t1", totals=Totals(calls=1, cost_usd=None))])
    assert view.totals().cost_usd is None


def test_what_waits_for_a_person_is_pending_until_it_is_rated() -> None:
    view = view_of(1, run(0, "v1", 0.0, pending=True), run(0, "v2"))
    assert [o.task for o in view.pending()] == ["v1"]
    view.add(outcomes=[run(0, "v1", 1.0)])
    assert view.pending() == []
    assert view.score(0, "val") == 0.75


def test_valid_share_is_of_runs_that_were_made() -> None:
    view = view_of(2, run(0, "t1"), run(0, "t2", parts={"valid": 0.0}), run(0, "v1", stop="max-steps"), run(0, "v2"))
    assert view.valid_share(0) == 0.5
    assert view.valid_share(0, "train") == 0.5
    assert view.valid_share(1) is None
    view.add(outcomes=[run(0, "x1", stop="max-steps"), run(1, "x1")])
    assert view.valid_share(0) == 0.5, "candidates that came to the test are still held against those that did not"
    assert view.valid_share(0, "test") == 0.0
    assert view.valid_share(1) == 1.0


def test_batch_is_taken_in_and_leaves_other_figures_as_they_were() -> None:
    view = view_of(1)
    view.take(StudyBatch(view.study.id, [Candidate(number=1, text="x")], [(run(1, "v1"), ())], rounds=2, seconds=1.5))
    view.take(StudyBatch(view.study.id, stop="rounds", best=0, test_uses=1))
    study = view.study
    assert (study.rounds, study.seconds, study.stop, study.best, study.test_uses) == (2, 1.5, "rounds", 0, 1)
    assert len(view.candidates) == 2
    assert view.outcome(1, "v1") is not None
    assert view.outcome(1, "v1", 1) is None


def test_family_and_operators() -> None:
    view = view_of(4)
    assert view.manual == view.candidates[0]
    assert view.plain == view.candidates[1]
    assert view.children(0) == view.candidates[2:]
    assert view.by_operator("none") is None


def test_curve_has_a_point_a_candidate_and_only_grows() -> None:
    view = view_of(
        4, run(0, "v1", 0.5), run(0, "v2", 0.5), run(1, "v1", 0.2), run(1, "v2", 0.2), run(2, "t1", 0.9),
        run(3, "v1", 1.0), run(3, "v2", 0.8), run(3, "x1", 0.1),
    )  # fmt: skip
    curve = view.curve()
    assert [p.candidate for p in curve] == [0, 1, 2, 3]
    assert [p.val for p in curve] == [0.5, 0.2, None, 0.9]
    assert [p.best for p in curve] == [0.5, 0.5, 0.5, 0.9]
    assert [p.train for p in curve] == [None, None, 0.9, None]
    assert [p.calls for p in curve] == [4, 8, 11, 18]
    assert curve[-1].calls == view.totals().calls
    assert curve[-1].tokens == view.totals().prompt_tokens + view.totals().completion_tokens
    assert curve[-1].cost_usd == view.totals().cost_usd


def test_order_in_which_runs_came_changes_nothing() -> None:
    chance = random.Random(7)
    runs = [run(c, t, chance.random()) for c in range(5) for t in ("t1", "t2", "v1", "v2", "x1")]
    first = view_of(5, *runs)
    for _ in range(20):
        chance.shuffle(runs)
        other = view_of(5, *runs)
        assert other.measured() == first.measured()
        assert [other.score(n, "val") for n in range(5)] == [first.score(n, "val") for n in range(5)]
        assert [other.reward(n, "train") for n in range(5)] == [first.reward(n, "train") for n in range(5)]
        assert other.totals().calls == first.totals().calls
    assert first.score(0, "val") == mean(first.task_scores(0, "val").values())
