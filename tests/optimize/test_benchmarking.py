"""Beginning a benchmark: every cell checked before anything is written, one study and one job a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autoflow.benchmark import MOST, BenchmarkSpec, Cell, Variant, cells, name_of, study_spec
from autoflow.errors import NotFound, SettingsError, StorageUnavailable
from autoflow.llm.scripted import ScriptedLLM
from autoflow.optimize.benchmarking import open_studies, pause, start_benchmark, submit
from autoflow.optimize.presets import PRESETS, adjusted
from autoflow.store import SqlStore
from autoflow.study import SPLITS, RewardSpec, Study, StudyBatch, StudyBudget, SuiteSpec
from autoflow.suites.registry import open_suite
from tests.optimize.trainable import make_model

PLAN = SuiteSpec(name="openagi-plan", train=1, val=2, test=2)


def spec(**more: object) -> BenchmarkSpec:
    told = {"generators": ("g1", "g2"), "interpreters": ("i1", "i2"), "suites": (PLAN,)}
    return BenchmarkSpec.model_validate(told | more)


def test_every_cell_is_a_study_with_a_job(store: SqlStore) -> None:
    made = start_benchmark(store, "Ours", spec())
    assert list(made.studies) == ["0-0-0-0", "0-0-0-1", "0-0-1-0", "0-0-1-1"]
    models = [(s.spec.interpreter, s.spec.generator) for s in map(store.get_study, made.studies.values())]
    assert models == [("i1", "g1"), ("i1", "g2"), ("i2", "g1"), ("i2", "g2")]
    assert {job.subject_id for job in store.list_jobs(kind="study")} == set(made.studies.values())


@pytest.mark.parametrize("error", [KeyboardInterrupt, StorageUnavailable("full")])
def test_broken_off_it_leaves_no_study_behind(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, error: BaseException | type[BaseException]
) -> None:
    written: list[str] = []
    create = store.create_study

    def third(*args: Any, **more: Any) -> Study:
        if len(written) == 2:
            raise error
        made = create(*args, **more)
        written.append(made.id)
        return made

    monkeypatch.setattr(store, "create_study", third)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        start_benchmark(store, "Ours", spec())
    assert len(written) == 2
    for study_id in written:
        with pytest.raises(NotFound):
            store.get_study(study_id)
    assert store.list_jobs() == store.list_benchmarks() == []


def test_the_same_tasks_stand_in_every_cell(store: SqlStore) -> None:
    made = start_benchmark(store, "Ours", spec())
    assert len({str(store.get_study(study_id).splits) for study_id in made.studies.values()}) == 1


def test_every_generator_is_asked_whether_it_can_be_trained_before_anything_is_written(
    store: SqlStore, tmp_path: Path
) -> None:
    trained = (make_model(tmp_path / "model"), "openai:gpt")
    with pytest.raises(SettingsError, match=r"openai:gpt writes, i1 runs.* cannot begin: Only a model of this machine"):
        start_benchmark(store, "Ours", spec(generators=trained, method="lora"))
    assert store.list_studies() == store.list_benchmarks() == []


def test_submitting_again_queues_nothing_twice_and_nothing_that_has_ended(store: SqlStore) -> None:
    made = start_benchmark(store, "Ours", spec())
    first = next(iter(made.studies.values()))
    store.add_to_study(StudyBatch(first, stop="rounds", best=0))
    again = submit(store, made)
    assert first not in {job.subject_id for job in again}
    assert len(store.list_jobs(kind="study")) == 4


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"budget": StudyBudget(max_calls=2)}, "g1 writes, i1 runs, openagi-plan` cannot begin: 2 calls are too few"),
        ({"suites": (PLAN, SuiteSpec(name="nowhere"))}, "nowhere"),
        ({"variants": (Variant(), Variant(name="odd", policy={"memory": "elephant"}))}, "The variant `odd`"),
        ({"variants": (Variant(), Variant(name="odd", options={"draughts": 1}))}, "`draughts`"),
        ({"generators": tuple(f"g{n}" for n in range(MOST))}, "800 cells"),
    ],
)
def test_what_cannot_begin_is_said_and_nothing_is_written(store: SqlStore, more: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        start_benchmark(store, "Ours", spec(**more))
    assert words in str(caught.value)
    assert store.list_studies() == store.list_benchmarks() == store.list_jobs() == []


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"generators": ("g1", "g1")}, "The generator `g1` stands in the grid twice"),
        ({"interpreters": ("i1", "i1")}, "The interpreter `i1` stands"),
        ({"suites": (PLAN, PLAN)}, "The suite `openagi-plan` stands"),
    ],
)
def test_nothing_stands_in_a_grid_twice(store: SqlStore, more: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        start_benchmark(store, "Ours", spec(**more))
    assert store.list_studies() == []


def test_pause_means_all_cells_and_submit_takes_them_up(store: SqlStore) -> None:
    made = start_benchmark(store, "Ours", spec())
    lease = store.claim("w", lease_s=60)
    assert lease is not None
    failed = store.claim("w", lease_s=60)
    assert failed is not None
    store.finish(failed, "failed", error="gone")
    assert pause(store, made) == 3
    states = {job.state for job in store.benchmark_jobs(made.id).values()}
    assert states == {"pausing", "paused", "failed"}
    store.finish(lease, "paused")
    submit(store, made)
    assert [job.state for job in store.benchmark_jobs(made.id).values()] == ["queued"] * 4
    assert len(store.list_jobs(kind="study")) == 4, "the same jobs, taken up"


def test_what_was_deleted_or_ended_is_not_taken_up(store: SqlStore) -> None:
    made = start_benchmark(store, "Ours", spec())
    gone, ended, *others = made.studies.values()
    pause(store, made)
    store.delete_study(gone)
    store.add_to_study(StudyBatch(ended, stop="person"))
    assert [study.id for study in open_studies(store, made)] == others
    assert [job.subject_id for job in submit(store, made)] == others


OPENAGI = SuiteSpec(name="openagi", train=40, val=45, test=100, options={"provider": "offline"})


def test_tasks_are_dealt_as_they_will_be_carried_out(store: SqlStore) -> None:
    """With a model that offline tools can ask there are more tasks than without."""
    counts = []
    for judge in ("", "openai:judge"):
        made = start_benchmark(store, "Ours", spec(suites=(OPENAGI,), judge=judge, generators=("g",)))
        study = store.get_study(next(iter(made.studies.values())))
        suite = open_suite(study.spec.suite, judge=ScriptedLLM(()) if judge else None)
        assert study.splits == {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
        counts.append(sum(map(len, study.splits.values())))
    assert counts[0] < counts[1]


def test_whose_tools_carry_plans_out_is_settled_before_the_start(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autoflow.tools.openagi.experts.hub_answers", lambda: False)
    made = start_benchmark(store, "Ours", spec(suites=(OPENAGI.model_copy(update={"options": {}}),), generators=("g",)))
    told = {store.get_study(study_id).spec.suite.options["provider"] for study_id in made.studies.values()}
    assert told == {"offline"} == {made.spec.suites[0].options["provider"]}


def test_a_preset_is_adjusted_and_stays_itself_where_nothing_is_said(store: SqlStore) -> None:
    quick = PRESETS["quick"][1](["g"], ["i"])
    assert adjusted(quick, store=store) == quick
    table = store.save_suite("mails", {"rows": [{"objective": f"{n}"} for n in range(12)]})
    told = adjusted(
        quick, store=store, suites=["reasoning", table.id], sizes={"test": 5}, seed=3, method="paper", repeats=2,
        budget={"max_calls": 9, "max_rounds": None},
    )  # fmt: skip
    assert [(s.name, s.test, s.seed) for s in told.suites] == [("reasoning", 5, 3), ("table", 5, 3)]
    assert (told.suites[0].train, told.suites[0].val) == (quick.suites[0].train, quick.suites[0].val)
    assert (told.method, told.repeats, told.seed) == ("paper", 2, 3)
    assert told.budget == quick.budget.model_copy(update={"max_calls": 9})


def test_a_variant_changes_what_it_names_and_nothing_else() -> None:
    plain, dear = (
        Variant(),
        Variant(name="dear", method="paper", reward=RewardSpec(steps=0.1), policy={"memory": "none"}),
    )
    told = spec(variants=(plain, dear), seed=7)
    one, other = (study_spec(told, Cell(suite=0, variant=n, interpreter=0, generator=0)) for n in (0, 1))
    assert (other.method, other.reward.steps, other.policy.memory) == ("paper", 0.1, "none")
    same = {"method": one.method, "reward": one.reward, "policy": one.policy}
    assert other.model_copy(update=same) == one
    assert (
        name_of(told, Cell(suite=0, variant=1, interpreter=1, generator=0)) == "g1 writes, i2 runs, openagi-plan, dear"
    )


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_grids_that_can_be_told(name: str) -> None:
    words, made = PRESETS[name]
    told = made(["g"], ["i"])
    assert words
    names = [name_of(told, cell) for cell in cells(told)]
    assert len(set(names)) == len(names)
    for cell in cells(told):
        study_spec(told, cell)
