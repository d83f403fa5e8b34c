"""Examples out of a model's reply, as it streams: JSON objects wherever they stand, else lines with labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow.llm.reply_text import as_text, visible

Found = tuple[dict[str, str], str]  # inputs by name, expected answer
_EXPECTED = ("expected", "expected_output", "expected_answer", "output", "answer")
_LABELS = r"expected(?:[ _](?:output|answer|result))?|output|answer"
_HEADING = re.compile(r"^\W*(?:example|case|test)\W*\d*\W*$", re.IGNORECASE | re.MULTILINE)


class ExampleReader:
    """Reads one reply piece by piece.

    Args:
        names: of the inputs that an example has; others are left out.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._text = ""
        self._at = 0  # of the visible text: what lies before is read
        self._any = False

    def feed(self, piece: str) -> list[Found]:
        """What became complete with this piece; an empty one says that the reply begins anew."""
        if not piece:
            self._text, self._at = "", 0
            return []
        self._text += piece
        return list(self._objects()) if "}" in piece else []

    def close(self) -> list[Found]:
        """The reply is complete: where it held no JSON at all, its lines with labels."""
        return [] if self._any else list(labelled(visible(self._text), self._names))

    def _objects(self) -> Iterator[Found]:
        text, decoder = visible(self._text), json.JSONDecoder()
        start = text.find("{", self._at)
        while start >= 0:
            try:
                value, end = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):  # not complete yet, or no JSON: one inside it may be
                end = start + 1
            else:
                found = list(self._examples(value))
                if found:
                    self._any, self._at = True, end
                    yield from found
            start = text.find("{", end)

    def _examples(self, value: Any) -> Iterator[Found]:
        listed = value.get("examples") if isinstance(value, dict) else None
        for item in listed if isinstance(listed, list) else [value]:
            if isinstance(item, dict) and (found := self._example(item)):
                yield found

    def _example(self, item: Mapping[str, Any]) -> Found | None:
        expected = next((as_text(item[key]) for key in _EXPECTED if key in item), "")
        inputs = item.get("inputs", item.get("input"))
        if not isinstance(inputs, dict):  # the only input without its name, or inputs beside the answer
            beside = {key: value for key, value in item.items() if key not in _EXPECTED}
            inputs = {self._names[0]: inputs} if inputs is not None else beside
        return _cleaned({str(k): as_text(v) for k, v in inputs.items()}, expected, self._names)


def labelled(text: str, names: Sequence[str]) -> Iterator[Found]:
    """Examples of the form `Input: ...`, `Expected: ...`; a value goes on to the next label."""
    inputs = "|".join(re.escape(name) for name in names)
    label = re.compile(
        rf"^[\W\d]*(?:(?P<input>{inputs}|input)|{_LABELS})\b[^:\n]{{0,20}}:", re.IGNORECASE | re.MULTILINE
    )
    marks = list(label.finditer(text))
    held: dict[str, str] = {}
    for at, mark in enumerate(marks, 1):
        end = marks[at].start() if at < len(marks) else len(text)
        value = _HEADING.sub("", text[mark.end() : end]).strip("\n\r\t *`")
        if mark["input"]:
            held[mark["input"].lower()] = value
        else:
            found = _cleaned({name: held.get(name.lower(), "") for name in names} | _unnamed(held, names), value, names)
            held = {}
            if found:
                yield found


def _unnamed(held: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """`Input: ...` means the only input, whatever its name."""
    return {names[0]: held["input"]} if len(names) == 1 and "input" in held else {}


def _cleaned(inputs: Mapping[str, str], expected: str, names: Sequence[str]) -> Found | None:
    """An example with the inputs that are asked for; None where nothing is given, or nothing expected."""
    if len(names) == 1 and names[0] not in inputs and len(inputs) == 1:
        inputs = {names[0]: next(iter(inputs.values()))}
    kept = {name: inputs.get(name, "").strip() for name in names}
    return (kept, expected.strip()) if any(kept.values()) and expected.strip() else None
