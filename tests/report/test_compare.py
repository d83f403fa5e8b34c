"""What a comparison says of two candidates, against what was written into the store."""

from __future__ import annotations

import json
import statistics

import pytest

from autoflow.errors import NotFound
from autoflow.metrics.plan import gold_plan
from autoflow.records import Totals
from autoflow.report.as_json import report_json
from autoflow.report.compare import name_of
from autoflow.report.comparison import NOTHING_YET, signs
from autoflow.report.load import load_view, openings_of_test, trace_pair, trace_pairs
from autoflow.report.notes import notes, side_figures
from autoflow.store import SqlStore, open_store
from autoflow.study import MANUAL, Candidate, Outcome, Rating, StudyBatch, StudySpec, SuiteSpec
from tests.report.reports import report_of
from tests.report.studies import MODEL, NEW, OLD, suite_of, written


@pytest.fixture
def store() -> SqlStore:
    return open_store()


def test_scores_totals_and_rows_are_those_of_the_outcomes(store: SqlStore) -> None:
    study = written(store)
    report = report_of(store, study)
    outcomes = [o for _, o in store.study_outcomes(study.id)]
    of_b = {o.task: o for o in outcomes if o.candidate == 1}
    assert [row.task for row in report.rows] == list(study.splits["val"])
    assert [row.b and row.b.score for row in report.rows] == [of_b[row.task].score for row in report.rows]
    assert report.b.score is not None
    assert report.b.score.mean == pytest.approx(statistics.fmean(o.score for o in of_b.values()))
    assert report.b.totals == sum((o.totals for o in of_b.values()), Totals())
    assert report.b.p50_s == statistics.median(o.totals.seconds for o in of_b.values())
    assert (report.missing, report.a.name, report.b.name) == (0, "Refund v1", "Refund v8")
    assert report.verdict.startswith("Refund v8 is better by 0.53 (95 % interval ")


def test_rows_say_the_objective_what_was_expected_and_the_difference(store: SqlStore) -> None:
    report = report_of(store, written(store))
    _, suite = suite_of()
    for task, row in zip(suite.tasks("val"), report.rows, strict=True):
        assert row.a is not None
        assert row.b is not None
        assert row.objective == task.task.objective
        assert row.difference == pytest.approx((row.b.score or 0) - (row.a.score or 0), abs=1e-9)
        assert row.expected == ", ".join(gold_plan(task.expected.plan))
    assert [row for row in report.rows if row.a and row.b and row.a.score != row.b.score] == list(report.different)


def test_repeats_are_averaged_and_all_their_answers_kept(store: SqlStore) -> None:
    turn = iter(range(10_000))
    report = report_of(store, written(store, repeats=2, reply=lambda _: f"Image Denoising {next(turn)}"))
    cell = report.rows[0].a
    assert cell is not None
    assert len(set(cell.answers)) == 2
    assert (report.a.runs, cell.calls) == (18, 2)
    assert report.comparison is not None
    assert report.comparison.tasks == 9


def test_an_unfinished_comparison_compares_what_both_have_and_counts_the_rest(store: SqlStore) -> None:
    report = report_of(store, written(store, only=3))
    assert report.comparison is not None
    assert (report.comparison.tasks, len(report.rows), report.missing) == (3, 3, 12)
    assert "Not finished: 12 runs still missing." in notes(report)


def test_before_the_first_run_there_is_no_verdict(store: SqlStore) -> None:
    study = written(store, only=0)
    report = report_of(store, study)
    assert (report.comparison, report.rows, report.verdict) == (None, (), NOTHING_YET)
    assert dict(side_figures(report.a))["Score (95 % interval)"] == "–"


def test_runs_that_failed_score_nothing_and_say_why(store: SqlStore) -> None:
    report = report_of(store, written(store, (OLD, "A:::process:::x:::next::Nowhere\n")))
    cell = report.rows[0].b
    assert cell is not None
    assert (cell.score, cell.stops) == (0.0, ("invalid-workflow",))
    assert "Nowhere" in cell.errors[0]
    assert report.b.valid == 0.0


def test_tasks_that_wait_for_a_person_are_left_out_of_the_verdict_until_they_are_rated(store: SqlStore) -> None:
    study = written(store, only=2)
    late = study.splits["val"][2]
    given = [
        (Outcome(candidate=n, task=late, score=0.0, pending=True, stop="terminal", answer=str(n)), ()) for n in (0, 1)
    ]
    store.add_to_study(StudyBatch(study.id, outcomes=given))
    report = report_of(store, study)
    assert report.comparison is not None
    assert (report.comparison.tasks, report.rows[2].difference) == (2, None)
    assert "1 task left out until a person has rated the answers." in notes(report)
    for n, value in ((0, 0.2), (1, 0.9)):
        store.rate(study.id, Rating(candidate=n, task=late, value=value))
    rated = report_of(store, study)
    assert rated.rows[2].difference == pytest.approx(0.7)


