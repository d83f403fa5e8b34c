"""The seam to what lasts: three Protocols, implemented once in SQLAlchemy for SQLite and PostgreSQL.

All methods are plain blocking calls of a few milliseconds, safe to use from several threads; async code wraps them in
`asyncio.to_thread`. Every method may raise StorageUnavailable; an unknown id raises NotFound that names the id.

Text may be any Unicode. What a database cannot hold (NUL, halves of surrogate pairs) becomes U+FFFD on the way in, on
both databases alike, so what a method returns may differ from its argument by that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from autoflow.benchmark import Benchmark, BenchmarkSpec
from autoflow.records import (
    Connection,
    DraftEdit,
    Event,
    Job,
    JobKind,
    JobState,
    Json,
    Origin,
    Run,
    RunPolicy,
    StopReason,
    Task,
    TaskInput,
    Totals,
    Version,
    WorkflowRecord,
)  # fmt: skip
from autoflow.study import (
    Candidate,
    Method,
    Outcome,
    Rating,
    SavedSuite,
    Split,
    Study,
    StudyBatch,
    StudySpec,
    TrainingStep,
)  # fmt: skip


class Store(Protocol):
    """Tasks, workflows, runs, files, connections."""

    # -- tasks and files
    def add_file(self, data: bytes, *, name: str, filename: str, media_type: str) -> TaskInput:
        """Keep a file by the hash of its content (at most 25 MB) and return the input that means it."""
        ...

    def read_file(self, sha256: str) -> bytes: ...

    def add_task(
        self, objective: str, inputs: Sequence[TaskInput] = (), tools: Sequence[str] = (),
        listed_tools: Sequence[str] = (),
    ) -> Task: ...  # fmt: skip

    def get_task(self, task_id: str) -> Task: ...

    # -- workflows: a draft, its history of edits, and versions
    def create_workflow(
        self,
        name: str,
        text: str = "",
        *,
        task: Task | None = None,
        origin: Origin = "manual",
        model: str | None = None,
    ) -> WorkflowRecord:
        """A new workflow. Where `text` is not empty it is version 1 as well."""
        ...

    def get_workflow(self, workflow_id: str) -> WorkflowRecord: ...

    def list_workflows(self, limit: int = 50, *, deleted: bool = False) -> list[WorkflowRecord]:
        """Newest change first; `deleted`: those that were put away instead."""
        ...

    def rename_workflow(self, workflow_id: str, name: str) -> WorkflowRecord: ...

    def set_workflow_task(self, workflow_id: str, task: Task) -> WorkflowRecord: ...

    def save_draft(self, workflow_id: str, text: str, *, revision: int, author: str = "person") -> WorkflowRecord:
        """Save the draft and remember the old text for undo. A text equal to the draft changes nothing.

        Raises Conflict: `revision` is not the present one (another tab saved in between). The refused text is kept in
        the history of edits all the same, so that nothing typed is lost.
        """
        ...

    def undo(self, workflow_id: str, *, revision: int) -> WorkflowRecord:
        """Take back the latest edit; changes nothing where there is none. Raises Conflict as `save_draft` does."""
        ...

    def redo(self, workflow_id: str, *, revision: int) -> WorkflowRecord: ...

    def list_edits(self, workflow_id: str, *, refused: bool = False) -> list[DraftEdit]:
        """The latest 500 edits that undo and redo go through, or the 20 latest texts that were refused by a Conflict.

        Latest first. The history outlives every session.
        """
        ...

    def save_version(
        self, workflow_id: str, *, origin: Origin, text: str | None = None, model: str | None = None, note: str = "",
        revision: int | None = None, job_id: str | None = None,
    ) -> Version:  # fmt: skip
        """Keep the draft (or `text`, which becomes the draft) as the next version, unless the latest has this text.

        Args:
            revision: `text` becomes the draft only where the draft still has this revision: what a person typed
                meanwhile is never replaced. None: in any case (undo brings the old draft back).
            job_id: the job that wrote `text`; a second save for the same job returns what the first one saved.
        """
        ...

    def list_versions(self, workflow_id: str) -> list[Version]:
        """Latest first."""
        ...

    def get_version(self, workflow_id: str, number: int) -> Version: ...

    def delete_workflow(self, workflow_id: str) -> None:
        """Hide it from lists; `restore_workflow` brings it back. Its runs stay."""
        ...

    def restore_workflow(self, workflow_id: str) -> WorkflowRecord: ...

    # -- runs and their events
    def create_run(
        self, *, text: str, task: Task, model: str, policy: RunPolicy, workflow_id: str | None = None,
        version: int | None = None, parent_run_id: str | None = None, fork_visit: int | None = None,
        events: Sequence[Event] = (),
    ) -> Run:  # fmt: skip
        """A new run; `events` are the visits it inherits where it is forked."""
        ...

    def get_run(self, run_id: str) -> Run: ...

    def list_runs(self, workflow_id: str | None = None, limit: int = 50) -> list[Run]:
        """Newest first."""
        ...

    def run_events(self, run_id: str, after: int = 0) -> list[tuple[int, Event]]:
        """Events with a sequence number above `after`, in order. Numbers begin at 1 and have no holes."""
        ...

    def append_events(self, run_id: str, events: Sequence[Event]) -> int:
        """Append, in one transaction; returns the last sequence number. For runs outside a job."""
        ...

    def finish_run(self, run_id: str, *, stop: StopReason, answer: str, error: str, totals: Totals) -> Run: ...

    def reopen_run(self, run_id: str) -> Run:
        """Before a resume: take back the stop and drop the events of the unfinished visit and `run_finished`.

        The numbers of dropped events are given again to what follows. A run that has not ended is returned as it is.
        """
        ...

    # -- connections
    def save_connection(self, connection: Connection) -> Connection:
        """Add or replace, by name."""
        ...

    def get_connection(self, name: str) -> Connection: ...

    def list_connections(self) -> list[Connection]: ...

    def delete_connection(self, name: str) -> None: ...


class StudyStore(Protocol):
    """Studies, candidates, outcomes, ratings, and suites made of people's tables."""

    def create_study(
        self, name: str, spec: StudySpec, splits: Mapping[Split, Sequence[str]], *, workflow_id: str | None = None,
        parent_id: str | None = None, recorded: str = "",
    ) -> Study:  # fmt: skip
        """A new study; `splits` are the ids of the tasks as the suite deals them now."""
        ...

    def get_study(self, study_id: str) -> Study: ...

    def list_studies(
        self,
        limit: int = 50,
        *,
        workflow_id: str | None = None,
        methods: Sequence[Method] | None = None,
        cells: bool = True,
    ) -> list[Study]:
        """Newest first.

        Args:
            cells: with those that are cells of a benchmark.
        """
        ...

    def rename_study(self, study_id: str, name: str) -> Study: ...

    def set_study_workflow(self, study_id: str, workflow_id: str) -> Study:
        """Say which workflow its best is adopted in."""
        ...

    def delete_study(self, study_id: str) -> None:
        """Hide it."""
        ...

    def add_to_study(self, batch: StudyBatch) -> None:
        """Write outside of a job: recordings. A worker writes with `JobStore.checkpoint`, so that it is fenced.

        Candidates go on from the last number. Of two outcomes of one run (candidate, task, repeat) the first stays.
        Raises Conflict: a candidate's number is taken, or leaves a hole; nothing was written.
        """
        ...

    def study_candidates(self, study_id: str, after: int = -1) -> list[Candidate]:
        """Those with a number above `after`, by number."""
        ...

    def study_outcomes(
        self, study_id: str, *, after: int = 0, candidate: int | None = None, split: Split | None = None
    ) -> list[tuple[int, Outcome]]:
        """Those with a sequence number above `after`, each with its number; without their events."""
        ...

    def outcome_events(self, study_id: str, candidate: int, task: str, repeat: int = 0) -> list[Event]:
        """The events of one run. Raises NotFound."""
        ...

    def training_steps(self, study_id: str, after: int = 0) -> list[TrainingStep]:
        """Those after the step `after`, in order; none where the study trains nothing."""
        ...

    def rate(self, study_id: str, rating: Rating) -> None:
        """Keep a person's rating; it becomes the score of an outcome that waits for one, or that was rated before.

        So a person can change their mind; what a suite scored by itself keeps its score. Raises NotFound.
        """
        ...

    def ratings(self, study_id: str) -> list[Rating]:
        """In the order in which they were given."""
        ...

    def save_suite(self, name: str, body: Json, suite_id: str | None = None) -> SavedSuite:
        """A new one, or another body for this id."""
        ...

    def get_suite(self, suite_id: str) -> SavedSuite: ...

    def list_suites(self, limit: int = 50) -> list[SavedSuite]:
        """Latest change first."""
        ...

    def suite_names(self, limit: int = 50) -> dict[str, str]:
        """id -> name, latest change first; without the rows, which may be many."""
        ...

    def delete_suite(self, suite_id: str) -> None:
        """Hide it; studies on it cannot be run any more."""
        ...


