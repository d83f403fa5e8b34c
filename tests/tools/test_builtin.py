"""The built-in tools, called as a model calls them."""

from __future__ import annotations

import json
import re

import pytest

from autoflow.errors import ToolArgumentError, ToolError, ToolFailed
from autoflow.records import Task, TaskInput
from autoflow.tools import Toolbox, ToolContext
from autoflow.tools.builtin import BUILTIN, READ_CHARACTERS
from tests.tools.conftest import MakeContext

BOX = Toolbox(BUILTIN)


async def ask(tool: str, context: ToolContext, **arguments: object) -> str:
    return (await BOX.call(tool, json.dumps(arguments), context, 20)).text


async def test_calculator(context: MakeContext) -> None:
    assert await ask("calculator", context(), expression="17 * 3") == "51"
    assert await ask("calculator", context(), expression="0.1 + 0.2") == "0.3"
    assert await ask("calculator", context(), expression="2 ** 100") == str(2**100)


async def test_current_date_in_a_time_zone(context: MakeContext) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d, \w+day, \d\d:\d\d UTC", await ask("current_date", context()))
    with pytest.raises(ToolArgumentError, match="`Mars/Base`"):
        await ask("current_date", context(), timezone="Mars/Base")
    with pytest.raises(ToolArgumentError):
        await ask("current_date", context(), timezone="../../etc/passwd")


STORY = "\n\n".join(f"Chapter {n}. " + "It was a dark and stormy night. " * 30 for n in range(20))


async def test_lookup_gives_the_best_passages_first_with_their_input(context: MakeContext) -> None:
    text = STORY + "\n\nThe refund takes 14 days.\n\n" + STORY
    found = await ask(
        "lookup", context(story=text, other="Nothing here."), query="How long does the REFUND take?", count=1
    )
    assert "The refund takes 14 days." in found
    assert found.startswith("[story, passage ")


async def test_lookup_searches_files_and_skips_those_that_are_no_text(context: MakeContext) -> None:
    inputs = context(notes=b"The parcel is blue.", photo=b"\x89PNG\x00\xff")
    assert "blue" in await ask("lookup", inputs, query="parcel")
    with pytest.raises(ToolFailed, match="`photo` is no text"):
        await ask("lookup", inputs, query="parcel", input="photo")


async def test_lookup_without_a_match_says_so(context: MakeContext) -> None:
    assert await ask("lookup", context(note="abc"), query="xyz") == "No passage holds a word of `xyz`."
    assert "No passage" in await ask("lookup", context(), query="xyz")
    assert "No passage" in await ask("lookup", context(note="abc"), query="")


async def test_lookup_finds_words_however_they_are_composed(context: MakeContext) -> None:
    assert "cafe\u0301" in await ask("lookup", context(note="A cafe\u0301 in Ulm."), query="CAFÉ")


async def test_read_file_gives_long_files_in_parts(context: MakeContext) -> None:
    text = "".join(f"line {n}\n" for n in range(2000))
    first = await ask("read_file", context(log=text.encode()), name="LOG.txt")
    assert first.startswith(text[:READ_CHARACTERS])
    offset = int(re.search(r"Go on with offset=(\d+)", first)[1])  # type: ignore[index]
    assert (await ask("read_file", context(log=text.encode()), name="log", offset=offset)).startswith(
        text[offset : offset + 99]
    )
    last = await ask("read_file", context(log=text.encode()), name="log", offset=len(text) - 10)
    assert last == text[-10:]


@pytest.mark.parametrize("offset", [-1, 100])
async def test_read_file_refuses_an_offset_outside(offset: int, context: MakeContext) -> None:
    with pytest.raises(ToolArgumentError, match=f"got offset={offset}"):
        await ask("read_file", context(note="short"), name="note", offset=offset)


@pytest.mark.parametrize("name", ["/etc/passwd", "../note", "other", ""])
async def test_read_file_reads_inputs_of_the_task_only(name: str, context: MakeContext) -> None:
    with pytest.raises(ToolArgumentError, match=r"has no input.*`note`"):
        await ask("read_file", context(note="x"), name=name)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a\x00b", b"\x89PNG\r\n"])
async def test_read_file_refuses_what_is_no_text(data: bytes, context: MakeContext) -> None:
    with pytest.raises(ToolFailed, match="`photo` is no text"):
        await ask("read_file", context(photo=data), name="photo")


async def test_file_that_is_gone_is_named() -> None:
    def gone(sha256: str) -> bytes:
        raise FileNotFoundError("no such file")

    lost = TaskInput(name="log", kind="file", sha256="0" * 64)
    with pytest.raises(ToolFailed, match="`log` cannot be read"):
        await ask("read_file", ToolContext(Task(id="t", objective="", inputs=(lost,)), gone), name="log")


PEOPLE = '{"people": [{"name": "Ann", "age": 40}, {"name": "Bo", "age": 20}]}'


async def test_json_query_takes_values_out(context: MakeContext) -> None:
    assert (
        await ask("json_query", context(data=PEOPLE), expression="people[?age > `30`].name", input="data") == '["Ann"]'
    )
    assert await ask("json_query", context(), expression="a.b", data={"a": {"b": "ä"}}) == '"ä"'
    assert await ask("json_query", context(data=PEOPLE), expression="cats", input="data") == "Nothing found."


@pytest.mark.parametrize(
    "arguments",
    [
        {"expression": "people[", "input": "data"}, {"expression": "", "input": "data"},
        {"expression": "people"}, {"expression": "a", "input": "data", "data": {}},
        {"expression": "a", "input": "nothing"}, {"expression": "a", "input": "prose"},
        {"expression": "abs('x')", "input": "data"}, {"expression": "nope(@)", "input": "data"},
        {"expression": "[" * 5000, "input": "data"}, {"expression": "\ud800", "input": "data"},
    ],
)  # fmt: skip
async def test_json_query_refuses_in_words(arguments: dict[str, object], context: MakeContext) -> None:
    with pytest.raises(ToolError) as caught:
        await ask("json_query", context(data=PEOPLE, prose="not JSON"), **arguments)
    assert caught.value.message.endswith(".")
