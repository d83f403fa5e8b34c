"""`autoflow run`: carry out a workflow on a task, here or by a worker, on the same record either way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import output
from autoflow.cli.files import read_text
from autoflow.cli.options import File, Inputs, Json, Model, Seed, Tools
from autoflow.cli.trace import Trace, ending, run_json
from autoflow.errors import JobError, SettingsError

if TYPE_CHECKING:
    from autoflow.records import Job, Run, RunPolicy
    from autoflow.store import SqlStore

Positive = Annotated[int | None, typer.Option(min=1, show_default="no limit")]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", "--max-usd", min=0, help="US dollars.", show_default="no limit")
]
MaxTime = Annotated[float | None, typer.Option(help="Seconds.", show_default="no limit")]
Detach = Annotated[bool, typer.Option("--detach", help="Queue it for a worker, and return at once.")]


def register(app: typer.Typer) -> None:
    app.command()(run)


def run(
    file: File,
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="The objective: what should get done.")],
    input_: Inputs = [],  # noqa: B006  (typer reads it, nobody changes it)
    model: Model = None,
    tool: Tools = [],  # noqa: B006
    memory: Annotated[str, typer.Option(help="all, embedding, none, direct or traverse.")] = "all",
    memory_tokens: Annotated[int, typer.Option(min=0, help="What observations may take of a prompt.")] = 320,
    max_steps: Annotated[int, typer.Option(min=1, help="Steps visited.")] = 50,
    max_calls: Positive = None,
    max_tokens: Positive = None,
    max_cost: MaxCost = None,
    max_time: MaxTime = None,
    max_tool_errors: Annotated[int, typer.Option(min=0, help="A step.")] = 2,
    tool_timeout: Annotated[float, typer.Option(help="Seconds.")] = 60.0,
    answer_tokens: Annotated[int, typer.Option(min=1, help="Completion tokens a call may take.")] = 512,
    default_branch: Annotated[str | None, typer.Option(help="Key taken where a decision stays undecided.")] = None,
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 0.0,
    seed: Seed = 0,
    detach: Detach = False,
    json_: Json = False,
) -> int:
    """Run a workflow on a task; the trace is shown on standard error. Exit 1 where no terminal was reached."""
    policy = policy_of(
        memory=memory, memory_tokens=memory_tokens, max_steps=max_steps, max_calls=max_calls, max_tokens=max_tokens,
        max_cost_usd=max_cost, max_time_s=max_time, max_tool_errors=max_tool_errors, tool_timeout_s=tool_timeout,
        answer_tokens=answer_tokens, default_branch=default_branch, temperature=temperature, seed=seed,
    )  # fmt: skip
    text = read_text(file)
    if not task.strip():
        raise SettingsError("The task is empty.", "Say in a sentence what should get done: --task TEXT")
    store, made = _make(text, task, input_, tool, model, policy)
    title = f"Run {'standard input' if file == '-' else os.path.basename(file)}"
    return begin(store, made, title, detach=detach, json_=json_, file=file)


def begin(store: SqlStore, run: Run, title: str, *, detach: bool, json_: bool, file: str = "FILE") -> int:
    """Queue a run, and carry it out here unless `detach`. Returns the exit status."""
    from autoflow.jobs.payloads import RunPayload

    queued = store.submit("run", RunPayload(run_id=run.id).model_dump(), title=title, subject_id=run.id)
    if detach:
        return _detached(queued, json_)
    _carry_out(store, queued)
    return _tell(store, queued, file, json_)


def policy_of(**values: Any) -> RunPolicy:
    from pydantic import ValidationError

    from autoflow.records import RunPolicy, broken_rule

    try:
        return RunPolicy(**values)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).removesuffix("_usd").removesuffix("_s").replace("_", "-")
        raise SettingsError(f"`{option}`: {broken_rule(error)}, but got {first['input']!r}.") from error


def _make(
    text: str, objective: str, inputs: list[str], tools: list[str], model: str | None, policy: RunPolicy
) -> tuple[SqlStore, Run]:
    """Everything that can be wrong with the arguments is told before there is a record."""
    from autoflow.cli.inputs import parse_inputs
    from autoflow.cli.llms import check_model, check_tools
    from autoflow.store import open_store

    store = open_store()
    name = check_model(model)
    check_tools(tools)
    named = parse_inputs(
        inputs, lambda data, n, filename, kind: store.add_file(data, name=n, filename=filename, media_type=kind)
    )
    task = store.add_task(objective, named, tools)
    return store, store.create_run(text=text, task=task, model=name, policy=policy)


def _detached(job: Job, json_: bool) -> int:
    from autoflow.jobs.supervisor import ensure_worker

    ensure_worker()
    if json_:
        output.emit({"run_id": job.subject_id, "job_id": job.id})
    else:
        output.say(job.id)
        output.note(f"Queued. Follow it with: autoflow jobs watch {job.id}")
    return output.FINE


def _carry_out(store: SqlStore, job: Job) -> None:
    """Do the job in this process, with its trace as it grows. Ctrl-C ends the run, and no worker takes it up."""
    from autoflow.cli.here import work_here

    work_here(store, job, Trace(store, job.id).show, ("cancel",))


def _tell(store: SqlStore, queued: Job, file: str, json_: bool) -> int:
    """The end of a run. Raises JobError: the run has none, because its job could not be carried out."""
    job = store.get_job(queued.id)
    run = store.get_run(job.subject_id or "")
    if run.stop is None:
        raise JobError(f"The run {run.id} did not end: {job.error or job.state}", f"autoflow jobs show {job.id}")
    if json_:
        output.emit(run_json(run, [event for _, event in store.run_events(run.id)]))
    elif run.answer:
        output.say(run.answer)
    output.note(ending(run))
    if run.stop == "invalid-workflow":
        output.note(f"{output.paint('hint:', 'hint')} What is wrong with it is said by: autoflow check {file}")
    return output.FINE if run.stop == "terminal" else output.FAILED
