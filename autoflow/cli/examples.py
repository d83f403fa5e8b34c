"""`autoflow examples`: the worked examples, to look at and to begin from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import output
from autoflow.cli.files import write_text
from autoflow.cli.options import Json
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.examples import Example

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the example.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Worked examples to begin from.", no_args_is_help=True)
    group.command("list")(list_)
    group.command()(copy)
    app.add_typer(group, name="examples")


def list_(json_: Json = False) -> None:
    """List the worked examples."""
    from autoflow.examples import list_examples

    examples = list_examples()
    if json_:
        output.emit([_as_json(example) for example in examples])
        return
    for example in examples:
        output.say(f"{example.slug:16}{example.title}. {example.shows}")


def copy(
    name: Name,
    folder: Annotated[str, typer.Argument(metavar="[FOLDER]", help="A new folder; default: NAME.")] = "",
    json_: Json = False,
) -> None:
    """Write an example with its inputs into a new folder, and say how it is run."""
    from autoflow.examples import get_example

    example = get_example(name)
    target = Path(folder or example.slug)
    try:
        target.mkdir(parents=True)
    except OSError as error:
        raise SettingsError(f"The folder `{target}` cannot be made: {error.strerror}.", "Name a new one.") from error
    files = {"workflow.core": example.text, **{i.filename or i.name: i.text for i in example.inputs}}
    for file, text in files.items():
        write_text(str(target / file), text)
    command = _command(example, target)
    if json_:
        output.emit({"folder": str(target), "files": list(files), "command": command})
        return
    output.note(f"{len(files)} files were written. Run it with:")
    output.say(shlex.join(command))


def _command(example: Example, folder: Path) -> list[str]:
    inputs = [part for i in example.inputs for part in ("--input", f"{i.name}=@{folder / (i.filename or i.name)}")]
    tools = [part for tool in example.tools for part in ("--tool", tool)]
    return ["autoflow", "run", str(folder / "workflow.core"), "--task", example.objective, *inputs, *tools]


def _as_json(example: Example) -> dict[str, Any]:
    inputs = [{"name": i.name, "kind": i.kind, "text": i.text} for i in example.inputs]
    about = {"name": example.slug, "title": example.title, "objective": example.objective, "shows": example.shows}
    return {**about, "inputs": inputs, "tools": list(example.tools), "text": example.text}