def test_latency_leaves_out_runs_that_the_cache_answered(store: SqlStore) -> None:
    study = written(store, only=1)
    _, second, third = study.splits["val"][:3]
    slow = Outcome(candidate=0, task=second, score=0.0, stop="terminal", totals=Totals(calls=1, seconds=9.0))
    cached = slow.model_copy(update={"task": third, "totals": Totals(calls=1, cached=1, seconds=0.001)})
    store.add_to_study(StudyBatch(study.id, outcomes=[(slow, ()), (cached, ())]))
    report = report_of(store, study)
    assert report.a.p50_s is not None
    assert report.a.p50_s == pytest.approx(4.5, abs=0.5)
    told = {row.task: row.a for row in report.rows if row.a}
    assert [(told[task].seconds, told[task].cached) for task in (second, third)] == [(9.0, 0.0), (0.001, 1.0)]
    assert "1 call answered from the cache: they cost nothing and took no time." in notes(report)


def test_the_sealed_test_says_how_often_it_was_opened_by_all_studies(store: SqlStore) -> None:
    written(store, split="test")
    study = written(store, split="test")
    report = report_of(store, study, split="test")
    assert report.sealed
    assert report.test_openings == openings_of_test(store, study.spec.suite) == 2
    assert openings_of_test(store, SuiteSpec(name="openagi-plan", seed=9)) == 0
    assert any("opened 2 times" in note for note in notes(report))


def test_candidates_of_a_search_are_called_by_number_and_what_made_them(store: SqlStore) -> None:
    suite_spec, suite = suite_of()
    spec = StudySpec(method="in-context", suite=suite_spec, interpreter=MODEL)
    study = store.create_study("Search", spec, {"val": [t.id for t in suite.tasks("val")]})
    found = [Candidate(number=0, text=OLD, operator=MANUAL), Candidate(number=1, text=NEW, parent=0, operator="split")]
    store.add_to_study(StudyBatch(study.id, found))
    report = report_of(store, study)
    assert [name_of(study, c) for c in found] == ["#0 manual workflow", "#1 split"] == [report.a.name, report.b.name]
    assert any("The search chose by these validation tasks" in note for note in notes(report))


def test_a_candidate_that_is_none_is_told(store: SqlStore) -> None:
    study = written(store)
    with pytest.raises(NotFound, match="no candidate 7"):
        report_of(store, study, 0, 7)
    assert len(load_view(store, study.id).candidates) == 2


def test_the_graphs_are_marked_by_the_difference(store: SqlStore) -> None:
    report = report_of(store, written(store))
    assert signs(report.diff) == ({1: "~"}, {1: "~", 2: "+", 3: "+"})
    back = report_of(store, written(store, (NEW, OLD)))
    assert signs(back.diff) == ({1: "~", 2: "−", 3: "−"}, {1: "~"})


def test_traces_are_those_of_the_runs_and_at_first_of_the_tasks_that_differ_most(store: SqlStore) -> None:
    report = report_of(store, written(store))
    pairs = trace_pairs(store, report)
    by_difference = [abs(pair.task.difference or 0) for pair in pairs]
    assert by_difference == sorted(by_difference, reverse=True)
    assert [view.step for view in pairs[0].a] == ["Step 1", "Step 2"]
    assert pairs[0].b[-1].answer == (pairs[0].task.b and pairs[0].task.b.answer)
    assert [p.task.task for p in trace_pairs(store, report, [report.rows[2].task])] == [report.rows[2].task]
    assert trace_pair(store, report, report.rows[0], repeat=5).a == []


def test_json_has_the_fixed_shape(store: SqlStore) -> None:
    report = report_of(store, written(store))
    told = json.loads(json.dumps(report_json(report)))
    assert list(told) == [
        "study_id", "suite", "split", "seed", "model", "repeats", "verdict", "difference", "p", "tasks", "wins", "ties",
        "losses", "missing", "test_openings", "proposed_by_a_model", "a", "b", "diff", "rows",
    ]  # fmt: skip
    assert list(told["a"]) == [
        "candidate",
        "name",
        "text",
        "error",
        "score",
        "runs",
        "valid",
        "p50_s",
        "usage",
        "judge",
    ]
    assert list(told["rows"][0]["b"]) == ["score", "answers", "stops", "errors", "calls", "seconds", "cost_usd"]
    assert (told["wins"], told["ties"], told["losses"], told["tasks"]) == (7, 2, 0, 9)
    assert told["test_openings"] is None
