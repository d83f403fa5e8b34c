"""Whether a reply keeps what a constraint asked for, and whether it has begun to repeat itself."""

from __future__ import annotations

import json

from autoflow.llm.base import Choice, Constraint, JsonSchema

REPEAT_WINDOW = 4000  # characters that must be one unit again and again ...
REPEAT_TIMES = 10  # ... at least this often


def conforms(text: str, constraint: Constraint | None) -> bool:
    """Whether a text keeps the constraint. A grammar is not checked here: it counts as kept."""
    if isinstance(constraint, Choice):
        return text in constraint.choices
    if isinstance(constraint, JsonSchema):
        return _keeps_schema(text, constraint)
    return True


def _keeps_schema(text: str, constraint: JsonSchema) -> bool:
    import jsonschema  # takes 60 ms to load, needed only where a schema is used

    try:
        jsonschema.validate(json.loads(text), dict(constraint.schema))
    except (ValueError, RecursionError, jsonschema.ValidationError, jsonschema.SchemaError):
        return False
    return True


def repeated_unit(text: str) -> str | None:
    """The unit that the last `REPEAT_WINDOW` characters repeat, or None.

    The shortest period of a string is its length less its longest border (Knuth, Morris, Pratt): linear time.
    """
    tail = text[-REPEAT_WINDOW:]
    if len(tail) < REPEAT_WINDOW:
        return None
    border = [0] * len(tail)
    for end in range(1, len(tail)):
        length = border[end - 1]
        while length and tail[end] != tail[length]:
            length = border[length - 1]
        border[end] = length + (tail[end] == tail[length])
    period = len(tail) - border[-1]
    return tail[:period] if period * REPEAT_TIMES <= len(tail) else None
