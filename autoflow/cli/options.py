"""Options that several commands share, spelt once."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from autoflow.cli.output import wants_json
from autoflow.errors import SettingsError

_MODEL = "openai:NAME, embedded:NAME, local:NAME, scripted:FILE, replay:FILE, a connection. Default: the embedded one."
Json = Annotated[
    bool, typer.Option("--json", callback=lambda _: wants_json(), help="Print JSON on standard output.")
]  # also where it stands before the command
File = Annotated[str, typer.Argument(metavar="FILE", help="A workflow file, or - for standard input.")]
Model = Annotated[str | None, typer.Option("--model", "-m", metavar="MODEL", help=_MODEL)]
Inputs = Annotated[
    list[str],
    typer.Option("--input", "-i", metavar="NAME=TEXT|NAME=@FILE", help="A named input; may be given several times."),
]
Tools = Annotated[
    list[str],
    typer.Option("--tool", "-t", metavar="TOOL", help="A tool the steps may call; may be given several times."),
]
Seed = Annotated[int, typer.Option("--seed", help="Of the model's sampling.")]
SuiteOption = Annotated[
    list[str],
    typer.Option("--suite-option", metavar="NAME=VALUE", help="Of the suite; may be given several times."),
]


def _checked(address: str | None) -> str | None:
    if address is None:
        return None
    from autoflow.cluster.ray_cluster import check_address

    return check_address(address)


Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="auto|HOST:PORT", callback=_checked, help="The Ray cluster that carries out runs.",
                 show_default="this process"),
]  # fmt: skip


def read_option(text: str, flag: str = "--option") -> tuple[str, Any]:
    """`relative=0.01`: the value is JSON where it can be read as that, else a text."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise SettingsError(f"`{flag} {text[:80]}` names no option.", "Write NAME=VALUE.")
    try:
        return name.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return name.strip(), value


def read_suite_options(texts: list[str]) -> dict[str, Any]:
    """Options of a suite, as `read_option` reads each."""
    return dict(read_option(text, "--suite-option") for text in texts)
