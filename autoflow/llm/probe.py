"""What the test button does: one tiny real request each for text, a schema and a tool."""

from __future__ import annotations

import json
import time
from typing import Any

from autoflow.errors import ModelError, ToolsUnsupported
from autoflow.llm.base import LLM, JsonSchema, Message, Options, ToolSpec

_TOKENS = 400  # thinking models need room before they say a word
_COLOUR = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
_SCHEMA = JsonSchema({**_COLOUR, "additionalProperties": False}, name="colour")
_TOOL = ToolSpec("show_colour", "Shows a colour to the person who asked.", _COLOUR)


async def test_llm(llm: LLM) -> dict[str, Any]:
    """Ask a model three small things, and say what came of it.

    Returns: `ok` (it answers in text), `latency_s` of the first answer, `model` as the endpoint names it, `features`
        (`streaming`, `usage`: whether they were seen; `schema`: how strongly it was honoured, or False; `tools`:
        whether it called one), `error`: the sentence that went with the first failure, or "". Never raises ModelError.
    """
    features: dict[str, Any] = {}
    report: dict[str, Any] = {"ok": False, "latency_s": None, "model": "", "features": features, "error": ""}
    pieces: list[str] = []
    started = time.monotonic()
    try:
        asked = [Message("user", "Reply with the word: ready")]
        said = await llm.complete(asked, Options(max_tokens=_TOKENS, label="the test of the model"), pieces.append)
    except ModelError as error:
        return report | {"error": str(error)}
    report |= {"ok": True, "latency_s": round(time.monotonic() - started, 3), "model": said.model}
    features |= {"streaming": len(pieces) > 1, "usage": said.usage.completion_tokens is not None}
    for feature, ask in (("schema", _schema), ("tools", _tools)):
        try:
            features[feature] = await ask(llm)
        except ToolsUnsupported:
            features[feature] = False
        except ModelError as error:
            features[feature] = False
            report["error"] = report["error"] or str(error)
    return report


async def _schema(llm: LLM) -> str | bool:
    asked = [Message("user", 'Name a colour. Answer with JSON: {"colour": "..."}')]
    said = await llm.complete(asked, Options(max_tokens=_TOKENS, constraint=_SCHEMA, label="the test of schemas"))
    try:
        kept = isinstance(json.loads(said.text).get("colour"), str)
    except (ValueError, AttributeError, RecursionError):
        kept = False
    return said.strength if kept else False


async def _tools(llm: LLM) -> bool:
    asked = [Message("user", "Call the tool show_colour with the colour blue.")]
    said = await llm.complete(asked, Options(max_tokens=_TOKENS, tools=(_TOOL,), label="the test of tools"))
    return any(call.name == _TOOL.name for call in said.tool_calls)


test_llm.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's, whatever its name looks like
