"""The Benchmark page: how a grid is set up, what it comes to, and how it stands in every state."""

from __future__ import annotations

import pytest

from autoflow.benchmark import Variant, cells, study_spec
from autoflow.optimize.presets import PRESETS
from autoflow.records import Connection
from autoflow.report.grid_words import NO_MIXED
from autoflow.store import SqlStore
from autoflow.study import MANUAL, PLAIN, Candidate, Outcome, Rating, Split, StudyBatch, SuiteSpec
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests import grids
from tests.app.optimizing import Visit, act, keys, query, shown

A, B = "openai:a", "openai:b"


@pytest.fixture
def models(store: SqlStore) -> tuple[str, str]:
    for name in ("a", "b"):
        store.save_connection(Connection(name=name, model=name, base_url="http://localhost:1/v1"))
    return A, B


def choose(app: object, generators: list[str], interpreters: list[str]) -> None:
    app.multiselect(key="benchmark-generators").set_value(generators)  # type: ignore[attr-defined]
    app.multiselect(key="benchmark-interpreters").set_value(interpreters)  # type: ignore[attr-defined]


class TestSettingUp:
    def test_who_has_none_is_told_what_one_is_and_can_begin_at_once(self, visit: Visit, store: SqlStore) -> None:
        app = visit("benchmark")
        assert "What is a benchmark?" in shown(app)
        assert "1 cell: 1 generator × 1 interpreter" in shown(app)
        app = act(app, "benchmark-start")
        (made,) = store.list_benchmarks()
        assert query(app, "benchmark") == made.id
        assert len(store.list_jobs(kind="study")) == 1
        assert "What is a benchmark?" not in shown(visit("benchmark"))

    def test_what_is_chosen_becomes_a_grid(self, visit: Visit, store: SqlStore, models: tuple[str, str]) -> None:
        app = visit("benchmark")
        choose(app, [A, B], [A])
        app.selectbox(key="benchmark-preset").set_value("memory")
        app.selectbox(key="benchmark-method").set_value("paper")
        app.text_input(key="benchmark-name").set_value("  Ours  ")
        for name, value in {"train": 1, "val": 2, "test": 3, "repeats": 2, "rounds": 4, "calls": 500}.items():
            app.number_input(key=f"benchmark-{name}").set_value(value)
        app.number_input(key="benchmark-minutes").set_value(1.5)
        app.number_input(key="benchmark-dollars").set_value(0.25)
        app.run()
        assert "10 cells: 2 generators × 1 interpreter × 5 variants" in shown(app)
        assert "up to 5,000 model calls before the tests, 500 a cell" in shown(app)
        assert "180 test runs: manual, plain prompt and what was found" in shown(app)  # 10 cells x 3 x 3 tasks x 2
        act(app, "benchmark-start")
        (made,) = store.list_benchmarks()
        assert made.name == "Ours"
        spec = made.spec
        assert (spec.generators, spec.interpreters, spec.method, spec.repeats) == ((A, B), (A,), "paper", 2)
        assert spec.suites[0].sizes == {"train": 1, "val": 2, "test": 3}
        budget = spec.budget
        assert (budget.max_rounds, budget.max_calls, budget.max_time_s, budget.max_cost_usd) == (4, 500, 90.0, 0.25)
        assert len(made.studies) == len(store.list_jobs(kind="study")) == 10

    def test_manual_alone_searches_nothing(self, visit: Visit, store: SqlStore, models: tuple[str, str]) -> None:
        app = visit("benchmark")
        choose(app, [A], [A])
        next(c for c in app.segmented_control if c.key == "benchmark-workflows").set_value(
            "Manual and plain prompt alone"
        )
        app.run()
        assert "24 test runs: manual and plain prompt" in shown(app)
        act(app, "benchmark-start")
        assert store.list_benchmarks()[0].spec.budget.max_rounds == 0

    @pytest.mark.parametrize("preset", PRESETS)
    def test_every_preset_says_what_it_comes_to(
        self, visit: Visit, store: SqlStore, models: tuple[str, str], preset: str
    ) -> None:
        app = visit("benchmark")
        choose(app, [A], [B])
        app.selectbox(key="benchmark-preset").set_value(preset)
        app.run()
        assert "1 generator × 1 interpreter" in shown(app)
        assert "No model stands on both sides" in shown(app)
        assert "benchmark-start" in keys(app)

    def test_suites_of_a_person_and_those_that_are_there_stand_together(
        self, visit: Visit, store: SqlStore, models: tuple[str, str]
    ) -> None:
        rows = [Row(objective=f"Task {n}", expected="x") for n in range(12)]
        saved = store.save_suite("My mails", suite_body(rows, "exact"))
        app = visit("benchmark")
        choose(app, [A], [A])
        app.multiselect(key="benchmark-suites").set_value(["openagi-plan", saved.id])
        app.run()
        assert "2 cells: 1 generator × 1 interpreter × 2 suites" in shown(app)
        act(app, "benchmark-start")
        assert [s.name for s in store.list_benchmarks()[0].spec.suites] == ["openagi-plan", "table"]

    def test_openagi_says_whose_tools_and_how_many_tasks(
        self, visit: Visit, store: SqlStore, models: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("autoflow.tools.openagi.experts.hub_answers", lambda: False)
        app = visit("benchmark")
        choose(app, [A], [A])
        app.selectbox(key="benchmark-preset").set_value("paper")
        app.run()
        without = shown(app)
        assert "Plans are carried out by offline parts" in without
        app.selectbox(key="benchmark-judge").set_value(B)
        app.run()
        assert shown(app) != without, "with a model that tools can ask there are more tasks"
        app.selectbox(key="benchmark-provider").set_value("hub")
        app.run()
        assert "scored as in the paper" in shown(app)
        act(app, "benchmark-start")
        assert store.list_benchmarks()[0].spec.suites[0].options["provider"] == "hub"

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [("calls", 2, "2 calls are too few"), ("train", 0, "tasks to learn from"), ("test", 500, "there are 185")],
    )
    def test_what_cannot_begin_is_said_and_nothing_is_kept(
        self, visit: Visit, store: SqlStore, models: tuple[str, str], name: str, value: int, words: str
    ) -> None:
        app = visit("benchmark")
        choose(app, [A], [A])
        app.number_input(key=f"benchmark-{name}").set_value(value)
        app.run()
        app = act(app, "benchmark-start") if "benchmark-start" in keys(app) else app
        assert words in shown(app)
        assert store.list_benchmarks() == store.list_studies() == []

    def test_without_models_it_asks_for_them(self, visit: Visit, store: SqlStore) -> None:
        app = visit("benchmark")
        choose(app, [], [])
        app.run()
        assert "Choose at least one generator and one interpreter." in shown(app)
        assert "benchmark-start" not in keys(app)

    def test_too_many_cells_are_said_before_the_start(self, visit: Visit, store: SqlStore) -> None:
        names = [f"m{n}" for n in range(21)]
        for name in names:
            store.save_connection(Connection(name=name, model=name, base_url="http://localhost:1/v1"))
        app = visit("benchmark")
        choose(app, [f"openai:{n}" for n in names], [f"openai:{n}" for n in names])
        app.run()
        assert "The grid has 441 cells; up to 400 are carried out." in shown(app)
        assert "benchmark-start" not in keys(app)


