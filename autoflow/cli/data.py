"""`autoflow data`: the data that suites are made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoflow.cli import output
from autoflow.cli.options import Json
from autoflow.errors import SettingsError

Root = Annotated[Path, typer.Argument(metavar="DIR", help="A folder of OpenAGI data.")]


def register(app: typer.Typer) -> None:
    data = typer.Typer(help="The data that suites are made of.", no_args_is_help=True, rich_markup_mode=None)
    data.command()(openagi)
    app.add_typer(data, name="data")


def openagi(
    root: Root,
    make: Annotated[bool, typer.Option("--make", help="Write AutoFlow's own sample there, in this layout.")] = False,
    json_: Json = False,
) -> None:
    """Look whether a folder holds OpenAGI data in the official layout, and of how many tasks; or write a sample."""
    from autoflow.suites.openagi_layout import check_root, read_samples
    from autoflow.suites.openagi_tasks import openagi_tasks

    if make:
        _make(root)
    check_root(root)
    counts = {}
    for n, task in enumerate(openagi_tasks()):
        output.retell(f"Reading task {n + 1} of {len(openagi_tasks())}")
        counts[task.number] = len(read_samples(root, task))
    told = {"root": str(root), "tasks": sum(c > 0 for c in counts.values()), "samples": sum(counts.values())}
    if json_:
        output.emit({**told, "counts": {str(number): count for number, count in counts.items() if count}})
    else:
        output.say(f"{told['tasks']} of {len(counts)} tasks, {told['samples']:,} samples")


def _make(root: Path) -> None:
    from autoflow.suites.openagi_layout import write_descriptions, write_samples
    from autoflow.suites.openagi_sample import own_samples
    from autoflow.suites.openagi_tasks import openagi_tasks

    if root.exists() and any(root.iterdir()):
        raise SettingsError(f"{root} is not empty.", "Name a new folder.")
    root.mkdir(parents=True, exist_ok=True)
    for n, task in enumerate(openagi_tasks()):
        output.retell(f"Writing task {n + 1} of {len(openagi_tasks())}")
        write_samples(root, task, own_samples(task))
    write_descriptions(root)
