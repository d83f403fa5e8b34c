"""A study begins: its splits are dealt and kept, its first candidates written down, what cannot work said before."""

from __future__ import annotations

import pytest

from autoflow.errors import NotFound, SettingsError
from autoflow.optimize.limits import least_calls, reached
from autoflow.optimize.start import first_candidates, start_study
from autoflow.records import Totals
from autoflow.store import SqlStore
from autoflow.study import GIVEN, MANUAL, PERSON, PLAIN, StudyBudget, StudySpec, SuiteSpec
from autoflow.suites.openagi import OpenAGIPlanSuite
from tests.optimize.tiny import BROKEN, TinySuite, skilled

SUITE = SuiteSpec(name="openagi-plan", seed=4, train=2, val=3, test=4)
SPEC = StudySpec(method="paper", suite=SUITE, generator="scripted:g", interpreter="scripted:i")


def changed(**fields: object) -> StudySpec:
    return StudySpec.model_validate(SPEC.model_dump() | fields)


def sized(**sizes: int) -> StudySpec:
    return changed(suite=SUITE.model_copy(update=sizes))


def test_splits_are_dealt_by_seed_and_kept_with_the_study(store: SqlStore) -> None:
    study = start_study(store, "Plans", SPEC)
    suite = OpenAGIPlanSuite(seed=4, sizes=SUITE.sizes)
    assert study.splits == {split: tuple(t.id for t in suite.tasks(split)) for split in ("train", "val", "test")}
    assert [len(study.splits[s]) for s in ("train", "val", "test")] == [2, 3, 4]
    assert len({task for ids in study.splits.values() for task in ids}) == 9
    assert start_study(store, "Again", SPEC).splits == study.splits
    assert start_study(store, "Other", sized(seed=5)).splits != study.splits


def test_manual_workflow_and_plain_prompt_are_there_from_the_start(store: SqlStore) -> None:
    study = start_study(store, "Plans", SPEC)
    suite = OpenAGIPlanSuite()
    found = store.study_candidates(study.id)
    assert [(c.number, c.operator, c.text, c.round, c.error) for c in found] == [
        (0, MANUAL, suite.baseline, 0, ""), (1, PLAIN, suite.plain, 0, ""),
    ]  # fmt: skip


def test_own_baseline_takes_the_place_of_the_manual_workflow_and_an_empty_one_leaves_the_plain_prompt() -> None:
    own = first_candidates(changed(baseline=skilled(3)), TinySuite(), ())
    assert [(c.operator, c.text) for c in own] == [(MANUAL, skilled(3)), (PLAIN, TinySuite.plain)]
    none = first_candidates(changed(baseline=" \n"), TinySuite(), ())
    assert [(c.number, c.operator) for c in none] == [(0, PLAIN)]


def test_given_texts_follow_and_say_who_gave_them(store: SqlStore) -> None:
    parent = start_study(store, "First", SPEC)
    branch = start_study(store, "Branch", SPEC, parent_id=parent.id, given=[skilled(2)])
    assert [c.operator for c in store.study_candidates(branch.id)] == [MANUAL, PLAIN, PERSON]
    assert branch.parent_id == parent.id
    search = start_study(store, "Given", SPEC, given=[BROKEN])
    kept = store.study_candidates(search.id)[2]
    assert (kept.operator, kept.text) == (GIVEN, BROKEN)
    assert "Nowhere" in kept.error


def test_scoring_of_given_texts_has_them_alone(store: SqlStore) -> None:
    spec = changed(method="evaluate", generator="", split="test")
    study = start_study(store, "Score", spec, given=[skilled(1), skilled(2)])
    assert [c.operator for c in store.study_candidates(study.id)] == [GIVEN, GIVEN]


@pytest.mark.parametrize(("limit", "fits"), [(9, False), (10, True)])
def test_budget_too_small_for_one_candidate_is_said_before_the_start(store: SqlStore, limit: int, fits: bool) -> None:
    """Three validation tasks: for the manual workflow, the plain prompt and a new one; and one call to propose it."""
    spec = changed(budget=StudyBudget(max_calls=limit))
    assert least_calls(spec, {"val": (1, 2, 3)}, 2) == 10  # type: ignore[dict-item]
    if fits:
        assert start_study(store, "Plans", spec).spec.budget.max_calls == 10
        return
    with pytest.raises(SettingsError, match=r"9 calls are too few: .* at least 10\.") as caught:
        start_study(store, "Plans", spec)
    assert "at least 10" in caught.value.hint
    assert store.list_studies() == []


def test_repeats_need_more_calls(store: SqlStore) -> None:
    with pytest.raises(SettingsError, match="at least 19"):
        start_study(store, "Plans", changed(repeats=2, budget=StudyBudget(max_calls=18)))


@pytest.mark.parametrize(
    ("spec", "given", "says"),
    [
        (changed(generator=""), (), "needs a generator"),
        (sized(train=0), (), "to learn from; `train` has none"),
        (sized(val=0), (), "to select by; `val` has none"),
        (sized(test=500), (), "there are 185"),
        (changed(suite=SuiteSpec(name="travel")), (), "no suite `travel`"),
        (changed(method="evaluate"), (), "no workflow to score"),
        (changed(method="evaluate", suite=SUITE.model_copy(update={"val": 0})), (skilled(1),), "`val` has no tasks"),
    ],
)
def test_what_cannot_work_is_said_and_nothing_is_kept(
    store: SqlStore, spec: StudySpec, given: tuple[str, ...], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        start_study(store, "Plans", spec, given=given)
    assert store.list_studies() == []


def test_workflow_or_study_that_is_not_there_is_named(store: SqlStore) -> None:
    for more in ({"workflow_id": "wf_000000000000"}, {"parent_id": "st_000000000000"}):
        with pytest.raises(NotFound, match="_000000000000"):
            start_study(store, "Plans", SPEC, **more)  # type: ignore[arg-type]
    assert store.list_studies() == []


@pytest.mark.parametrize(
    ("budget", "spent", "seconds", "stop"),
    [
        ({}, Totals(calls=10**9, prompt_tokens=10**12, cost_usd=1e9), 1e9, None),
        ({"max_calls": 5}, Totals(calls=4), 0, None),
        ({"max_calls": 5}, Totals(calls=5), 0, "calls"),
        ({"max_tokens": 10}, Totals(prompt_tokens=5, completion_tokens=4), 0, None),
        ({"max_tokens": 10}, Totals(prompt_tokens=5, completion_tokens=5), 0, "tokens"),
        ({"max_cost_usd": 0.5}, Totals(cost_usd=0.49), 0, None),
        ({"max_cost_usd": 0.5}, Totals(cost_usd=0.5), 0, "cost"),
        ({"max_cost_usd": 0.5}, Totals(cost_usd=None), 0, None),
        ({"max_cost_usd": 0.0}, Totals(cost_usd=0.0), 0, None),  # models of one's own cost nothing
        ({"max_cost_usd": 0.0}, Totals(cost_usd=0.001), 0, "cost"),
        ({"max_time_s": 60}, Totals(), 59.9, None),
        ({"max_time_s": 60}, Totals(), 60.0, "time"),
        ({"max_time_s": 60, "max_calls": 1}, Totals(calls=1), 60.0, "calls"),
    ],
)
def test_limit_is_reached_at_what_it_says(
    budget: dict[str, float], spent: Totals, seconds: float, stop: str | None
) -> None:
    assert reached(StudyBudget.model_validate(budget), spent, seconds) == stop
