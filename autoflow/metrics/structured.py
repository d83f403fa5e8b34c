"""Scorers of answers that are JSON: the same value, or a value of a schema.

The value is looked for in the whole answer, in a code fence, and then in the text: the first object or list.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Any

import regex

from autoflow.errors import SettingsError
from autoflow.llm.base import LLM
from autoflow.llm.reply_text import visible
from autoflow.metrics.base import Score, Scorer
from autoflow.metrics.kinds import ScorerKind, ScorerOption
from autoflow.metrics.text import MATCH_LIMIT_S, overlap
from autoflow.records import Json

_FENCE = regex.compile(r"```[\w-]*\s*\n(.*?)```", regex.DOTALL)
SHOWN_SCHEMA = 500  # characters of it in what would have been right
_STARTS = 50  # opening brackets that are tried as the beginning of a value
_IGNORE_ORDER = ScorerOption("ignore_order", False, "lists may come in any order")
_GRADED = ScorerOption("graded", False, "fields that are right count in part (F1); else all must be")
_SCHEMA = ScorerOption(
    "schema", "", "the schema for all tasks, as JSON; where it is empty, a task's expected answer is"
)


class NoJson(ValueError):
    """The text holds no JSON value."""


def read_json(answer: str) -> Any:
    """The JSON value of an answer. Raises NoJson."""
    for value in json_values(answer):
        return value
    raise NoJson


def json_values(answer: str) -> Iterator[Any]:
    """Every JSON value that an answer may mean, the likeliest first: the whole, a fence, what begins at a bracket."""
    text = visible(answer)
    for candidate in (text, *_FENCE.findall(text)):
        try:
            yield json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    decoder, start = json.JSONDecoder(), -1
    for _ in range(_STARTS):
        start = min((at for at in (text.find(c, start + 1) for c in "{[") if at >= 0), default=-1)
        if start < 0:
            return
        try:
            yield decoder.raw_decode(text, start)[0]
        except (ValueError, RecursionError):
            continue


def canonical(value: Any, *, ignore_order: bool = False) -> Hashable:
    """Something that is equal for equal values: 1 and 1.0 are, 1 and true are not, keys have no order."""
    if isinstance(value, dict):
        return "object", frozenset((key, canonical(v, ignore_order=ignore_order)) for key, v in value.items())
    if isinstance(value, list):
        items = [canonical(v, ignore_order=ignore_order) for v in value]
        return "list", frozenset(Counter(items).items()) if ignore_order else tuple(items)
    return "bool" if isinstance(value, bool) else "value", value


def _fields(value: Any, ignore_order: bool, path: tuple[Hashable, ...] = ()) -> Iterator[Hashable]:
    """Every value that holds no other, with its path."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(inner, ignore_order, (*path, key))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from _fields(inner, ignore_order, (*path, None if ignore_order else at))
    else:
        yield path, canonical(value)


def _equal(options: Json, _: LLM | None) -> Scorer:
    free = options["ignore_order"]

    async def score(answer: str, expected: str, objective: str) -> Score:
        wanted = _parsed(expected, "The expected answer")
        try:
            found = read_json(answer)
            same = float(canonical(found, ignore_order=free) == canonical(wanted, ignore_order=free))
            mine, theirs = Counter(_fields(found, free)), Counter(_fields(wanted, free))
        except (NoJson, RecursionError):
            return Score(0.0, {"JSON": 0.0}, expected)
        share, _parts = overlap((mine & theirs).total(), mine.total(), theirs.total())
        return Score(share if options["graded"] else same, {"JSON": 1.0, "fields": share, "exact": same}, expected)

    return score


def _equal_fault(expected: str, options: Json) -> str | None:
    try:
        canonical(_parsed(expected, "The expected answer"))
    except SettingsError as error:
        return error.message
    except RecursionError:
        return "The expected answer is nested too deeply."
    return None


def _schema(options: Json, _: LLM | None) -> Scorer:
    if options["schema"]:
        validator(options["schema"])  # raises now, not at the first answer

    async def score(answer: str, expected: str, objective: str) -> Score:
        schema = options["schema"] or expected
        checker, right = validator(schema), f"JSON of the schema {schema[:SHOWN_SCHEMA]}"
        try:
            value = read_json(answer)
        except NoJson:
            return Score(0.0, {"JSON": 0.0}, right)
        valid = await asyncio.to_thread(_is_valid, checker, value)
        return Score(float(valid), {"JSON": 1.0}, right)

    return score


def _schema_fault(expected: str, options: Json) -> str | None:
    if not options["schema"] and not expected.strip():
        return "There is no schema: neither as the option `schema` nor as the expected answer."
    try:
        validator(options["schema"] or expected)
    except SettingsError as error:
        return error.message
    return None


def _is_valid(checker: Any, value: Any) -> bool:
    """Raises SettingsError: the schema cannot be followed to its end on this value."""
    from referencing.exceptions import Unresolvable

    try:
        return bool(checker.is_valid(value))
    except Unresolvable as error:
        raise SettingsError(f"The schema refers to `{error.ref}`, which is not in it.", "Write it out.") from None
    except TimeoutError:
        raise SettingsError(
            f"A pattern of the schema took more than {MATCH_LIMIT_S:g} s.", "Write it simpler."
        ) from None
    except RecursionError:
        raise SettingsError("The schema goes round in circles on this answer.", "Correct it.") from None


@lru_cache(maxsize=64)
def validator(schema: str) -> Any:
    """A validator of a JSON schema. It fetches nothing, and its patterns have a time limit.

    Raises SettingsError: it is no JSON, or no schema.
    """
    import jsonschema
    import referencing

    parsed = _parsed(schema, "The schema")
    if not isinstance(parsed, dict | bool):
        raise SettingsError("The schema is no JSON object.", 'A schema is such as {"type": "object"}.')
    kind = jsonschema.validators.validator_for(parsed, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(parsed)
        limited = jsonschema.validators.extend(kind, {"pattern": _pattern, "patternProperties": _pattern_properties})
        return limited(parsed, registry=referencing.Registry())  # without it, what it refers to would be fetched
    except (jsonschema.SchemaError, RecursionError) as error:
        words = getattr(error, "message", "it is nested too deeply")
        raise SettingsError(f"The schema is no JSON schema: {words}"[:300] + ".", "Correct it.") from None


def _pattern(checker: Any, pattern: str, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not _search(pattern, value):
        yield ValidationError(f"no match for {pattern}")


def _pattern_properties(checker: Any, patterns: Any, value: Any, schema: Any) -> Iterator[Any]:
    for pattern, inner in patterns.items() if isinstance(value, dict) else ():
        for key, held in value.items():
            if _search(pattern, key):
                yield from checker.descend(held, inner, path=key, schema_path=pattern)


def _search(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=MATCH_LIMIT_S) is not None
    except regex.error as error:
        raise SettingsError(
            f"The pattern `{pattern[:80]}` of the schema has a fault: {error}.", "Correct it."
        ) from None


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        words = error if isinstance(error, ValueError) else "nested too deeply"
        raise SettingsError(f"{what} is no JSON ({words}).", "Correct it.") from None


KINDS = (
    ScorerKind(
        "json", "The same JSON",
        "1: the same JSON value, or with `graded` the F1 of its fields; 0: another one, or none.", _equal,
        find_fault=_equal_fault, options=(_IGNORE_ORDER, _GRADED),
    ),
    ScorerKind(
        "json-schema", "JSON of a schema", "1: JSON that keeps the schema; 0: other JSON, or none.", _schema,
        needs_expected=False, find_fault=_schema_fault, options=(_SCHEMA,),
    ),
)  # fmt: skip
