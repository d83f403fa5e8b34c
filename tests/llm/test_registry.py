"""From a name to a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelAuthError, NotFound, SettingsError
from autoflow.llm.base import LLM, Completion, Options
from autoflow.llm.catalogue import add_file, remove
from autoflow.llm.embedded import EmbeddedLLM
from autoflow.llm.openai_chat import Timeouts
from autoflow.llm.registry import open_llm
from autoflow.llm.registry import test_llm as try_out
from autoflow.llm.scripted import ScriptedLLM
from autoflow.llm.wrappers import Cached, Wrapper
from autoflow.records import Connection
from autoflow.settings import settings
from tests.llm.conftest import ASK, OpenChat
from tests.llm.model_files import gguf
from tests.llm.server import Server, chunk, error, refusing, says, silent, stream, words


def saved(**fields: Any) -> Any:
    connection = Connection(**fields)

    def find(name: str) -> Connection:
        if name != connection.name:
            raise NotFound(f"There is no connection `{name}`.")
        return connection

    return find


def layers(llm: LLM) -> list[str]:
    names = [type(llm).__name__]
    while isinstance(llm, Wrapper):
        llm = llm.inner
        names.append(type(llm).__name__)
    return names


async def test_openai_name_obeys_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    server.script(says("fine"))
    llm = open_llm("openai:qwen2.5:7b")
    assert llm.name == "openai:qwen2.5:7b"
    assert (await llm.complete(ASK, Options())).usage.cost_usd is None, "an unknown price is unknown"
    assert server.bodies[0]["model"] == "qwen2.5:7b"
    assert server.requests[0].headers["authorization"] == "Bearer sk-from-the-environment"


async def test_key_is_found_in_the_secrets_file(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "secrets.toml").write_text('OPENAI_API_KEY = "sk-from-the-file"\n')
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.script(says("fine"))
    await open_llm("openai:m").complete(ASK, Options())
    assert server.requests[0].headers["authorization"] == "Bearer sk-from-the-file"


def test_openai_itself_without_a_key_is_told_before_anything_is_sent() -> None:
    with pytest.raises(ModelAuthError, match="OPENAI_API_KEY is not set"):
        open_llm("openai:gpt-4o")


async def test_connection_is_found_with_and_without_its_kind(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORK_KEY", "sk-work")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-private")
    find = saved(name="work", model="big-model", base_url=server.url, key_env="WORK_KEY")
    server.script(says("fine"))
    for name in ("work", "openai:work"):
        llm = open_llm(name, connections=find, cache=False)
        assert llm.name == "openai:work"
        await llm.complete(ASK, Options())
    assert {r.headers["authorization"] for r in server.requests} == {"Bearer sk-work"}
    assert {body["model"] for body in server.bodies} == {"big-model"}


async def test_address_of_a_connection_never_gets_the_key_of_another(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-private")
    server.script(says("fine"))
    await open_llm("local", connections=saved(name="local", base_url=server.url)).complete(ASK, Options())
    assert "authorization" not in server.requests[0].headers


def test_connection_whose_key_is_missing_is_told() -> None:
    find = saved(name="work", base_url="http://localhost:1/v1", key_env="WORK_KEY")
    with pytest.raises(ModelAuthError, match="`work` needs a key, and the variable WORK_KEY is not set"):
        open_llm("work", connections=find)


def test_scripts_and_recordings_are_opened_by_path_and_are_free(tmp_path: Path) -> None:
    script, recording = tmp_path / "s:1.jsonl", tmp_path / "r.jsonl"
    script.write_text('{"match": "", "reply": "yes"}')
    recording.touch()
    assert layers(open_llm(f"scripted:{script}")) == ["Metered", "ScriptedLLM"]
    assert layers(open_llm(f"replay:{recording}")) == ["Metered", "Replay"]
    named = open_llm("demo", connections=saved(name="demo", kind="scripted", path=str(script)))
    assert named.name == f"scripted:{script}"


async def test_script_costs_nothing(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text('{"match": "", "reply": "yes"}')
    assert (await open_llm(f"scripted:{script}").complete(ASK, Options())).usage.cost_usd == 0.0


def test_cache_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert layers(open_llm("openai:m")) == ["Metered", "Cached", "Limited", "OpenAIChat"]
    assert layers(open_llm("openai:m", cache=False)) == ["Metered", "Limited", "OpenAIChat"]
    assert Cached(open_llm("openai:m", cache=False)).name == "openai:m"


def test_embedded_models_are_opened_without_being_started() -> None:
    llm = open_llm(settings().default_model)
    assert layers(llm) == ["Metered", "Cached", "Limited", "EmbeddedLLM"]
    assert llm.name == settings().default_model


@pytest.mark.parametrize("by_path", [False, True])
async def test_model_file_that_was_replaced_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_path: bool
) -> None:
    """Under the same name, as a model of the user's own or by its path."""
    asked: list[str] = []

    async def complete(self: EmbeddedLLM, *_: Any) -> Completion:
        asked.append(self.name)
        return Completion(f"answer {len(asked)}")

    monkeypatch.setattr(EmbeddedLLM, "complete", complete)
    path = tmp_path / "mine.gguf"
    name = f"embedded:{path}" if by_path else "embedded:mine"
    for context in (2048, 4096):
        path.write_bytes(gguf(context=context))
        os.utime(path, (context, context))
        if not by_path:
            add_file(path, "mine")
        answers = [(await open_llm(name).complete(ASK, Options())).text for _ in range(2)]
        assert answers == [f"answer {len(asked)}"] * 2, "asked once"
        if not by_path:
            remove("mine")
    assert len(asked) == 2


