"""Every contract on every database."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from autoflow.errors import StorageUnavailable
from autoflow.store import SqlStore, open_store
from autoflow.store.job_rows import j
from tests.store.benchmark_contract import BenchmarkContract
from tests.store.contracts import RecordsContract, RunContract, WorkflowContract
from tests.store.job_contract import JobContract, claimed, queued
from tests.store.study_contract import StudyContract


class OnSqlite:
    @pytest.fixture
    def url(self, sqlite_url: str) -> str:
        return sqlite_url


@pytest.mark.postgres
class OnPostgres:
    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        return postgres_url


class TestWorkflowsOnSqlite(OnSqlite, WorkflowContract): ...


class TestWorkflowsOnPostgres(OnPostgres, WorkflowContract): ...


class TestRunsOnSqlite(OnSqlite, RunContract): ...


class TestRunsOnPostgres(OnPostgres, RunContract): ...


class TestRecordsOnSqlite(OnSqlite, RecordsContract): ...


class TestRecordsOnPostgres(OnPostgres, RecordsContract): ...


class TestStudiesOnSqlite(OnSqlite, StudyContract): ...


class TestStudiesOnPostgres(OnPostgres, StudyContract): ...


class TestBenchmarksOnSqlite(OnSqlite, BenchmarkContract): ...


class TestBenchmarksOnPostgres(OnPostgres, BenchmarkContract): ...


class TestJobsOnSqlite(OnSqlite, JobContract): ...


class TestJobsOnPostgres(OnPostgres, JobContract):
    def test_wrong_clock_of_a_worker_steals_nothing(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """The workers may be on many hosts: the clock is the database's."""
        queued(store)
        lease = claimed(store)
        real = time.time
        for skew in (86_400, -86_400):
            monkeypatch.setattr(time, "time", lambda skew=skew: real() + skew)
            assert store.claim("skewed", lease_s=60) is None
            assert store.heartbeat(lease) == "running"
        monkeypatch.undo()
        assert abs(store.get_job(lease.job.id).updated_at - time.time()) < 60

    def test_job_of_a_worker_that_froze_inside_a_transaction_is_claimed(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It holds the lock of its job's row, and would for ever: others pass over rows that are locked."""
        monkeypatch.setattr("autoflow.store.engine.FROZEN_S", 0.3)
        frozen, other = open_store(url), open_store(url)
        job = queued(frozen)
        with pytest.raises(StorageUnavailable), frozen.database.write() as connection:  # noqa: PT012
            connection.execute(sa.select(j.c.id).where(j.c.id == job.id).with_for_update())
            deadline = time.monotonic() + 60
            while (lease := other.claim("other", lease_s=60)) is None:
                assert time.monotonic() < deadline
            connection.execute(sa.select(1))
        assert lease.job.id == job.id
        frozen.close()
        other.close()
