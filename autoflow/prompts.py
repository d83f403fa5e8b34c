"""Prompts as files: shipped in `autoflow/<area>/prompts`, replaced by a file of the same name in the data folder.

A file `AUTOFLOW_HOME/prompts/<area>/<name>.md` takes the place of the shipped one.
A placeholder is `{{name}}`. Filling is one pass over the template, so text of users, files and models that happens to
look like a placeholder stays as it is.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from autoflow.errors import SettingsError
from autoflow.settings import settings

AREAS = ("generate", "interpret", "metrics", "optimize", "tools")
_PLACEHOLDER = re.compile(r"\{\{ *([a-z][a-z0-9_]*) *\}\}")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file as it is in force now."""

    area: str  # generate, interpret, metrics
    name: str  # the file's name without `.md`
    text: str
    path: Path  # where the text came from
    replacement: Path  # where a user puts a file of their own
    placeholders: tuple[str, ...]  # those that the text uses, in order of first use
    fault: str = ""  # why the user's file cannot be read; only in `list_prompts`, `text` is then the shipped one

    @property
    def replaced(self) -> bool:
        """The user's own file is in force, not the shipped one."""
        return self.path == self.replacement or bool(self.fault)


def load(area: str, name: str) -> Prompt:
    """The prompt of this name: the user's file where there is one, else the shipped one. Read anew at every call.

    Raises SettingsError: there is no such prompt, or the user's file cannot be read.
    """
    shipped = _shipped(area, name)
    replacement = settings().prompts_dir / area / f"{name}.md"
    path = replacement if os.path.exists(replacement) else shipped  # unlike Path.exists, never raises
    return _prompt(area, name, path, replacement)


def list_prompts() -> list[Prompt]:
    """Every prompt there is, by area and name, for people who read and replace them."""
    files = [(area, file.stem) for area in AREAS for file in sorted((_HERE / area / "prompts").glob("*.md"))]
    return [_listed(area, name) for area, name in files]


def _listed(area: str, name: str) -> Prompt:
    try:
        return load(area, name)
    except SettingsError as error:
        replacement = settings().prompts_dir / area / f"{name}.md"
        return replace(_prompt(area, name, _shipped(area, name), replacement), fault=str(error))


def fill(prompt: Prompt, **values: str) -> str:
    """The prompt with each placeholder replaced by its value; a value is never looked at again.

    A value that the text has no placeholder for is left out: a user's file may want to say less.

    Raises SettingsError: the text has a placeholder that is none of `values`.
    """
    for name in prompt.placeholders:
        if name not in values:
            known = ", ".join(f"{{{{{n}}}}}" for n in sorted(values)) or "no placeholder"
            raise SettingsError(
                f"The prompt file {prompt.path} holds the placeholder {{{{{name}}}}}, which means nothing here.",
                f"It may use {known}.",
            )
    return _PLACEHOLDER.sub(lambda found: values[found[1]], prompt.text).strip()


def _prompt(area: str, name: str, path: Path, replacement: Path) -> Prompt:
    text = _read(path)
    return Prompt(area, name, text, path, replacement, tuple(dict.fromkeys(_PLACEHOLDER.findall(text))))


def _shipped(area: str, name: str) -> Path:
    path = _HERE / area / "prompts" / f"{name}.md"
    if area not in AREAS or not _NAME.fullmatch(name) or not path.is_file():
        raise SettingsError(f"There is no prompt `{name}` in the area `{area}`.", f"Areas are {', '.join(AREAS)}.")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The prompt file {path} cannot be read: {error}.",
            "Make it a readable text file in UTF-8, or remove it to get the shipped prompt back.",
        ) from error
