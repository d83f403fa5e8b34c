"""`autoflow jobs`: what workers do and did, and how to stop it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from autoflow.cli import output
from autoflow.cli.options import Json
from autoflow.cli.table import print_table
from autoflow.cli.trace import Trace, clip

if TYPE_CHECKING:
    from autoflow.records import Job, JobState
    from autoflow.store import SqlStore

POLL_S = 0.3
Want = Literal["pause", "cancel", "resume"]
_OBEYED: dict[Want, tuple[JobState, ...]] = {
    "pause": ("pausing", "paused"),
    "cancel": ("cancelling", "cancelled"),
    "resume": ("queued", "running"),
}
Id = Annotated[str, typer.Argument(metavar="ID", help="Such as jb_8k2m1x0c9d7e.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Show and control what workers do.", no_args_is_help=True)
    group.command("list")(list_)
    for command in (show, pause, cancel, resume, watch, logs):
        group.command()(command)
    app.add_typer(group, name="jobs")


def list_(
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    active: Annotated[bool, typer.Option("--active", help="Only those that have not ended.")] = False,
    json_: Json = False,
) -> None:
    """List jobs, newest first."""
    from autoflow.records import ENDED, JobState
    from autoflow.store import open_store

    under_way = [state for state in get_args(JobState) if state not in ENDED]
    jobs = open_store().list_jobs(states=under_way if active else None, limit=limit)
    if json_:
        output.emit([job.model_dump() for job in jobs])
    elif jobs:
        print_table(
            ("id", "kind", "state", "progress", "title"),
            [(j.id, j.kind, j.state, _progress(j), clip(j.title)[:60]) for j in jobs],
        )
    else:
        output.note("There are no jobs.")


def show(id_: Id, json_: Json = False) -> None:
    """Show one job whole."""
    from autoflow.store import open_store

    _print(open_store().get_job(id_), json_)


def pause(id_: Id, json_: Json = False) -> int:
    """Let the call under way finish, and start no new one. Exit 1 where the job cannot be paused."""
    return _request(id_, "pause", json_)


def cancel(id_: Id, json_: Json = False) -> int:
    """Stop a job; what it did so far is kept. Exit 1 where it had ended before."""
    return _request(id_, "cancel", json_)


def resume(id_: Id, json_: Json = False) -> int:
    """Carry on a job that was paused or that failed. Exit 1 where there is nothing to carry on."""
    return _request(id_, "resume", json_)


def watch(id_: Id, json_: Json = False) -> int:
    """Follow a job until it ends; Ctrl-C stops watching, not the job. Exit 1 where it did not end well."""
    from autoflow.store import open_store

    store = open_store()
    job = follow(store, id_)
    _print(job, json_)
    return output.FINE if job.state == "done" else output.FAILED


def logs(
    id_: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only lines that name this job.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many, the latest.")] = 200,
    json_: Json = False,
) -> None:
    """Show what workers wrote to their log files."""
    from autoflow.settings import settings

    found = [line for line in _log_lines() if id_ is None or id_ in line][-lines:]
    if json_:
        output.emit({"folder": str(settings().logs), "lines": found})
        return
    output.note(f"From {settings().logs}")
    output.write("".join(f"{line}\n" for line in found))


def follow(store: SqlStore, job_id: str) -> Job:
    """Show a job on standard error until it ends; returns it as it ended."""
    shown, trace = "", Trace(store, job_id)
    while True:
        job = store.get_job(job_id)
        if job.kind == "run" and job.subject_id:
            trace.show()
        line = " ".join(filter(None, (job.state, _progress(job), clip(job.message))))
        if line != shown:
            output.note(output.paint(line, "quiet"))
            shown = line
        if job.ended or job.state == "paused":
            return job
        time.sleep(POLL_S)


def _log_lines() -> list[str]:
    from autoflow.settings import settings

    files = sorted(settings().logs.glob("*.log"), key=lambda path: path.stat().st_mtime)
    return [line for path in files for line in path.read_text("utf-8", "replace").splitlines()]


def _request(job_id: str, want: Want, json_: bool) -> int:
    from autoflow.store import open_store

    job = open_store().request(job_id, want)
    if want == "resume" and job.state == "queued":
        from autoflow.jobs.supervisor import ensure_worker

        ensure_worker()
    _print(job, json_)
    if job.state in _OBEYED[want]:
        return output.FINE
    hint = " For a run that ended: autoflow runs go-on." if want == "resume" and job.kind == "run" else ""
    output.note(f"Nothing was changed: a job that is {job.state} cannot be asked to {want}.{hint}")
    return output.FAILED


def _print(job: Job, json_: bool) -> None:
    if json_:
        output.emit(job.model_dump())
        return
    about = [("job", job.id), ("kind", job.kind), ("state", job.state), ("title", job.title), ("about", job.subject_id)]
    about += [("progress", _progress(job)), ("doing", job.message), ("error", job.error)]
    for name, value in about:
        if value:
            output.say(f"{name + ':':10}{clip(value)}")


def _progress(job: Job) -> str:
    if not job.total:
        return f"{job.done:g} {job.unit}".strip() if job.done else ""
    if job.unit == "bytes":
        return f"{job.done / job.total:.0%} of {job.total / 1e6:.0f} MB"
    return f"{job.done:g} of {job.total:g} {job.unit}".rstrip()
