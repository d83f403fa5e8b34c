"""Requests as keys and answers as JSON: what the cache and the recordings keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from autoflow.llm.base import Choice, Completion, Constraint, Grammar, JsonSchema, Message, Options, ToolCall, Usage

Json = dict[str, Any]


def key_of(model: str, messages: Sequence[Message], options: Options) -> str:
    """The same for requests that must get the same answer; in hexadecimal.

    Label and time limit do not count: they do not change what is asked.
    """
    asked = {"model": model, "messages": [_message(m) for m in messages], "options": _options(options)}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _message(message: Message) -> Json:
    return {
        "role": message.role,
        "content": message.content,
        "tool_calls": [asdict(c) for c in message.tool_calls],
        "tool_call_id": message.tool_call_id,
        "images": [[i.media_type, hashlib.sha256(i.data).hexdigest()] for i in message.images],
    }


def _options(options: Options) -> Json:
    return {
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "max_tokens": options.max_tokens,
        "stop": list(options.stop),
        "tools": [[t.name, t.description, dict(t.parameters)] for t in options.tools],
        "constraint": _constraint(options.constraint),
        "repeat": options.repeat,
    }


def _constraint(constraint: Constraint | None) -> Any:
    match constraint:
        case Choice(choices):
            return {"choice": list(choices)}
        case JsonSchema(schema, name):
            return {"schema": dict(schema), "name": name}
        case Grammar(gbnf):
            return {"grammar": gbnf}
        case None:
            return None


def completion_to_json(completion: Completion) -> Json:
    return asdict(completion)


def completion_from_json(data: Mapping[str, Any]) -> Completion:
    """Raises ValueError, TypeError or KeyError: not the JSON of a completion. Unknown fields are left out."""
    known = {f.name: data[f.name] for f in fields(Completion) if f.name in data}
    usage = {f.name: data["usage"][f.name] for f in fields(Usage) if f.name in data["usage"]}
    calls = tuple(ToolCall(c["id"], c["name"], c["arguments"]) for c in data["tool_calls"])
    if not isinstance(data["text"], str):
        raise TypeError("text must be a string")
    return Completion(**(known | {"usage": Usage(**usage), "tool_calls": calls}))
