"""Asking a generator for a few words, as an object of texts."""

from __future__ import annotations

import json

from autoflow.interpret.replies import json_object
from autoflow.llm.base import JsonSchema, Message, Options
from autoflow.optimize.operators.base import Bench
from autoflow.prompts import fill, load

ANSWER_TOKENS = 300
LONGEST = 400  # characters of a text that is used


async def ask(bench: Bench, prompt: str, keys: tuple[str, ...], **values: str) -> dict[str, str] | None:
    """The texts under `keys`, each on one line; None where the reply lacks one of them.

    Args:
        prompt: file in `optimize/prompts`, filled with `values`.
    """
    options = Options(
        temperature=bench.options.temperature, seed=bench.seed, max_tokens=ANSWER_TOKENS,
        constraint=JsonSchema(_schema(keys), prompt), label=f"an edit ({prompt})",
    )  # fmt: skip
    asked = fill(load("optimize", prompt), **values)
    reply = await bench.shop.generator.complete([Message("user", asked)], options)
    found = json_object(reply.text) or {}
    texts = {key: one_line(found[key]) for key in keys if isinstance(found.get(key), str)}
    return texts if all(texts.get(key) for key in keys) else None


def one_line(text: str) -> str:
    """As it can stand in an instruction: no line break, no mark of the language, not too long."""
    return " ".join(text.replace(":::", ": ").split())[:LONGEST].strip()


def quoted(text: str) -> str:
    """In double quotes, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def _schema(keys: tuple[str, ...]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {key: {"type": "string", "maxLength": LONGEST} for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }
