"""Reading what models write: thinking taken away, JSON taken out, also where it is half or wrapped in prose."""

from __future__ import annotations

import json
import re
from typing import Any

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_THINKING_END = re.compile(r"\A.*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_REPEATED = re.compile(r"(.{1,120}?)\1{4,}.{0,120}\Z", re.DOTALL)
_TAIL = 1_500  # characters that are looked at for repetition
_BRACES = 20  # opening braces that are tried as the beginning of an object


def visible(reply: str) -> str:
    """The reply without its thinking, trimmed. Thinking that was never closed takes all with it."""
    text = _THINKING.sub("", reply) if "<" in reply else reply
    # Some chat templates open the thinking in the prompt, so that the reply only closes it.
    return (_THINKING_END.sub("", text) if "</" in text else text).strip()


def unfenced(text: str) -> str:
    """What a code fence around the whole text holds; other text as it is."""
    if not text.startswith("```"):
        return text
    first, _, rest = text.partition("\n")
    return (rest.rstrip().removesuffix("```") if rest else first.strip("`")).strip()


def json_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in the text, or None. A fence or prose around it does not matter."""
    start = -1
    for _ in range(_BRACES):
        start = text.find("{", start + 1)
        if start < 0:
            return None
        try:
            value, _end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None


def json_field(text: str, name: str) -> str | None:
    """The value of a field, as text, also out of JSON that was cut or holds a fault. None where there is none."""
    found = json_object(text)
    if found is not None and name in found:
        return as_text(found[name])
    half = re.search(rf'"{re.escape(name)}"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)', text, re.DOTALL)
    if half is None:
        return None
    try:
        return str(json.loads(f'"{half[1]}"', strict=False))
    except ValueError:
        return half[1]


def as_text(value: Any) -> str:
    """A JSON value as a person would write it: a string as it is, anything else as JSON; "" where that is too deep."""
    try:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def repeats_itself(text: str) -> bool:
    """Whether the text ends in one passage written five times or more, as models do that cannot stop."""
    return _REPEATED.search(text[-_TAIL:]) is not None
