"""JSON lines, and JSON lists of objects, as rows of cells."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from autoflow.errors import SettingsError
from autoflow.suites.table_cells import Format, Parsed, check_counts
from autoflow.suites.table_decode import clean

_ENDINGS = (".json", ".jsonl", ".ndjson")
_CELLS = (".csv", ".tsv", ".tab")
_FORM = 'The form is one object a row: {"question": "...", "answer": "..."}.'


def parse_json(text: str, shown: str, ending: str) -> Parsed | None:
    """The rows of JSON lines, of a list of objects, or of one object; None where the text is something else.

    Args:
        ending: of the file name, as `.jsonl`; one of JSON's makes anything else an error.
    Raises SettingsError: broken JSON, or no objects in it.
    """
    if ending not in _ENDINGS and (ending in _CELLS or not _looks_like_json(text)):
        return None
    whole = _load(text)
    if isinstance(whole, list):
        return _parsed(whole, "json", "item", shown)
    if isinstance(whole, dict):
        return _parsed([whole], "jsonl", "line", shown)
    if text.lstrip().startswith("["):
        raise SettingsError(f"{shown} is a JSON list that cannot be read: {whole}.", _FORM)
    return _parsed([_load(line) for line in _lines(text, shown)], "jsonl", "line", shown)


class _Broken(str):
    """Why a line is no JSON."""


def _looks_like_json(text: str) -> bool:
    """A list of objects or an object from end to end, or one in the first line."""
    start = text.lstrip()
    if start.startswith("["):
        return start[1:].lstrip().startswith("{") and text.rstrip().endswith("]")
    return start.startswith("{") and (isinstance(_load(start.split("\n", 1)[0]), dict) or isinstance(_load(text), dict))


def _load(text: str) -> Any:
    """What the text means; None for nothing at all, `_Broken` where it is no JSON."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except RecursionError:
        return _Broken("it is nested too deeply")
    except ValueError as error:
        return _Broken(str(error))


def _lines(text: str, shown: str) -> list[str]:
    """Lines; a mark such as U+2028 inside of a text ends none."""
    lines = text.rstrip().split("\n" if "\n" in text else "\r")
    check_counts(len(lines), 0, shown)
    return lines


def _parsed(items: Sequence[Any], form: Format, word: str, shown: str) -> Parsed:
    """Raises SettingsError: too many, or fewer than half of them are objects."""
    check_counts(len(items), 0, shown)
    faults = {number: fault for number, item in enumerate(items, 1) if (fault := _fault(item))}
    columns = list(dict.fromkeys(key for item in items if isinstance(item, dict) for key in item))
    objects = sum(isinstance(item, dict) for item in items)
    if not columns or objects < len(faults):
        reason = next((f"{word} {number} {fault}" for number, fault in faults.items()), "there is nothing in it")
        raise SettingsError(f"{shown} is no list of JSON objects: {reason}.", _FORM)
    check_counts(len(items), len(columns), shown)
    rows = tuple(tuple(_cell(item, key) for key in columns) for item in items)
    sizes = {len(item) for item in items if isinstance(item, dict)}
    return Parsed([clean(column) for column in columns], rows, form, 1, _notes(faults, sizes, word))


def _fault(item: object) -> str:
    """Why this is no row; empty where it is one, or nothing at all."""
    if item is None or isinstance(item, dict):
        return ""
    if isinstance(item, _Broken):
        return f"is not JSON ({item})"
    names = {str: "a text", bool: "true or false", list: "a list"}
    return f"is {names.get(type(item), 'a number')}, not an object"


def _cell(item: object, key: str) -> str:
    """Raises SettingsError: nested as deeply as can be read, but not written."""
    value = item.get(key) if isinstance(item, dict) else None
    if value is None:
        return ""
    try:
        return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    except RecursionError as error:
        raise SettingsError(f"A value of `{key[:80]}` is nested too deeply.", "Leave it out.") from error


def _notes(faults: Mapping[int, str], sizes: Collection[int], word: str) -> list[str]:
    notes = []
    if faults:
        number, fault = next(iter(faults.items()))
        count = f"{len(faults):,} {word}{'s' if len(faults) > 1 else ''}"
        notes.append(f"Left out: {count} without a JSON object; {word} {number} {fault}.")
    if len(sizes) > 1:
        notes.append(f"Not every {word} has the same keys; what is missing is empty.")
    return notes