async def test_prices_of_the_user_are_found_by_connection_or_model(server: Server, home: Path) -> None:
    (home / "prices.json").write_text('{"work": {"input": 1000000, "output": 0}}')
    server.script(says("fine"))
    find = saved(name="work", model="m", base_url=server.url)
    assert (await open_llm("work", connections=find).complete(ASK, Options())).usage.cost_usd == 12.0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("opnai:gpt-5", "Did you mean `openai:`?"),
        ("openai:", "`openai:NAME`"),
        ("scripted:", "`scripted:NAME`"),
        ("nothing", "must be that of a connection"),
        ("", "must be that of a connection"),
        (":x", "must be that of a connection"),
    ],
)
def test_name_that_means_nothing_is_told_with_the_kinds(name: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_llm(name, connections=saved(name="work", base_url="http://localhost:1/v1"))
    assert hint in caught.value.hint


# -- the test button


async def test_capable_endpoint_is_reported_with_what_it_can(server: Server, chat: OpenChat) -> None:
    call = {"index": 0, "id": "c", "function": {"name": "show_colour", "arguments": "{}"}}
    server.script(
        says("ready, and waiting"),
        says('{"colour": "red"}'),
        stream([chunk({"tool_calls": [call]}), chunk({}, finish="tool_calls")]),
    )
    report = await try_out(chat())
    assert report["ok"]
    assert report["error"] == ""
    assert report["latency_s"] >= 0
    assert report["features"] == {"streaming": True, "usage": True, "schema": "schema", "tools": True}


async def test_endpoint_without_tools_and_schemas_is_still_fine(server: Server, chat: OpenChat) -> None:
    def wants_more(body: dict[str, Any]) -> bool:
        return bool({"tools", "response_format"} & set(body))

    refusal = error(400, "tools and response_format are not supported")
    server.script(refusing(wants_more, refusal, stream([*words("ready"), chunk({}, finish="stop")])))
    report = await try_out(chat())
    assert (report["ok"], report["error"]) == (True, "")
    assert report["features"] == {"streaming": False, "usage": False, "schema": False, "tools": False}


async def test_endpoint_that_does_not_answer_is_reported_with_its_sentence(server: Server, chat: OpenChat) -> None:
    for answer, words_of_it in ((silent(), "no answer"), (error(401), "key")):
        server.script(answer)
        report = await try_out(chat(timeouts=Timeouts(first_s=0.5)))
        assert report["ok"] is False
        assert words_of_it in report["error"]
        assert len(server.requests) == 1, "what cannot answer is not asked on"


async def test_script_is_reported_too() -> None:
    report = await try_out(ScriptedLLM([{"match": "", "reply": "ready"}]))
    assert report["ok"]
    assert report["features"]["schema"] is False
