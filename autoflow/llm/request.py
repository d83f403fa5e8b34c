"""From messages and options to the JSON body of a chat completion request."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from autoflow.llm.base import Choice, Constraint, Grammar, Image, JsonSchema, Message, Options, ToolCall, ToolSpec
from autoflow.llm.features import Features, Form

_HALVES = re.compile("[\ud800-\udfff]")
CHOICE_KEY = "choice"  # where a JSON schema stands in for a choice, the key that holds it


def body_of(model: str, messages: Sequence[Message], options: Options, features: Features) -> dict[str, Any]:
    """The request, as strong as the features allow."""
    refused = features.refused
    body: dict[str, Any] = {"model": model, "messages": [_message(m) for m in messages]}
    if "temperature" not in refused:
        body["temperature"] = options.temperature
    for name in ("top_p", "seed"):
        value = getattr(options, name)
        if value is not None and name not in refused:
            body[name] = value
    if options.max_tokens is not None:
        body["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = options.max_tokens
    if options.stop:
        body["stop"] = list(options.stop)
    if options.tools:
        body["tools"] = [_tool(t) for t in options.tools]
    if "stream" not in refused:
        body["stream"] = True
        if "stream_options" not in refused:
            body["stream_options"] = {"include_usage": True}
    if options.constraint is not None:
        body |= _constraint(options.constraint, features.form(options.constraint, bool(options.tools)))
    cleaned: dict[str, Any] = encodable(body)
    return cleaned


def _message(message: Message) -> dict[str, Any]:
    text = message.content
    found: dict[str, Any] = {"role": message.role, "content": text}
    if message.images:
        found["content"] = [{"type": "text", "text": text}, *(_image(i) for i in message.images)]
    if message.tool_calls:
        found["tool_calls"] = [_call(c) for c in message.tool_calls]
        found["content"] = text or None
    if message.tool_call_id is not None:
        found["tool_call_id"] = message.tool_call_id
    return found


def _image(image: Image) -> dict[str, Any]:
    data = base64.b64encode(image.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{data}"}}


def _call(call: ToolCall) -> dict[str, Any]:
    """Servers fail on a history with arguments that are no JSON object, so such text is wrapped in one."""
    arguments = call.arguments
    try:
        whole = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        whole = False
    arguments = arguments if whole else json.dumps({"text": arguments}, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _constraint(constraint: Constraint, form: Form) -> dict[str, Any]:
    if form == "native":
        return _native(constraint)
    if form == "json":
        return {"response_format": {"type": "json_object"}}
    if form == "schema" and not isinstance(constraint, Grammar):
        schema, name = _schema_of(constraint)
        named = {"name": name, "schema": dict(schema), "strict": is_strict(schema)}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    return {}


def _native(constraint: Constraint) -> dict[str, Any]:
    """llama.cpp reads `grammar`, vLLM (from 0.11) `structured_outputs`; each ignores the other's field."""
    if isinstance(constraint, Choice):
        options = list(constraint.choices)
        return {"grammar": choice_grammar(options), "structured_outputs": {"choice": options}}
    assert isinstance(constraint, Grammar)
    return {"grammar": constraint.gbnf, "structured_outputs": {"grammar": constraint.gbnf}}


def _schema_of(constraint: Choice | JsonSchema) -> tuple[Mapping[str, Any], str]:
    if isinstance(constraint, JsonSchema):
        return constraint.schema, constraint.name
    one_of = {"type": "string", "enum": list(constraint.choices)}
    schema = {
        "type": "object",
        "properties": {CHOICE_KEY: one_of},
        "required": [CHOICE_KEY],
        "additionalProperties": False,
    }
    return schema, CHOICE_KEY


def choice_grammar(choices: Sequence[str]) -> str:
    """GBNF of exactly one of these texts."""
    escapes = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
    return "root ::= " + " | ".join(f'"{choice.translate(escapes)}"' for choice in choices)


def is_strict(schema: Any) -> bool:
    """Whether OpenAI's strict mode takes a schema: every object closed, and all of its properties required."""
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        names = set(schema.get("properties", {}))
        if schema.get("additionalProperties") is not False or names != set(schema.get("required", ())):
            return False
    return all(is_strict(value) for value in schema.values())


def encodable(value: Any) -> Any:
    """The same JSON, with halves of surrogate pairs, which UTF-8 cannot carry, as U+FFFD."""
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, (list, tuple)) else value
