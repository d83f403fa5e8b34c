"""Tools that take and make pictures, in a run: names go on from call to call, and over a resume and a fork."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from autoflow.interpret.interpreter import interpret
from autoflow.interpret.observer import Recorder
from autoflow.interpret.state import RunState, fork
from autoflow.interpret.trace import views
from autoflow.interpret.visit import usage
from autoflow.llm.base import ToolSpec
from autoflow.records import Event, PictureRef, RunPolicy, Totals
from autoflow.tools.base import Tool, ToolContext, ToolResult
from autoflow.tools.openagi.images import as_shown, read_image
from autoflow.tools.pictures import keep, take
from autoflow.tools.toolbox import Toolbox
from tests.interpret.fakes import LINE, Ran, Script, calls, flow
from tests.tools.openagi.files import Files
from tests.tools.openagi.pictures import natural

LONG = flow("A|process|Turn it.|next>B", "B|process|Turn it again.|next>C", "C|terminal|Say what it is.")


async def _turn(values: Mapping[str, Any], context: ToolContext) -> ToolResult:
    image, ref = take(str(values["image"]), context)
    made = keep(image.rotate(90), context)
    took = Totals(calls=2, prompt_tokens=30, completion_tokens=5, cost_usd=0.5, seconds=9.0)
    return ToolResult(f"picture {made.name}, {made.size}", "test: a quarter", (ref,), (made,), took)


SCHEMA = {"type": "object", "properties": {"image": {"type": "string"}}, "required": ["image"]}
TURN = Tool(ToolSpec("turn", "Turn a picture.", SCHEMA), _turn)


def turn(name: str) -> object:
    return calls(("turn", json.dumps({"image": name})))


class Runs:
    """Runs on one picture, over the same files."""

    def __init__(self) -> None:
        self.files = Files()
        self.context = self.files.context(photo=natural("chelsea.png"))

    async def run(self, *replies: Any, history: tuple[Event, ...] = (), **policy: Any) -> Ran:
        model, seen = Script(replies), Recorder()
        result = await interpret(
            LONG, self.context.task, model, Toolbox([TURN]), policy=RunPolicy(**policy), observer=seen,
            history=history, read_file=self.files.read, add_file=self.files.add,
        )  # fmt: skip
        return Ran(result, [*history, *seen.events], model)


async def test_results_are_numbered_through_the_run_and_can_be_named_in_a_later_step() -> None:
    runs = Runs()
    ran = await runs.run(turn("photo"), turn("result-1"), "turned twice", turn("result-2"), "thrice", "a cat")
    results = [event.data for event in ran.of("tool_result")]
    assert [data["text"] for data in results] == [f"picture result-{n}, 256 x 256" for n in (1, 2, 3)]
    assert [data["took"][0]["name"] for data in results] == ["photo", "result-1", "result-2"]
    assert results[1]["took"] == results[0]["made"]
    assert {data["by"] for data in results} == {"test: a quarter"}
    last = read_image(runs.files.read(results[2]["made"][0]["sha256"]), "last")
    assert last.tobytes() == natural("chelsea.png").rotate(270).tobytes()
    json.dumps([event.model_dump(mode="json") for event in ran.events])


async def test_what_a_model_reads_of_pictures_is_text() -> None:
    ran = await Runs().run(turn("photo"), "turned", turn("result-1"), "again", "a cat")
    for messages, _ in ran.llm.asked:
        assert all(isinstance(message.content, str) and not message.images for message in messages)
    assert "[o1] turn" in ran.llm.prompt(-1)
    assert "picture result-1, 256 x 256" in ran.llm.prompt(-1)


async def test_a_run_that_is_taken_up_knows_the_pictures_of_before() -> None:
    runs = Runs()
    first = await runs.run(turn("photo"), "turned", max_steps=1)
    assert first.result.stop == "max-steps"
    again = await runs.run(turn("result-1"), "twice", "a cat", history=tuple(first.events))
    (_, second) = again.of("tool_result")
    assert second.data["text"] == "picture result-2, 256 x 256"
    branched = fork(again.events, 2)
    assert [ref.name for ref in RunState(branched).pictures] == ["result-1"]


async def test_calls_that_a_tool_makes_to_a_model_count_and_limits_bite() -> None:
    ran = await Runs().run(turn("photo"), "turned", "again", "a cat")
    assert (ran.result.totals.calls, ran.result.totals.cost_usd) == (4 + 2, 0.5)
    assert ran.result.totals.prompt_tokens == 4 * 10 + 30
    step = ran.of("step_finished")[0].data
    assert (step["calls"], step["prompt_tokens"], step["completion_tokens"], step["cost_usd"]) == (4, 50, 25, 0.5)
    stopped = await Runs().run(turn("photo"), "turned", max_cost_usd=0.4)
    assert stopped.result.stop == "max-cost"


async def test_tokens_that_nobody_counted_are_unknown_in_the_sum_of_a_visit() -> None:
    unknown = Totals(calls=1, unknown_tokens=1).model_dump()
    event = Event(kind="tool_result", visit=1, at=0, data={"totals": unknown})
    assert usage([event])["prompt_tokens"] is None


async def test_a_run_without_a_store_says_so_and_goes_on() -> None:
    runs = Runs()
    seen, model = Recorder(), Script([turn("photo"), "cannot", "end"])
    result = await interpret(
        LINE, runs.context.task, model, Toolbox([TURN]), observer=seen, read_file=runs.files.read
    )  # fmt: skip
    assert result.stop == "terminal"
    (told,) = [event.data["text"] for event in seen.events if event.kind == "tool_result"]
    assert "There is no file store in this run" in told


async def test_the_view_of_a_call_holds_what_was_before_and_after() -> None:
    ran = await Runs().run(turn("photo"), "turned", "again", "a cat")
    (tool,) = views(ran.events)[0].tools
    assert (tool.by, tool.took[0].name, tool.made[0].name) == ("test: a quarter", "photo", "result-1")
    assert tool.made[0].size == "256 x 256"


@pytest.mark.parametrize("sha256", ["", "../../x", "0" * 63, "G" * 64])
def test_a_record_of_a_picture_holds_a_hash_and_nothing_else(sha256: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        PictureRef(name="x", sha256=sha256, width=1, height=1)


def test_a_picture_without_pixels_is_no_record() -> None:
    with pytest.raises(ValueError, match="width"):
        PictureRef(name="x", sha256="0" * 64, width=0, height=1)
    assert as_shown(natural("chelsea.png")).size == (256, 256)