class BenchmarkStore(Protocol):
    """Grids of studies."""

    def create_benchmark(
        self, name: str, spec: BenchmarkSpec, studies: Mapping[str, str], *, recorded: str = ""
    ) -> Benchmark:
        """A new one; `studies` says which study a cell is, by `Cell.key`. Raises NotFound: one does not exist."""
        ...

    def get_benchmark(self, benchmark_id: str) -> Benchmark: ...

    def list_benchmarks(self, limit: int = 50) -> list[Benchmark]:
        """Newest first."""
        ...

    def benchmark_studies(self, benchmark_id: str) -> dict[str, Study]:
        """The studies of all cells by their ids, read at once; one that was deleted is left out."""
        ...

    def benchmark_jobs(self, benchmark_id: str) -> dict[str, Job]:
        """The latest job of each study by the study's id; one that was never queued is left out."""
        ...

    def delete_benchmark(self, benchmark_id: str) -> None:
        """Hide it; its studies stay."""
        ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job until `lease_s` seconds after the last checkpoint or heartbeat."""

    job: Job  # as it was when claimed
    owner: str
    token: int  # fencing: grows with every claim, so that a worker which lost its lease can write nothing
    serial: int  # checkpoints the job has had
    lease_s: float


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, to be written in the transaction that ends its job."""

    run_id: str
    stop: StopReason
    answer: str
    error: str
    totals: Totals
    events: tuple[Event, ...] = ()  # what is not in the record yet, `run_finished` last


