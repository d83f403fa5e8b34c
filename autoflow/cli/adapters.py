"""`autoflow models export`, `rename` and `base`, and how adapters stand in the list of models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from autoflow.cli import output
from autoflow.cli.bar import Bar
from autoflow.cli.options import Json
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.llm.local.choices import LocalBase
    from autoflow.llm.local.shelf import Adapter

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the adapter.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `models`."""
    for command in (export, rename, base):
        group.command()(command)


def export(
    name: Name,
    as_: Annotated[
        str,
        typer.Option(
            "--as", help="peft: a zip of the folder. merged: model and adapter as one folder. gguf: llama.cpp's"
        ),
    ] = "peft",
    to: Annotated[Path | None, typer.Option("--to", "-o", help="Default: NAME.zip, NAME-merged or NAME.gguf.")] = None,
    json_: Json = False,
) -> None:
    """Write an adapter in a form that others take, with its model card."""
    from autoflow.llm.local.export import FORMS, Form
    from autoflow.llm.local.export import export as write
    from autoflow.llm.local.shelf import find_adapter
    from autoflow.report.card import card_of
    from autoflow.store import open_store

    form: Form | None = next((known for known in get_args(Form) if known == as_), None)
    if form is None:
        raise SettingsError(f"There is no form {as_}.", f"Choose one of {', '.join(get_args(Form))}.")
    adapter = find_adapter(name)
    target = (to or Path(adapter.name + FORMS[form])).expanduser().absolute()
    path = write(adapter, form, target, card=card_of(open_store(), adapter, form), progress=Bar())
    if sys.stderr.isatty():
        output.note("")
    output.emit({"name": adapter.name, "form": form, "path": str(path)}) if json_ else output.say(str(path))


def rename(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Letters, digits, dots, dashes and underscores.")],
    json_: Json = False,
) -> None:
    """Give an adapter another name; studies that name it by the old one no longer find it."""
    from autoflow.llm.local.export import remove_exports
    from autoflow.llm.local.shelf import rename_adapter

    found = rename_adapter(_own_name(name), new)
    remove_exports(_own_name(name))
    output.emit(adapter_json(found)) if json_ else output.say(f"{name} is now {found.model or found.name}.")


def base(
    name: Name,
    of: Annotated[str, typer.Argument(metavar="BASE", help="As it is chosen, local:NAME.")],
    json_: Json = False,
) -> None:
    """Say which model an adapter from elsewhere was trained on, where nothing in it does."""
    from autoflow.llm.local.shelf import set_base

    found = set_base(_own_name(name), of)
    output.emit(adapter_json(found)) if json_ else output.say(f"{found.name} is asked as {found.model}.")


def remove_if_adapter(name: str) -> bool:
    """Remove the adapter of this name, where it is one's: `local:BASE+NAME`, or NAME that no model has."""
    from autoflow.llm.catalogue import catalogue
    from autoflow.llm.local.export import remove_exports
    from autoflow.llm.local.shelf import is_adapter, remove_adapter

    own = _own_name(name)
    if "+" not in name and (any(e.name == name for e in catalogue().entries) or not is_adapter(own)):
        return False
    remove_adapter(own)
    remove_exports(own)
    return True


def _own_name(name: str) -> str:
    return name.rpartition("+")[2].removeprefix("local:")


def adapter_row(adapter: Adapter) -> tuple[str, str, str, str]:
    """Its line in the table of models."""
    from autoflow.cli.trace import clip

    name = adapter.model or f"{adapter.origin.base or 'local:'}+{adapter.name}"
    about = adapter.problem or about_adapter(adapter)
    return clip(name), f"{adapter.size / 1e6:,.1f} MB", "unusable" if adapter.problem else "adapter", clip(about)


def about_adapter(adapter: Adapter) -> str:
    """`from the study Refunds, step 12, reward 0.41`."""
    origin = adapter.origin
    words = [
        f"from the study {study}" if (study := origin.study_name or origin.study) else "put there by hand",
        f"after step {origin.step}" if origin.step is not None else "",
        f"reward {origin.reward:.2f}" if origin.reward is not None else "",
    ]  # fmt: skip
    return ", ".join(filter(None, words))


def base_row(base: LocalBase) -> tuple[str, str, str, str]:
    """The line of a model that transformers can run as well."""
    takes = f"by transformers, {base.memory / 1e9:.1f} GB of memory without a GPU; takes adapters"
    return base.name, f"{base.disk / 1e6:,.0f} MB", "unusable" if base.problem else "here", base.problem or takes


def adapter_json(adapter: Adapter) -> dict[str, Any]:
    """One as JSON."""
    return {
        "name": adapter.name, "model": adapter.model, "size": adapter.size, "rank": adapter.rank,
        "alpha": adapter.alpha, "targets": list(adapter.targets), **adapter.origin.model_dump(),
        "problem": adapter.problem,
    }  # fmt: skip
