"""What every store of benchmarks must do."""

from __future__ import annotations

import pytest

from autoflow.benchmark import BenchmarkSpec, Variant
from autoflow.errors import NotFound
from autoflow.records import new_id
from autoflow.store import SqlStore
from autoflow.study import RewardSpec, SuiteSpec
from tests.store.contracts import HOSTILE, StoreFixtures, storable
from tests.store.study_contract import new_study

SPEC = BenchmarkSpec(
    generators=("g1", "g2"), interpreters=("i",), suites=(SuiteSpec(name="openagi-plan", seed=2**40),),
    variants=(Variant(), Variant(name="dear steps", reward=RewardSpec(steps=0.01), policy={"memory": "none"})),
)  # fmt: skip


class BenchmarkContract(StoreFixtures):
    def test_benchmark_comes_back_as_it_was_made(self, store: SqlStore) -> None:
        study = new_study(store)
        made = store.create_benchmark("Ours", SPEC, {"0-0-0-0": study.id}, recorded="made up")
        assert store.get_benchmark(made.id) == made
        assert (made.name, made.spec, made.studies) == ("Ours", SPEC, {"0-0-0-0": study.id})
        assert made.recorded == "made up"
        assert made.created_at > 0

    def test_the_newest_comes_first_and_what_was_deleted_not_at_all(self, store: SqlStore) -> None:
        first, second, third = (store.create_benchmark(name, SPEC, {}) for name in "abc")
        store.delete_benchmark(second.id)
        assert [b.id for b in store.list_benchmarks()] == [third.id, first.id]
        assert [b.id for b in store.list_benchmarks(1)] == [third.id]
        with pytest.raises(NotFound):
            store.get_benchmark(second.id)

    def test_a_study_outlives_its_benchmark(self, store: SqlStore) -> None:
        study = new_study(store)
        store.delete_benchmark(store.create_benchmark("a", SPEC, {"0-0-0-0": study.id}).id)
        assert store.get_study(study.id) == study

    def test_cells_can_be_left_out_of_the_list_of_studies_for_as_long_as_their_benchmark_is_there(
        self, store: SqlStore
    ) -> None:
        alone, cell = new_study(store), new_study(store)
        made = store.create_benchmark("a", SPEC, {"0-0-0-0": cell.id})
        assert {study.id for study in store.list_studies()} == {alone.id, cell.id}
        assert [study.id for study in store.list_studies(cells=False)] == [alone.id]
        assert [study.id for study in store.list_studies(1, cells=False)] == [alone.id]
        store.delete_benchmark(made.id)
        assert {study.id for study in store.list_studies(cells=False)} == {alone.id, cell.id}

    def test_a_study_that_is_not_there_is_no_cell(self, store: SqlStore) -> None:
        with pytest.raises(NotFound, match="study"):
            store.create_benchmark("a", SPEC, {"0-0-0-0": new_id("st")})
        assert store.list_benchmarks() == []

    def test_studies_and_latest_jobs_of_all_cells_are_read_at_once(self, store: SqlStore) -> None:
        first, second, gone, other = (new_study(store) for _ in range(4))
        made = store.create_benchmark("a", SPEC, {"0-0-0-0": first.id, "0-0-0-1": second.id, "0-1-0-0": gone.id})
        assert store.benchmark_jobs(made.id) == {}
        old = store.submit("study", {"study_id": first.id}, title="t", subject_id=first.id)
        store.request(old.id, "cancel")
        jobs = [store.submit("study", {"study_id": s.id}, title="t", subject_id=s.id) for s in (first, gone, other)]
        store.delete_study(gone.id)
        studies = store.benchmark_studies(made.id)
        assert studies == {study.id: store.get_study(study.id) for study in (first, second)}
        assert store.benchmark_jobs(made.id) == {first.id: store.get_job(jobs[0].id)}

    @pytest.mark.parametrize("name", HOSTILE, ids=ascii)
    def test_any_name_is_kept(self, store: SqlStore, name: str) -> None:
        assert store.get_benchmark(store.create_benchmark(name, SPEC, {}).id).name == storable(name)

    @pytest.mark.parametrize("name", [*HOSTILE, "bm_000000000000", "st_000000000000"], ids=ascii)
    def test_ids_of_nothing_are_not_found(self, store: SqlStore, name: str) -> None:
        with pytest.raises(NotFound):
            store.get_benchmark(name)
        for read in (store.delete_benchmark, store.benchmark_studies, store.benchmark_jobs):
            with pytest.raises(NotFound):
                read(name)
