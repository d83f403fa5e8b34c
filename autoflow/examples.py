"""The worked examples in `assets/examples`: a task with its inputs, and a workflow for it that was written by hand.

One folder an example: `example.json` (title, objective, what it shows, inputs, tools), `workflow.core`, and the files
of the inputs. They lie beside the package, in the checkout; an installation without the checkout has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from autoflow.errors import SettingsError
from autoflow.records import TaskInput

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example."""

    slug: str  # the folder's name
    title: str
    objective: str
    shows: str  # a sentence: what of the language it shows
    inputs: tuple[TaskInput, ...]
    tools: tuple[str, ...]
    text: str  # the workflow, free of errors
    folder: Path


def list_examples() -> list[Example]:
    """All worked examples, by title; empty where the checkout is not there."""
    folders = (file.parent for file in FOLDER.glob("*/example.json"))
    return sorted((_read(folder) for folder in folders), key=lambda e: e.title)


def get_example(slug: str) -> Example:
    """The example of this name. Raises SettingsError: there is none."""
    found = {example.slug: example for example in list_examples()}
    if slug not in found:
        raise SettingsError(f"There is no example `{slug}`.", f"There are: {', '.join(found) or 'none here'}.")
    return found[slug]


def _read(folder: Path) -> Example:
    about = json.loads((folder / "example.json").read_text("utf-8"))
    return Example(
        slug=folder.name,
        title=about["title"],
        objective=about["objective"],
        shows=about["shows"],
        inputs=tuple(_input(folder, item["name"], item["file"]) for item in about["inputs"]),
        tools=tuple(about["tools"]),
        text=(folder / "workflow.core").read_text("utf-8"),
        folder=folder,
    )


def _input(folder: Path, name: str, filename: str) -> TaskInput:
    return TaskInput(name=name, text=(folder / filename).read_text("utf-8"), filename=filename, media_type="text/plain")
