"""`autoflow runs`: what was run, going on with what stopped short, and running again from a step on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoflow.cli import output
from autoflow.cli.files import write_new
from autoflow.cli.options import Json
from autoflow.cli.run import Detach, MaxCost, MaxTime, Positive, begin, policy_of
from autoflow.cli.table import print_table
from autoflow.cli.trace import clip, ending, run_json, trace_lines

if TYPE_CHECKING:
    from autoflow.records import Run, RunPolicy

Id = Annotated[str, typer.Argument(metavar="ID", help="Such as rn_8k2m1x0c9d7e.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Show runs, and take them up again.", no_args_is_help=True)
    group.command("list")(list_)
    group.command()(show)
    group.command("go-on")(go_on)
    group.command()(fork)
    group.command()(pictures)
    app.add_typer(group, name="runs")


def list_(limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20, json_: Json = False) -> None:
    """List runs, newest first."""
    from autoflow.store import open_store

    runs = open_store().list_runs(limit=limit)
    if json_:
        output.emit([run.model_dump() for run in runs])
    elif runs:
        rows = [(r.id, r.stop or "not ended", r.model, str(r.totals.calls), clip(r.task.objective)[:60]) for r in runs]
        print_table(("id", "stop", "model", "calls", "task"), rows)
    else:
        output.note("There are no runs.")


def show(id_: Id, json_: Json = False) -> None:
    """Show one run: its trace on standard error, its answer on standard output."""
    from autoflow.store import open_store

    store = open_store()
    run, events = store.get_run(id_), [event for _, event in store.run_events(id_)]
    if json_:
        output.emit(run_json(run, events))
        return
    for event in events:
        for line in trace_lines(event):
            output.note(line)
    if run.answer:
        output.say(run.answer)
    output.note(ending(run) if run.stop else f"The run {run.id} has not ended.")


def pictures(
    id_: Id, to: Annotated[str | None, typer.Option("--to", metavar="FOLDER", help="Write them here.")] = None,
    json_: Json = False,
) -> None:  # fmt: skip
    """List the pictures that tools made in a run, or write them as PNG files; none is overwritten."""
    from autoflow.interpret import views
    from autoflow.store import open_store

    store = open_store()
    steps = views(event for _, event in store.run_events(id_))
    found = [(tool, ref) for step in steps for tool in step.tools for ref in tool.made]
    if to is not None:
        for _, ref in found:
            write_new(Path(to) / f"{ref.name}.png", store.read_file(ref.sha256))
    if json_:
        output.emit([{**ref.model_dump(), "tool": tool.name, "by": tool.by} for tool, ref in found])
    elif found:
        print_table(("picture", "size", "tool", "by"), [(r.name, r.size, t.name, t.by) for t, r in found])
    else:
        output.note(f"No tool made a picture in the run {id_}.")


def go_on(
    id_: Id, max_steps: Positive = None, max_calls: Positive = None, max_tokens: Positive = None,
    max_cost: MaxCost = None, max_time: MaxTime = None, detach: Detach = False, json_: Json = False,
) -> int:  # fmt: skip
    """Go on with a run where it stopped short; after a limit with the new limits. Exit as `autoflow run`."""
    from autoflow.jobs.again import taken_up
    from autoflow.store import open_store

    store = open_store()
    run = store.get_run(id_)
    policy = _changed(run, max_steps, max_calls, max_tokens, max_cost, max_time)
    return begin(store, taken_up(store, run, policy), f"Go on with {run.id}", detach=detach, json_=json_)


def fork(
    id_: Id, visit: Annotated[int, typer.Option("--from", min=1, help="The first visit that is carried out again.")],
    max_steps: Positive = None, max_calls: Positive = None, max_tokens: Positive = None, max_cost: MaxCost = None,
    max_time: MaxTime = None, detach: Detach = False, json_: Json = False,
) -> int:  # fmt: skip
    """Run again from a visit on, as a run of its own that inherits what was before. Exit as `autoflow run`."""
    from autoflow.jobs.again import forked
    from autoflow.store import open_store

    store = open_store()
    run = store.get_run(id_)
    policy = _changed(run, max_steps, max_calls, max_tokens, max_cost, max_time)
    return begin(store, forked(store, run, visit, policy), f"Run {run.id} from visit {visit}", detach=detach,
                 json_=json_)  # fmt: skip


def _changed(
    run: Run, max_steps: int | None, max_calls: int | None, max_tokens: int | None, max_cost: float | None,
    max_time: float | None,
) -> RunPolicy:  # fmt: skip
    """The policy of the run, with the limits that were given."""
    given = {"max_steps": max_steps, "max_calls": max_calls, "max_tokens": max_tokens, "max_cost_usd": max_cost,
             "max_time_s": max_time}  # fmt: skip
    return policy_of(**run.policy.model_dump() | {name: value for name, value in given.items() if value is not None})
