"""The tools that are always there: they read the task at hand or work something out, and change nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError

from autoflow.errors import ToolArgumentError, ToolFailed
from autoflow.tools import inputs
from autoflow.tools.base import Tool, ToolContext
from autoflow.tools.calculator import evaluate
from autoflow.tools.decorator import tool
from autoflow.tools.ranking import Ranking

PASSAGE_CHARACTERS = 600
READ_CHARACTERS = 6_000  # of a file at a time
MAX_PASSAGES = 20_000  # of all inputs together: about 10 MB


@tool
def calculator(expression: str) -> str:
    """Work out an arithmetic expression, such as (3 + 4) * 2 ** 0.5.

    Args:
        expression: numbers, + - * / // % **, brackets, pi, e, and functions such as sqrt, log, sin, round, min, max.
    """
    value = evaluate(expression)
    return f"{value:.12g}" if isinstance(value, float) else str(value)  # 0.1 + 0.2 is 0.3 to people


@tool
def current_date(timezone: str = "UTC") -> str:
    """Today's date, weekday and time.

    Args:
        timezone: name of a time zone, such as Europe/Berlin.
    """
    try:
        now = datetime.now(UTC if timezone == "UTC" else ZoneInfo(timezone))
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ToolArgumentError(
            f"There is no time zone `{timezone}`.", "Name it as in Europe/Berlin, or UTC."
        ) from error
    return f"{now:%Y-%m-%d}, {now:%A}, {now:%H:%M} {timezone}"


@tool
def lookup(query: str, context: ToolContext, input: str | None = None, count: int = 3) -> str:
    """Find the passages of the task's text inputs that fit a query best.

    Args:
        query: the words to look for.
        input: name of one input; without it all text inputs are searched.
        count: how many passages, 1 to 10.
    """
    passages = list(_passages(context, input))[:MAX_PASSAGES]
    scores = Ranking(kept=0).scores(query, [text for _, text in passages])
    best = sorted(range(len(passages)), key=lambda n: -scores[n])[: max(1, min(count, 10))]
    found = [f"[{passages[n][0]}, passage {n + 1}] {passages[n][1]}" for n in best if scores[n] > 0]
    return "\n\n".join(found) or f"No passage holds a word of `{query}`."


@tool
def read_file(name: str, context: ToolContext, offset: int = 0) -> str:
    """Read a text file or a text input of the task.

    Args:
        name: the name of the input.
        offset: the character to begin at; a long file comes in parts.
    """
    text = inputs.text_of(inputs.named(name, context), context)
    if not 0 <= offset <= len(text):
        raise ToolArgumentError(f"`0 <= offset <= {len(text)}` must hold, but got offset={offset}.")
    end = offset + READ_CHARACTERS
    if end >= len(text):
        return text[offset:]
    return f"{text[offset:end]}\n[Characters {offset:,} to {end:,} of {len(text):,}. Go on with offset={end}.]"


@tool
def json_query(expression: str, context: ToolContext, input: str | None = None, data: Any = None) -> str:
    """Take values out of JSON with a JMESPath expression, such as people[?age > `30`].name.

    Args:
        expression: the JMESPath expression.
        input: name of an input that holds JSON.
        data: the JSON itself, where it is in no input.
    """
    if (input is None) == (data is None):
        raise ToolArgumentError("Give either `input` or `data`.")
    value = data if input is None else _json_input(input, context)
    try:
        found = jmespath.search(expression, value)
    except (JMESPathError, RecursionError, ValueError, TypeError) as error:
        raise ToolArgumentError(f"`{expression}` cannot be searched for: {error}.") from error
    return "Nothing found." if found is None else json.dumps(found, ensure_ascii=False)


def _json_input(name: str, context: ToolContext) -> Any:
    item = inputs.named(name, context)
    try:
        return json.loads(inputs.text_of(item, context))
    except (ValueError, RecursionError) as error:
        raise ToolFailed(f"The input `{item.name}` is no JSON: {error}.") from error


def _passages(context: ToolContext, name: str | None) -> Iterator[tuple[str, str]]:
    """Pieces of about PASSAGE_CHARACTERS, cut at paragraphs, else at sentences, else anywhere; with their input."""
    chosen = [inputs.named(name, context)] if name else [i for i in context.task.inputs if i.kind != "image"]
    for item in chosen:
        try:
            text = inputs.text_of(item, context)
        except ToolFailed:
            if name:
                raise
            continue  # a file that is no text has no passages
        yield from ((item.name, passage) for passage in _cut(text))


def _cut(text: str) -> Iterator[str]:
    held = ""
    for piece in re.split(r"(?<=\n)\s*\n|(?<=[.!?。！？])\s+", text):
        for start in range(0, len(piece), PASSAGE_CHARACTERS):
            part = piece[start : start + PASSAGE_CHARACTERS].strip()
            if held and len(held) + len(part) > PASSAGE_CHARACTERS:
                yield held
                held = ""
            held = f"{held} {part}".strip()
    if held:
        yield held


BUILTIN: tuple[Tool, ...] = tuple(
    replace(made, source="builtin") for made in (calculator, current_date, lookup, read_file, json_query)
)