class JobStore(Protocol):
    """Durable truth about jobs. States and transitions: see `autoflow.jobs`."""

    def submit(
        self, kind: JobKind, payload: Json, *, title: str, subject_id: str | None = None, unique: bool = False
    ) -> Job:
        """Queue a job. `unique`: return the one under way with the same kind and subject, if there is one.

        The run or the study that a job is about (its subject) gets the job's id.
        """
        ...

    def get_job(self, job_id: str) -> Job: ...

    def list_jobs(
        self, *, states: Sequence[JobState] | None = None, kind: JobKind | None = None, subject_id: str | None = None,
        limit: int = 50,
    ) -> list[Job]:  # fmt: skip
        """Newest first."""
        ...

    def request(self, job_id: str, want: Literal["pause", "cancel", "resume"]) -> Job:
        """What a person asks for. Asking for what cannot be from the present state changes nothing.

        Cancelling a job that no worker holds also ends its run as `cancelled`, and its study.
        """
        ...

    def claim(
        self, owner: str, *, lease_s: float, kinds: Sequence[JobKind] | None = None, job_id: str | None = None
    ) -> Lease | None:
        """The oldest queued job, or a running one whose lease ran out; None where there is none.

        With `job_id` only this one: a process that submitted a job and does it itself.

        A job claimed for the sixth time without a checkpoint in between becomes failed instead.
        """
        ...

    def orphan(self, owner: str) -> int:
        """Let the leases of this owner run out at once: its process is known to be dead. Returns how many."""
        ...

    def checkpoint(
        self, lease: Lease, *, run_id: str | None = None, events: Sequence[Event] = (), done: float | None = None,
        total: float | None = None, unit: str | None = None, message: str | None = None, result: Json | None = None,
        serial: int | None = None, study: StudyBatch | None = None,
    ) -> JobState:  # fmt: skip
        """One transaction: events, progress, lease renewed, claims reset, live data cleared.

        Args:
            study: what the job's study adds.
            serial: the number of this checkpoint (`lease.serial` + 1 for the first). A checkpoint that is sent again,
                because the connection broke before its answer came, is then written once.
        Returns: the state by now: `pausing` or `cancelling` is what a person wants.
        Raises LeaseLost: nothing was written. JobError: nor here, a later job has the study. NotFound, Conflict: see
            `StudyStore.add_to_study`.
        """
        ...

    def heartbeat(self, lease: Lease, live: Json | None = None) -> JobState:
        """Renew the lease and show what goes on; returns the present state. Raises LeaseLost."""
        ...

    def check(self, lease: Lease) -> JobState:
        """The state by now, without writing anything. Raises LeaseLost."""
        ...

    def finish(
        self, lease: Lease, state: Literal["done", "failed", "cancelled", "paused", "queued"], *,
        result: Json | None = None, error: str = "", run: RunEnd | None = None,
    ) -> Job:  # fmt: skip
        """End the claim, and with it the run, in one transaction. Raises LeaseLost.

        Sent again after a broken connection it changes nothing. `queued` hands the job back for another worker; without
        an `error` the claim does not count. A result of None keeps the one of the last checkpoint. A pause that was
        taken back meanwhile (`resume`) queues the job.
        """
        ...
