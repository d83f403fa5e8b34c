"""Finding the JSON form of a workflow in a reply, also where the JSON around the steps is broken or cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# Either the list called `steps`, or a list whose first object begins with a name.
_BEGIN = re.compile(r'"steps"\s*:\s*\[|\[\s*(?=\{\s*"name"\s*:)')
_BETWEEN = re.compile(r"[\s,]*")
_FAILURES = 20  # broken lists that are looked into; each may cost the length of the reply
_DECODER = json.JSONDecoder()


def step_lists(text: str) -> Iterator[tuple[int, list[Any]]]:
    """Each list of steps in the text: where it begins, and its objects up to the first that cannot be read.

    Reading object by object makes do without the end of the JSON, with commas too many and with text behind it.
    """
    position, failures = 0, 0
    while failures < _FAILURES and (begin := _BEGIN.search(text, position)):
        found: list[Any] = []
        position = begin.end()
        while True:
            start = _skip(text, position)
            if text[start : start + 1] != "{":
                break
            try:
                step, position = _DECODER.raw_decode(text, start)
            except (ValueError, RecursionError):
                failures += 1
                break
            found.append(step)
        if found:
            yield begin.start(), found


def _skip(text: str, position: int) -> int:
    space = _BETWEEN.match(text, position)
    return space.end() if space else position
