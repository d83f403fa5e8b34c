"""Recording a run and playing it back without a model."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import ModelNotFound, ReplayMiss, SettingsError, StorageUnavailable, ToolsUnsupported
from autoflow.llm.base import (
    Choice,
    Completion,
    Grammar,
    Image,
    JsonSchema,
    Message,
    Options,
    ToolCall,
    ToolSpec,
    Usage,
)
from autoflow.llm.codec import completion_from_json, completion_to_json, key_of
from autoflow.llm.replay import Recorder, Replay
from autoflow.llm.scripted import ScriptedLLM
from tests.llm.conftest import ASK, OpenChat
from tests.llm.server import Server, error, refusing, says

TOOL = ToolSpec("add", "Adds.", {"type": "object"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "recording.jsonl"


async def record(path: Path, text: str = "yes", **options: Any) -> Completion:
    llm = Recorder(ScriptedLLM([{"match": "", "reply": text}]), path)
    return await llm.complete(ASK, Options(**options))


async def test_recorded_answer_is_replayed(path: Path) -> None:
    recorded = await record(path, "yes \u2028 ☃")
    heard: list[str] = []
    replayed = await Replay(path).complete(ASK, Options(), heard.append)
    assert (replayed.text, heard) == ("yes \u2028 ☃", ["yes \u2028 ☃"])
    assert replayed.usage.prompt_tokens == recorded.usage.prompt_tokens
    assert replayed.usage.cost_usd == 0.0


async def test_unseen_prompt_fails_and_names_the_step_and_the_cure(path: Path) -> None:
    await record(path)
    with pytest.raises(ReplayMiss) as caught:
        await Replay(path).complete([Message("user", "Who?")], Options(label="step Urgent, visit 3"))
    assert "step Urgent, visit 3" in caught.value.message
    assert "'Who?'" in caught.value.message
    assert "Recorder" in caught.value.hint


async def test_label_and_time_limit_do_not_matter_but_all_else_does(path: Path) -> None:
    await record(path, label="one", timeout_s=3.0)
    assert (await Replay(path).complete(ASK, Options(label="two"))).text == "yes"
    others: list[dict[str, Any]] = [
        {"seed": 1},
        {"repeat": 1},
        {"temperature": 0.1},
        {"constraint": Choice(("a",))},
        {"tools": (TOOL,)},
    ]
    for other in others:
        with pytest.raises(ReplayMiss):
            await Replay(path).complete(ASK, Options(**other))


async def test_later_recording_of_the_same_prompt_wins(path: Path) -> None:
    await record(path, "old")
    await record(path, "new")
    assert (await Replay(path).complete(ASK, Options())).text == "new"


async def test_replay_says_of_itself_what_the_recorded_model_had_learned(
    server: Server, chat: OpenChat, path: Path
) -> None:
    """What a backend can do decides how it is asked: a replay that knew less would be asked something else."""
    server.script(refusing(lambda body: "tools" in body, error(400, "tools are not supported"), says("fine")))
    llm = Recorder(chat(), path)
    with pytest.raises(ToolsUnsupported):
        await llm.complete(ASK, Options(tools=(TOOL,)))
    await llm.complete(ASK, Options())
    replay = Replay(path)
    known = [replay.capabilities.tools]
    with pytest.raises(ToolsUnsupported):
        await replay.complete(ASK, Options(tools=(TOOL,)))
    known.append(replay.capabilities.tools)
    assert known == [None, False]
    assert (await replay.complete(ASK, Options())).text == "fine"


async def test_recording_goes_on_after_a_torn_line(path: Path) -> None:
    await record(path, "one")
    with path.open("a") as file:
        file.write('{"key": "half')
    await record(path, "two", seed=2)
    with pytest.raises(SettingsError, match=r"Line 2 of .*recording.jsonl"):
        Replay(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2]]))
    assert (await Replay(path).complete(ASK, Options(seed=2))).text == "two"


def _record_many(path: Path, writer: int) -> None:
    async def work() -> None:
        for n in range(20):
            await record(path, f"{writer}-{n} " + "x" * 20_000, seed=writer * 100 + n)

    asyncio.run(work())


async def test_writers_to_one_file_do_not_tear_each_others_lines(path: Path) -> None:
    """Each line is written through a file of its own, so that threads stand for processes here."""
    await asyncio.gather(*(asyncio.to_thread(_record_many, path, n) for n in range(4)))
    replay = Replay(path)
    for seed in (0, 19, 100, 219, 319):
        assert (await replay.complete(ASK, Options(seed=seed))).text.startswith(f"{seed // 100}-{seed % 100} ")


async def test_recording_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        await record(tmp_path)
    if Path("/dev/full").exists():
        with pytest.raises(StorageUnavailable, match="No space left"):
            await record(Path("/dev/full"))


def test_missing_recording_is_told() -> None:
    with pytest.raises(ModelNotFound, match="cannot be read"):
        Replay("/nowhere/recording.jsonl")


@given(st.dictionaries(st.sampled_from(["key", "before", "after", "completion", "refusal"]), st.none() | st.just({})))
def test_any_line_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, line: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("recording") / "r.jsonl"
    path.write_text(json.dumps(line))
    with pytest.raises(SettingsError, match="Line 1"):
        Replay(path)


COMPLETIONS = st.builds(
    Completion,
    text=st.text(),
    tool_calls=st.lists(st.builds(ToolCall, st.text(), st.text(), st.text()), max_size=2).map(tuple),
    usage=st.builds(Usage, prompt_tokens=st.none() | st.integers(0, 9), seconds=st.floats(0, 9)),
    finish=st.sampled_from(["stop", "length", "tool_calls"]),
    reasoning=st.text(),
)


@given(COMPLETIONS)
def test_completion_survives_its_json(completion: Completion) -> None:
    assert completion_from_json(json.loads(json.dumps(completion_to_json(completion)))) == completion


def test_key_tells_every_part_of_a_request_apart() -> None:
    messages = [
        [Message("user", "a")],
        [Message("system", "a")],
        [Message("user", "a"), Message("user", "")],
        [Message("user", "a", images=(Image("image/png", b"1"),))],
        [Message("user", "a", images=(Image("image/png", b"2"),))],
        [Message("tool", "a", tool_call_id="1")],
        [Message("assistant", "a", tool_calls=(ToolCall("1", "f", "{}"),))],
        [Message("user", "\ud800")],
    ]
    constraints = (Choice(("a", "b")), Choice(("a,b",)), JsonSchema({"type": "string"}), Grammar('root ::= "a"'))
    keys = [key_of("m", m, Options()) for m in messages]
    keys += [key_of("m", messages[0], Options(constraint=c)) for c in constraints]
    keys += [key_of("n", messages[0], Options()), key_of("m", messages[0], Options(max_tokens=1))]
    assert len(set(keys)) == len(keys)