def test_openagi_can_be_chosen_for_a_search_as_well(visit: Visit, store: SqlStore) -> None:
    told = shown(visit("optimize", tasks="openagi"))
    assert "Tasks of OpenAGI whose plans are carried out" in told
    assert "Something in AutoFlow failed" not in told


class TestOne:
    def test_what_is_measured_is_told_with_what_was_published_apart(self, visit: Visit, store: SqlStore) -> None:
        told = shown(visit("benchmark", benchmark=grids.written(store, "Ours").id))
        for words in ("Ours", "Measured", "Best mixed pair", "Published, not measured", "Manual beside generated"):
            assert words in told
        assert "Plans are scored by rule" in told

    def test_states_and_reasons_are_told_and_pause_and_go_on_mean_all(self, visit: Visit, store: SqlStore) -> None:
        states = {"0-0-0-0": "running", "0-0-0-1": "failed", "0-0-1-0": "paused", "0-0-1-1": "stopped"}
        made = grids.written(store, states=states)
        app = visit("benchmark", benchmark=made.id)
        told = shown(app)
        assert "0 of 4 cells done** · 1 running · 1 paused · 1 failed · 1 stopped" in told
        assert grids.GAVE_UP in told
        assert {"benchmark-pause", "benchmark-resume"} <= keys(app)
        app = act(app, "benchmark-pause")
        jobs = store.benchmark_jobs(made.id)
        assert [jobs[made.studies[key]].state for key in states] == ["pausing", "failed", "paused", "cancelled"]
        act(app, "benchmark-resume")
        jobs = store.benchmark_jobs(made.id)
        assert [jobs[made.studies[key]].state for key in states] == ["running", "queued", "queued", "cancelled"]

    def test_a_deleted_study_is_a_hole_and_not_the_end(self, visit: Visit, store: SqlStore) -> None:
        made = grids.written(store, states={"0-0-1-1": "deleted"})
        told = shown(visit("benchmark", benchmark=made.id))
        assert "3 of 4 cells done** · 1 deleted" in told
        assert "Its study was deleted." in told

    def test_a_recording_is_called_that_and_cannot_go_on(self, visit: Visit, store: SqlStore) -> None:
        made = grids.written(store, recorded="Made up.", states={"0-0-0-0": "failed"})
        app = visit("benchmark", benchmark=made.id)
        assert "A recording, to show around." in shown(app)
        assert not {"benchmark-pause", "benchmark-resume", "benchmark-delete-now"} & keys(app)
        assert "a recording" in shown(visit("benchmark"))

    def test_variants_are_held_against_the_first(self, visit: Visit, store: SqlStore) -> None:
        made = grids.written(
            store, generators=(A,), interpreters=(A,), variants=[Variant(name="search"), Variant(name="no search")]
        )
        told = shown(visit("benchmark", benchmark=made.id))
        assert "no search against search: " in told
        assert NO_MIXED in told

    def test_the_list_says_how_far_each_is(self, visit: Visit, store: SqlStore) -> None:
        grids.written(store, "", states={"0-0-0-0": "failed"})
        grids.written(store, "Second", generators=(A,), states={"0-0-0-0": "running"})
        told = shown(visit("benchmark"))
        assert "A benchmark without a name" in told
        assert "3 of 4 cells ended, some failed" in told
        assert "1 of 2 cells ended, under way" in told

    def test_ratings_after_the_end_change_what_is_told(self, visit: Visit, store: SqlStore) -> None:
        rows = [Row(objective=f"Task {n}", expected="x") for n in range(6)]
        saved = store.save_suite("My mails", suite_body(rows, "person"))
        suite = SuiteSpec(name="table", options={"suite": saved.id}, train=1, val=2, test=2)
        spec = grids.spec((A,), (A,), suites=(suite,))
        (cell,) = cells(spec)
        tasks: dict[Split, tuple[str, ...]] = {"train": ("t0",), "val": ("t1", "t2"), "test": ("t3", "t4")}
        study = store.create_study("Mails", study_spec(spec, cell), tasks)
        made = [Candidate(number=n, text=grids.BETTER, operator=o) for n, o in enumerate((MANUAL, PLAIN, "rewrite"))]
        outcomes = [
            (Outcome(candidate=c.number, task=t, split="test", score=0.0, pending=True, stop="terminal"), ())
            for c in made
            for t in tasks["test"]
        ]
        store.add_to_study(StudyBatch(study.id, made, outcomes, rounds=1, stop="rounds", best=2, test_uses=1))
        benchmark = store.create_benchmark("Mails", spec, {cell.key: study.id})
        assert "Generated above manual: +0.40" not in shown(visit("benchmark", benchmark=benchmark.id))
        for number, value in ((0, 0.2), (1, 0.1), (2, 0.6)):
            for task in tasks["test"]:
                store.rate(study.id, Rating(candidate=number, task=task, value=value))
        assert "Generated above manual: +0.40" in shown(visit("benchmark", benchmark=benchmark.id))
