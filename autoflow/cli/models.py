"""`autoflow models`: which models there are, getting and trying them, adding files and connections."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import adapters, output
from autoflow.cli.bar import Bar
from autoflow.cli.options import Json
from autoflow.cli.table import print_table
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.llm.catalogue import Entry
    from autoflow.records import Connection

HUB = "hub:"
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the model.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List, get, try and add models.", no_args_is_help=True)
    group.command("list")(list_)
    group.command("test")(probe)
    for command in (get, add, remove, connect, disconnect):
        group.command()(command)
    adapters.register(group)
    app.add_typer(group, name="models")


def list_(json_: Json = False) -> None:
    """List the models of the catalogue, the user's own, adapters, and the connections."""
    from autoflow.llm.catalogue import catalogue
    from autoflow.llm.local.choices import local_base
    from autoflow.llm.local.shelf import list_adapters
    from autoflow.store import open_store

    entries, connections, own = catalogue().entries, open_store().list_connections(), list_adapters()
    if json_:
        output.emit({
            "models": [_entry_json(entry) for entry in entries],
            "adapters": [adapters.adapter_json(adapter) for adapter in own],
            "connections": [_connection_json(connection) for connection in connections],
        })  # fmt: skip
        return
    rows = [(f"embedded:{e.name}", _size(e), "here" if e.local_path() else "not here", e.good_for) for e in entries]
    rows += [adapters.base_row(base) for e in entries if (base := local_base(e)) and base.here]
    rows += [adapters.adapter_row(adapter) for adapter in own]
    rows += [(f"{c.kind}:{c.name}", "", "connection", c.base_url or c.path or c.model) for c in connections]
    print_table(("model", "size", "state", "about"), rows)


def get(name: Name, json_: Json = False) -> None:
    """Download a model of the catalogue; goes on where an earlier download stopped."""
    from autoflow.llm.download import get_model

    name = name.removeprefix("embedded:")
    path = asyncio.run(get_model(name, progress=Bar()))
    if sys.stderr.isatty():
        output.note("")
    output.emit({"name": name, "path": str(path)}) if json_ else output.say(str(path))


def probe(name: Name, json_: Json = False) -> int:
    """Ask a model three small things: text, a schema and a tool. Exit 1 where it does not answer."""
    from autoflow.cli.llms import open_model
    from autoflow.llm.probe import test_llm

    async def ask() -> dict[str, Any]:
        async with aclosing(open_model(_full_name(name))) as llm:
            return {"name": llm.name, **await test_llm(llm)}

    found = asyncio.run(ask())
    if json_:
        output.emit(found)
    else:
        output.say(f"{found['name']}: " + (f"answers in {found['latency_s']:.1f} s" if found["ok"] else "no answer"))
        for feature, seen in found["features"].items():
            output.say(f"  {feature}: {'no' if not seen else seen if isinstance(seen, str) else 'yes'}")
        if found["error"]:
            output.note(found["error"])
    return output.FINE if found["ok"] else output.FAILED


def _full_name(name: str) -> str:
    """With its kind, where it is that of a model of the catalogue: `models get` takes those without one."""
    from autoflow.llm.catalogue import catalogue

    return f"embedded:{name}" if name in {entry.name for entry in catalogue().entries} else name


def add(
    name: Name,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="FILE.gguf, or hub:OWNER/REPOSITORY/FILE.gguf")],
    json_: Json = False,
) -> None:
    """Add a GGUF file of yours, which stays where it is, or one of the hub, which `models get` downloads."""
    from autoflow.llm.catalogue import add_file, add_hub

    if source.startswith(HUB):
        owner, repository, file = _hub_parts(source)
        entry = add_hub(f"{owner}/{repository}", file, name)
    else:
        entry = add_file(Path(source), name)
    output.emit(_entry_json(entry)) if json_ else output.say(f"embedded:{entry.name} was added ({_size(entry)}).")


def remove(name: Name, json_: Json = False) -> None:
    """Free the disk of a model or an adapter, and forget it where you added it. Your own file is never deleted."""
    from autoflow.llm.catalogue import remove as remove_model

    if not adapters.remove_if_adapter(name):
        remove_model(name.removeprefix("embedded:"))
    output.emit({"name": name, "removed": True}) if json_ else output.say(f"{name} was removed.")


def connect(
    name: Name,
    url: Annotated[str | None, typer.Option("--url", help="Of an OpenAI-compatible endpoint, such as .../v1")] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="As the endpoint names it. Default: NAME.")] = "",
    key_env: Annotated[
        str | None, typer.Option(help="The variable that holds the key; the key is never stored.")
    ] = None,
    json_: Json = False,
) -> None:
    """Add a connection to an endpoint, or replace the one of this name; use it as openai:NAME."""
    from pydantic import ValidationError

    from autoflow.llm.addresses import check_base_url, check_key_name
    from autoflow.records import Connection, broken_rule
    from autoflow.store import open_store

    try:
        connection = Connection(
            name=name,
            model=model,
            base_url=check_base_url(url) if url else None,
            key_env=check_key_name(key_env) if key_env else None,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"`{first['input']}` cannot be the {first['loc'][0]}: {broken_rule(error)}.") from error
    saved = open_store().save_connection(connection)
    output.emit(_connection_json(saved)) if json_ else output.say(f"openai:{saved.name} was saved.")


def disconnect(name: Name, json_: Json = False) -> None:
    """Forget a connection."""
    from autoflow.store import open_store

    store, name = open_store(), name.removeprefix("openai:")
    store.get_connection(name)  # NotFound where there is none
    store.delete_connection(name)
    output.emit({"name": name, "removed": True}) if json_ else output.say(f"openai:{name} was forgotten.")


def _hub_parts(source: str) -> tuple[str, str, str]:
    owner, repository, file = ([*source.removeprefix(HUB).split("/", 2), "", ""])[:3]
    if not (owner and repository and file):
        raise SettingsError(
            f"`{source}` names no file of the hub.",
            "Write hub:OWNER/REPOSITORY/FILE.gguf, such as hub:Qwen/Qwen2.5-0.5B-Instruct-GGUF/"
            "qwen2.5-0.5b-instruct-q4_k_m.gguf",
        )
    return owner, repository, file


def _size(entry: Entry) -> str:
    return f"{entry.size / 1e6:,.0f} MB"


def _entry_json(entry: Entry) -> dict[str, Any]:
    path = entry.local_path()
    about = entry.model_dump(include={"name", "title", "kind", "licence", "size", "good_for", "shipped"})
    return {**about, "size": entry.size, "model": f"embedded:{entry.name}", "here": path is not None,
            "path": None if path is None else str(path)}  # fmt: skip


def _connection_json(connection: Connection) -> dict[str, Any]:
    return connection.model_dump(exclude={"created_at"})
