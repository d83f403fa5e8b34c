"""`autoflow adopt`: what a study found becomes a version of a workflow."""

from __future__ import annotations

from typing import Annotated

import typer

from autoflow.cli import output
from autoflow.cli.options import Json


def register(app: typer.Typer) -> None:
    app.command()(adopt)


def adopt(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Such as st_8k2m1x0c9d7e.")],
    candidate: Annotated[int | None, typer.Option(min=0, help="Its number.", show_default="the best")] = None,
    workflow: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Where to keep it.", show_default="where the study began, else a new one"),
    ] = None,
    json_: Json = False,
) -> None:
    """Keep the best candidate of a study as the next version of its workflow. Doing so again changes nothing."""
    from autoflow.optimize.adopt import adopt as keep
    from autoflow.store import open_store

    store = open_store()
    version = keep(store, study, candidate, workflow)
    if json_:
        output.emit(version.model_dump())
        return
    output.say(f"{version.workflow_id}@{version.number}")
    output.note(f"{store.get_workflow(version.workflow_id).name} v{version.number}: {version.note}")
