"""A typed Python function becomes a tool."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from autoflow.errors import SettingsError, ToolArgumentError, ToolFailed
from autoflow.tools import Tool, Toolbox, ToolContext, tool
from tests.tools.conftest import MakeContext


class Unit(Enum):
    METRE = "m"
    FOOT = "ft"


class Place(BaseModel):
    city: str
    country: str = "DE"


@tool
def weather(
    place: Place,
    day: date,
    title: str = "x",
    unit: Unit = Unit.METRE,
    mode: Literal["short", "long"] = "short",
    hours: Annotated[int, Field(ge=1, le=24)] = 12,
) -> dict[str, Any]:
    """Forecast the weather
    of a place.

    It is never right.

    Args:
        place: where, as a city
            and its country.
        day (date): when.
        hours: how far ahead.
    Returns: a forecast.
    """
    return {"city": place.city, "day": day, "unit": unit.value, "title": title, "mode": mode, "hours": hours}


async def call(made: Tool, context: MakeContext, arguments: str, **inputs: str) -> str:
    return (await Toolbox([made]).call(made.name, arguments, context(**inputs), 5)).text


def test_signature_and_docstring_become_the_schema() -> None:
    schema = weather.spec.parameters
    assert weather.spec.description == "Forecast the weather of a place."
    assert schema["required"] == ["place", "day"]
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    assert properties["place"]["description"] == "where, as a city and its country."
    assert properties["day"]["description"] == "when."
    assert properties["hours"] == {
        "type": "integer", "minimum": 1, "maximum": 24, "default": 12, "description": "how far ahead.",
    }  # fmt: skip
    assert properties["mode"]["enum"] == ["short", "long"]
    assert "title" in properties
    assert "title" not in properties["title"]


async def test_arguments_reach_the_function_in_their_types(context: MakeContext) -> None:
    text = await call(weather, context, '{"place": {"city": "Ulm"}, "day": "2026-11-21", "unit": "ft"}')
    assert text == '{"city": "Ulm", "day": "2026-11-21", "unit": "ft", "title": "x", "mode": "short", "hours": 12}'


@pytest.mark.parametrize(
    "arguments",
    ['{"place": {"city": "Ulm"}}', '{"place": "Ulm", "day": "2026-11-21"}', '{"place": {"city": "Ulm"}, "day": "soon"}',
     '{"place": {"city": "Ulm"}, "day": "2026-11-21", "hours": 25}', '{"place": {}, "day": "2026-11-21"}',
     '{"place": {"city": "Ulm"}, "day": "2026-11-21", "unit": "mile"}'],
)  # fmt: skip
async def test_arguments_that_do_not_fit_are_refused_before_the_function_runs(
    arguments: str, context: MakeContext
) -> None:
    with pytest.raises(ToolArgumentError, match="`weather` do not fit"):
        await call(weather, context, arguments)


async def test_context_is_given_and_not_asked_for(context: MakeContext) -> None:
    @tool
    def look(context: ToolContext, name: str) -> str:
        """Look."""
        found = context.input(name)
        return found.text if found else "nothing"

    assert list(look.spec.parameters["properties"]) == ["name"]
    assert await call(look, context, '{"name": "NOTE"}', note="here") == "here"


async def test_plain_functions_run_in_a_thread_and_async_ones_on_the_loop(context: MakeContext) -> None:
    @tool
    def plain() -> str:
        """Plain."""
        return threading.current_thread().name

    @tool
    async def awaited() -> bool:
        """Async."""
        return asyncio.get_running_loop() is not None and threading.current_thread() is threading.main_thread()

    assert await call(plain, context, "{}") == "tool plain"
    assert await call(awaited, context, "") == "true"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), SystemExit(3), KeyboardInterrupt(), StopIteration(), MemoryError()]
)
async def test_whatever_a_function_raises_is_a_failed_tool(
    error: BaseException, asynchronous: bool, context: MakeContext
) -> None:
    def plain() -> str:
        """Raise."""
        raise error

    async def awaited() -> str:
        """Raise."""
        raise error

    with pytest.raises(ToolFailed, match=f"{'awaited' if asynchronous else 'plain'}"):
        await call(tool(awaited if asynchronous else plain), context, "{}")


async def test_function_that_cancels_itself_does_not_cancel_the_run(context: MakeContext) -> None:
    @tool
    async def quit() -> str:
        """Give up."""
        raise asyncio.CancelledError

    with pytest.raises(ToolFailed, match="gave up"):
        await call(quit, context, "{}")


@dataclass
class Unknown:
    x: int


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("text", "text"), (None, "null"), (3.5, "3.5"), (["ä"], '["ä"]'),
        ({1: date(2026, 1, 2)}, '{"1": "2026-01-02"}'),
        (Place(city="Ulm"), '{"city":"Ulm","country":"DE"}'), (b"x", '"b\'x\'"'),
    ],
)  # fmt: skip
async def test_result_is_told_as_text_or_as_json(value: object, told: str, context: MakeContext) -> None:
    def give() -> object:
        """Give."""
        return value

    assert await call(tool(give), context, "{}") == told


def test_name_and_description_may_be_given() -> None:
    @tool(name="plus-one", description="Adds one.")
    def f(n: int) -> int:
        """Something else."""
        return n + 1

    assert (f.name, f.spec.description) == ("plus-one", "Adds one.")


def test_name_that_endpoints_do_not_take_is_refused() -> None:
    with pytest.raises(SettingsError, match="`größe` cannot be the name"):

        @tool
        def größe() -> None:
            """Size."""


def test_parameters_that_cannot_be_described_are_refused() -> None:
    with pytest.raises(SettingsError, match="`many`"):

        @tool
        def many(*names: str) -> None:
            """Many."""

    with pytest.raises(SettingsError, match="`module`"):

        @tool
        def module(m: type(sys)) -> None:  # type: ignore[valid-type]
            """A module."""


def test_parameter_without_a_type_takes_anything() -> None:
    @tool
    def anything(x) -> str:  # type: ignore[no-untyped-def]
        return str(x)

    assert anything.spec.parameters["properties"] == {"x": {}}
    assert anything.spec.description == ""
