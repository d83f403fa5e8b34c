"""A toolbox: what one run may call, with arguments checked before and results cut after."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import validator_for
from referencing import Registry

from autoflow.errors import AutoFlowError, ToolArgumentError, ToolError, ToolFailed, ToolTimeout, UnknownTool
from autoflow.llm.base import ToolSpec
from autoflow.records import Json
from autoflow.tools.base import Tool, ToolContext, ToolResult

MAX_DEPTH = 100  # of arguments: the records of a run cannot hold what nests much deeper
RESULT_CHARACTERS = 8_000  # what a model is told of one result
_GRACE_S = 1.0  # for a tool that is told to stop


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What came of a call that went well."""

    text: str  # as the model is told, cut to RESULT_CHARACTERS
    characters: int  # of the whole result
    result: ToolResult  # whole, with what else there is to say

    @property
    def more(self) -> Json:
        """What else the record holds of it: nothing for most tools."""
        result = self.result
        told: Json = {"by": result.by} if result.by else {}
        told |= {"took": [ref.model_dump() for ref in result.took]} if result.took else {}
        told |= {"made": [ref.model_dump() for ref in result.made]} if result.made else {}
        return told | ({"totals": result.totals.model_dump(exclude={"seconds"})} if result.totals else {})


class Toolbox:
    """The tools of one run, by name. `problems` says in sentences what could not be opened."""

    def __init__(self, tools: Iterable[Tool] = (), problems: Iterable[ToolError] = ()) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._validators: dict[str, Any] = {}
        self.problems = tuple(problems)

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told of the tools, in the order in which they were given."""
        return tuple(tool.spec for tool in self._tools.values())

    @property
    def tools(self) -> tuple[Tool, ...]:
        return tuple(self._tools.values())

    async def call(self, name: str, arguments: str, context: ToolContext, timeout_s: float) -> ToolOutcome:
        """Check the arguments, run the tool, cut its result.

        Args:
            name: the tool's name, as the model wrote it.
            arguments: a JSON object as text; empty text is an empty object.
            context: the task at hand.
            timeout_s: after this the tool is given up. A plain function cannot be killed: its thread ends by itself.
        Raises: UnknownTool, ToolArgumentError, ToolTimeout, ToolFailed; each message is fit for the model to read.
        """
        tool = self._find(name)
        values = read_arguments(name, arguments)
        self._validate(tool, values)
        return _cut(name, await _within(tool, values, context, timeout_s))

    def _find(self, name: str) -> Tool:
        tool = self._tools.get(name)
        if tool is None:
            raise UnknownTool(f"There is no tool `{name}`.", self._suggest(name))
        return tool

    def _suggest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._tools, n=1)
        known = ", ".join(f"`{known}`" for known in self._tools) or "none"
        return f"Did you mean `{near[0]}`?" if near else f"The tools are: {known}."

    def _validate(self, tool: Tool, values: Mapping[str, Any]) -> None:
        try:
            problem = best_match(self._validator(tool).iter_errors(values))
        except Exception as error:  # of many kinds: bad types, dangling references, patterns that are no expression
            raise ToolFailed(f"The tool `{tool.name}` has a broken schema: {_first_line(error)}.") from error
        if problem is not None:
            raise ToolArgumentError(f"The arguments of `{tool.name}` do not fit: {_in_words(problem)}.")

    def _validator(self, tool: Tool) -> Any:
        if tool.name not in self._validators:
            schema = dict(tool.spec.parameters)
            kind = validator_for(schema)
            kind.check_schema(schema)
            # An empty registry: a `$ref` to somewhere else is never fetched.
            self._validators[tool.name] = kind(schema, registry=Registry())
        return self._validators[tool.name]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__


def read_arguments(name: str, text: str) -> dict[str, Any]:
    """The arguments that a model wrote, also where it wrote the JSON object as a JSON string.

    Raises ToolArgumentError: the text is no JSON object, or one that nests deeper than `MAX_DEPTH`.
    """
    try:
        value = json.loads(text) if text.strip() else {}
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ToolArgumentError(f"The arguments of `{name}` are no JSON: {error}.", "Send one JSON object.") from error
    if not isinstance(value, dict):
        raise ToolArgumentError(f"The arguments of `{name}` are no JSON object.", "Send one JSON object.")
    if _nests_deeper(value, MAX_DEPTH):
        raise ToolArgumentError(f"The arguments of `{name}` nest deeper than {MAX_DEPTH} levels.", "Send them flat.")
    return value


def _nests_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects lie in one another more than `depth` times; level by level, as recursion would fail."""
    level = [value] if isinstance(value, dict | list) else []
    while level and depth:
        items = (item for held in level for item in (held.values() if isinstance(held, dict) else held))
        level, depth = [item for item in items if isinstance(item, (dict, list))], depth - 1
    return bool(level)


def _in_words(problem: ValidationError) -> str:
    where = ".".join(str(part) for part in problem.absolute_path)
    message = problem.message if len(problem.message) <= 300 else problem.message[:300] + " ..."
    return f"`{where}`: {message}" if where else message


def _cut(name: str, said: str | ToolResult) -> ToolOutcome:
    result = ToolResult(said) if isinstance(said, str) else said
    text = result.text.encode("utf-8", "replace").decode()  # a lone surrogate could be neither sent nor stored
    if len(text) <= RESULT_CHARACTERS:
        return ToolOutcome(text, len(text), result)
    note = f"[First {RESULT_CHARACTERS:,} of {len(text):,} characters. For the rest, ask `{name}` for a smaller part.]"
    return ToolOutcome(f"{text[:RESULT_CHARACTERS]}\n{note}", len(text), result)


async def _within(tool: Tool, values: Mapping[str, Any], context: ToolContext, timeout_s: float) -> str | ToolResult:
    """The tool's result. It runs as a task of its own, so that nothing it does to itself looks like a cancelled run."""
    task = asyncio.ensure_future(tool.run(values, context))
    try:
        done, _ = await asyncio.wait({task}, timeout=timeout_s)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=_GRACE_S)
        raise
    if not done:
        task.cancel()
        await asyncio.wait({task}, timeout=_GRACE_S)
        raise ToolTimeout(f"The tool `{tool.name}` did not return within {timeout_s:g} s.")
    return _result(tool.name, task)


def _result(name: str, task: asyncio.Future[str | ToolResult]) -> str | ToolResult:
    if task.cancelled():
        raise ToolFailed(f"The tool `{name}` gave up.")
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, ToolError):
        raise error
    if isinstance(error, AutoFlowError):  # says what happened in whole sentences
        raise ToolFailed(f"The tool `{name}` failed: {error.message}", error.hint) from error
    raise ToolFailed(f"The tool `{name}` failed: {type(error).__name__}: {error}.") from error
