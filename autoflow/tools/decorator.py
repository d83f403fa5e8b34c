"""`@tool`: a typed Python function becomes a tool, its signature the schema, its docstring the description."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NotRequired, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from autoflow.errors import SettingsError, ToolArgumentError, ToolFailed
from autoflow.llm.base import ToolSpec
from autoflow.tools.base import Tool, ToolContext, ToolFunction
from autoflow.tools.threads import in_thread

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what every endpoint takes for the name of a function
_ARGUMENT = re.compile(r"^(\s+)\*{0,2}(\w+)(?: \(.*?\))?: *(.*)$")
_SECTION = re.compile(r"^(Args|Arguments|Returns|Raises|Yields|Examples?|Notes?):\s*")


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(*, name: str | None = None, description: str | None = None) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None, /, *, name: str | None = None, description: str | None = None
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function.

    The parameters' types and defaults become the JSON schema of the arguments; the docstring's first paragraph tells
    the model what the tool does, its `Args:` what each argument is. A parameter of type `ToolContext` gets the task
    at hand and is not shown to the model. Plain functions run in a thread, `async` ones on the event loop. What the
    function returns is told to the model: a string as it is, anything else as JSON.

    Raises SettingsError: the name is none that endpoints take, or a parameter cannot be described.
    """
    if function is None:
        return lambda f: _make(f, name, description)
    return _make(function, name, description)


def _make(function: Callable[..., Any], name: str | None, description: str | None) -> Tool:
    name = name or function.__name__
    if not NAME.fullmatch(name):
        raise SettingsError(f"`{name}` cannot be the name of a tool.", "Take 1 to 64 of: letters, digits, _ and -.")
    summary, arguments = _docstring(function)
    hints = get_type_hints(function, include_extras=True)
    context_names = [n for n, hint in hints.items() if hint is ToolContext]
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(_typed_dict(function, name, hints, arguments))
        schema = _untitled(adapter.json_schema())
    except Exception as error:  # pydantic has a tree of its own for what it cannot describe
        raise SettingsError(f"The parameters of the tool `{name}` cannot be described: {error}") from error
    spec = ToolSpec(name, description or summary, schema)
    return Tool(spec, _runner(function, name, adapter, context_names), f"python:{function.__module__}")


def _typed_dict(function: Callable[..., Any], name: str, hints: Mapping[str, Any], arguments: Mapping[str, str]) -> Any:
    """The arguments as a type that pydantic can check. Not a model: its methods would clash with parameter names."""
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        hint = hints.get(parameter.name, Any)
        if hint is ToolContext:
            continue
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"`{parameter.name}` cannot be given by name")
        described: Any = Annotated[hint, _field(parameter, arguments.get(parameter.name))]
        fields[parameter.name] = described if parameter.default is parameter.empty else NotRequired[described]
    make: Any = TypedDict  # a type checker knows it as syntax only
    made = make(name, fields)
    made.__pydantic_config__ = ConfigDict(extra="forbid")
    return made


def _field(parameter: inspect.Parameter, description: str | None) -> Any:
    extra: dict[str, Any] = {}
    if parameter.default is not parameter.empty and _is_json(parameter.default):
        extra["default"] = parameter.default
    return Field(description=description, json_schema_extra=extra or None)


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _untitled(schema: Any) -> Any:
    """The schema without the titles that pydantic makes of names: a prompt has no room for repetition."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: v for k, v in schema.items() if not (k == "title" and isinstance(v, str))}
    return {k: _properties(v) if k in ("properties", "$defs") else _untitled(v) for k, v in kept.items()}


def _properties(named: Any) -> Any:
    """Here the keys are names of the user, `title` among them."""
    return {name: _untitled(value) for name, value in named.items()} if isinstance(named, dict) else named


def _runner(
    function: Callable[..., Any], name: str, adapter: TypeAdapter[Any], context_names: list[str]
) -> ToolFunction:
    async def run(values: Mapping[str, Any], context: ToolContext) -> str:
        try:
            arguments = dict(adapter.validate_python(dict(values)))
        except ValidationError as error:
            raise ToolArgumentError(f"The arguments of `{name}` do not fit: {_in_words(error)}.") from error
        arguments |= dict.fromkeys(context_names, context)
        if not inspect.iscoroutinefunction(function):
            return as_result(await in_thread(lambda: function(**arguments), name))
        try:
            return as_result(await function(**arguments))
        except (SystemExit, KeyboardInterrupt) as error:  # would end the event loop, and all runs with it
            raise ToolFailed(f"The tool `{name}` raised {type(error).__name__}.") from error

    return run


def _in_words(error: ValidationError) -> str:
    """The first fault that pydantic found, in a clause."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"`{where}`: {first['msg']}" if where else first["msg"]


def as_result(value: Any) -> str:
    """What a tool returned, as the model is told it."""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value, ensure_ascii=False, default=str)


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """The first paragraph, and what the section `Args:` says of each argument."""
    lines = (inspect.getdoc(function) or "").splitlines()
    summary: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.match(line):
            break
        summary.append(line.strip())
    return " ".join(summary), _arguments(lines)


def _arguments(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    section, name, indent = "", "", 0
    for line in lines:
        if (heading := _SECTION.match(line)) is not None:
            section = heading[1]
        elif section in ("Args", "Arguments") and (entry := _ARGUMENT.match(line)) is not None:
            if not found or len(entry[1]) <= indent:
                indent, name = len(entry[1]), entry[2]
                found[name] = entry[3].strip()
            else:
                found[name] = f"{found[name]} {line.strip()}"
        elif section in ("Args", "Arguments") and name and line.strip():
            found[name] = f"{found[name]} {line.strip()}"
    return found
