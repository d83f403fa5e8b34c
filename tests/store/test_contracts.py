"""Every contract on every database."""

from __future__ import annotations

import time

import pytest

from autoflow.store import SqlStore
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
