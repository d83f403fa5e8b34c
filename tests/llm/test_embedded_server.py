"""The model server: one a data folder, found or started by whoever asks, and what it survives."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from autoflow.errors import ModelNotFound, ModelRequestError, ModelUnavailable
from autoflow.llm import server_process
from autoflow.llm.base import Grammar, Message, Options
from autoflow.llm.embedded import EmbeddedLLM, open_embedded
from autoflow.llm.server_process import (
    ServerState,
    answering,
    ensure_server,
    log_file,
    server_dir,
    server_models,
    stop_server,
    unload_models,
)
from autoflow.settings import settings
from tests.llm.model_files import gguf
from tests.models import smollm2_file  # noqa: F401

LONG = Options(max_tokens=80, seed=1)
STORY = [Message("user", "Tell a long story about a mill.")]


@pytest.fixture(autouse=True)
def own_server(home: Path) -> Iterator[None]:
    """Each test has a server of its own, and leaves none behind."""
    yield
    settings.cache_clear()
    stop_server()


def wait_for(what: object, seconds: float = 10.0) -> None:
    assert callable(what)
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def set_env(patch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        patch.setenv(name, value)
    settings.cache_clear()


async def test_whoever_asks_gets_the_same_server() -> None:
    states = await asyncio.gather(*(ensure_server() for _ in range(5)))
    assert len(set(states)) == 1
    assert await ensure_server() == states[0]


def test_two_processes_that_ask_at_once_get_the_same_server() -> None:
    code = (
        "import asyncio; from autoflow.llm.server_process import ensure_server; print(asyncio.run(ensure_server()).pid)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    told = {process.communicate(timeout=60)[0] for process in both}
    assert len(told) == 1


async def test_a_second_server_on_the_folder_ends_at_once() -> None:
    await ensure_server()
    second = await asyncio.create_subprocess_exec(sys.executable, "-m", "autoflow.llm.model_server")
    assert await second.wait() == server_process.ALREADY_RUNNING


async def test_only_its_user_can_read_the_token_and_only_this_machine_can_ask() -> None:
    state = await ensure_server()
    assert stat.S_IMODE(ServerState.file().stat().st_mode) == 0o600
    listening = [c.laddr.ip for c in psutil.Process(state.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


async def test_without_the_token_nothing_is_told_or_done() -> None:
    state = await ensure_server()
    async with httpx.AsyncClient(base_url=state.url) as client:
        for path in ("/health", "/models", "/load", "/v1/chat/completions", "/unload", "/shutdown"):
            for token in ("", "Bearer wrong", "Basic x"):
                reply = await client.post(path, headers={"Authorization": token}, json={})
                assert reply.status_code == 401
    assert await answering() == state


async def test_a_request_that_makes_no_sense_is_refused() -> None:
    state = await ensure_server()
    bodies = [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"gguf": 3}',
        b'{"gguf": {"path": "relative.gguf"}}',
        b"\xff\xfe",
        b"[" * 10**5,
    ]
    async with httpx.AsyncClient(base_url=state.url, headers=state.headers) as client:
        for body in bodies:
            for path in ("/load", "/v1/chat/completions"):
                reply = await client.post(path, content=body)
                assert reply.status_code == 400
                assert reply.json()["error"]["message"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "port": 1, "token": "x", "version": "0"}'])
async def test_a_state_file_that_means_nothing_is_passed_over(text: str) -> None:
    ServerState.file().parent.mkdir(parents=True)
    ServerState.file().write_text(text)
    assert await answering() is None
    assert await ensure_server() == await answering()


async def test_a_server_of_another_version_makes_way() -> None:
    old = await ensure_server()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autoflow.__version__", "999.0")
        assert await answering() is None
    wait_for(lambda: gone(old.pid))
    assert (await ensure_server()).pid != old.pid


async def test_a_server_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "HUNG_S", 1.0)
    monkeypatch.setattr(server_process, "HEALTH_S", 0.3)
    hung = await ensure_server()
    os.kill(hung.pid, signal.SIGSTOP)
    assert (await ensure_server()).pid != hung.pid
    assert gone(hung.pid)


async def test_a_process_that_took_over_the_number_of_a_dead_server_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    server_process._kill(bystander.pid)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


async def test_a_server_that_cannot_start_says_why_and_where_its_log_is(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, AUTOFLOW_LOG_LEVEL="NONSENSE")
    with pytest.raises(ModelUnavailable, match=r"could not be started: .*'NONSENSE'.*model-server\.log"):
        await ensure_server()


async def test_a_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, AUTOFLOW_SERVER_DIR="/proc/nowhere")
    with pytest.raises(ModelUnavailable, match="/proc/nowhere"):
        await ensure_server()


async def test_an_idle_server_ends_and_takes_its_state_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, AUTOFLOW_IDLE_STOP_S="0.5")
    state = await ensure_server()
    wait_for(lambda: gone(state.pid))
    assert not ServerState.file().exists()
    assert server_models() is None


def test_stopping_what_does_not_run_does_nothing() -> None:
    assert stop_server() is False
    assert server_models() is None
    assert unload_models() == 0


async def test_a_log_that_grew_too_long_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "LOG_BYTES", 10)
    log_file().parent.mkdir(parents=True)
    log_file().write_text("x" * 11)
    await ensure_server()
    assert log_file().with_suffix(".log.1").read_text() == "x" * 11


@pytest.mark.parametrize("damage", ["cut", "weights", "template"])
async def test_a_damaged_file_is_refused_and_the_server_lives(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bad.gguf"
    data = {"cut": gguf()[:-9], "weights": gguf(), "template": gguf(template=None)}[damage]
    path.write_bytes(data)
    with pytest.raises((ModelNotFound, ModelUnavailable, ModelRequestError), match=r"bad\.gguf"):
        await open_embedded(str(path)).complete(STORY, LONG)
    assert await answering()
    deadline = time.monotonic() + 20
    while server_models() != []:  # its process is given up a moment after the answer
        assert time.monotonic() < deadline, server_models()
        await asyncio.sleep(0.1)


# --- with a real model -----------------------------------------------------------------------------------------------


@pytest.fixture
def files(smollm2_file: Path, tmp_path: Path) -> list[Path]:  # noqa: F811
    """Two copies of one model: two models."""
    paths = [tmp_path / f"copy{n}.gguf" for n in (1, 2)]
    for path in paths:
        shutil.copyfile(smollm2_file, path)
    return paths


def model(path: Path, **more: object) -> EmbeddedLLM:
    return open_embedded(path.stem, path=path, context_tokens=1024, **more)  # type: ignore[arg-type]


async def interrupted(llm: EmbeddedLLM, pid_of: object) -> tuple[list[str], str, int]:
    """Ask, kill a process once tokens come, and see the answer through."""
    assert callable(pid_of)
    pieces: list[str] = []
    task = asyncio.create_task(llm.complete(STORY, LONG, pieces.append))
    while len(pieces) < 5:
        await asyncio.sleep(0.01)
    os.kill(await asyncio.to_thread(pid_of), signal.SIGKILL)
    done = await task
    return pieces, done.text, done.usage.attempts


def child_pid() -> int:
    return int((server_models() or [])[0]["pid"])


@pytest.mark.model
async def test_an_answer_survives_the_death_of_the_models_process(files: list[Path]) -> None:
    llm = model(files[0])
    pieces, text, attempts = await interrupted(llm, child_pid)
    begun_anew = len(pieces) - pieces[::-1].index("")
    assert "".join(pieces[begun_anew:]) == text
    assert attempts == 2
    await llm.aclose()


@pytest.mark.model
async def test_an_answer_survives_the_death_of_the_server(files: list[Path]) -> None:
    llm = model(files[0])
    before = await ensure_server()
    pieces, text, attempts = await interrupted(llm, lambda: before.pid)
    assert "".join(pieces[len(pieces) - pieces[::-1].index("") :]) == text
    assert attempts == 2
    assert (await ensure_server()).pid != before.pid
    await llm.aclose()


@pytest.mark.model
async def test_a_model_does_not_outlive_a_server_that_was_killed(files: list[Path]) -> None:
    llm = model(files[0])
    await llm.warm_up()
    child = child_pid()
    os.kill((await ensure_server()).pid, signal.SIGKILL)
    wait_for(lambda: gone(child))


@pytest.mark.model
async def test_a_slow_load_is_told_as_it_goes(files: list[Path]) -> None:
    said: list[str] = []
    llm = model(files[0], on_status=said.append)
    await llm.warm_up()
    assert len(said) == len(set(said))
    assert any(words.startswith("Starting the model server") for words in said)
    assert any(words.startswith("Loading copy1, ") for words in said)


@pytest.mark.model
async def test_the_least_recently_used_model_makes_room(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, AUTOFLOW_MEMORY_LIMIT_GB="0.75")
    one, two = model(files[0]), model(files[1])
    for llm, path in ((one, files[0]), (two, files[1]), (one, files[0])):
        await llm.complete(STORY, replace(LONG, max_tokens=2))
        loaded = await asyncio.to_thread(server_models) or []
        assert [m["path"] for m in loaded] == [str(path)]
        assert sum(m["memory"] for m in loaded) <= 0.75e9


@pytest.mark.model
async def test_a_model_in_use_is_not_dropped_and_who_waits_is_told(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_env(monkeypatch, AUTOFLOW_MEMORY_LIMIT_GB="0.75")
    said: list[str] = []
    one, two = model(files[0]), model(files[1], on_status=said.append)
    pieces: list[str] = []
    endless = Options(constraint=Grammar("root ::= [a-z ]*"), max_tokens=400)
    first = asyncio.create_task(one.complete(STORY, endless, pieces.append))
    while not pieces:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(two.complete(STORY, replace(LONG, max_tokens=2)))
    await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
    assert first.done()
    assert first.result().usage.attempts == 1
    await second
    assert any("Waiting for memory to load copy2" in words for words in said)


@pytest.mark.model
async def test_both_models_stay_where_there_is_room(files: list[Path]) -> None:
    for path in files:
        await model(path).warm_up()
    assert {m["path"] for m in await asyncio.to_thread(server_models) or []} == {str(path) for path in files}
    assert await asyncio.to_thread(unload_models) == 2
    assert await asyncio.to_thread(server_models) == []


@pytest.mark.model
async def test_a_model_too_large_for_the_limit_is_refused(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    set_env(monkeypatch, AUTOFLOW_MEMORY_LIMIT_GB="0.2")
    with pytest.raises(ModelRequestError, match=r"copy1\.gguf needs about 0\.4 GB of memory; .* may take 0\.2 GB"):
        await model(files[0]).warm_up()


@pytest.mark.model
async def test_dropping_a_model_gives_all_of_its_memory_back(files: list[Path]) -> None:
    state = await ensure_server()

    def memory() -> int:
        server = psutil.Process(state.pid)
        return sum(p.memory_info().rss for p in (server, *server.children(recursive=True)))

    before = await asyncio.to_thread(memory)
    await model(files[0]).warm_up()
    assert await asyncio.to_thread(memory) > before + 200e6
    await asyncio.to_thread(unload_models)
    assert await asyncio.to_thread(memory) < before + 10e6


@pytest.mark.model
async def test_a_cancelled_request_stops_decoding(files: list[Path]) -> None:
    llm = open_embedded("copy1", path=files[0], context_tokens=4096)
    long = Options(constraint=Grammar("root ::= [a-z ]*"), max_tokens=3000)
    pieces: list[str] = []
    task = asyncio.create_task(llm.complete(STORY, long, pieces.append))
    async with asyncio.timeout(120):  # where another model keeps the machine busy, loading takes its time
        while not pieces:
            await asyncio.sleep(0.01)
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):  # all 3,000 tokens would take much longer
        while any(model["in_flight"] for model in await asyncio.to_thread(server_models) or []):
            await asyncio.sleep(0.05)
    await llm.aclose()


@pytest.mark.model
async def test_shutting_down_waits_for_what_is_in_flight(files: list[Path]) -> None:
    llm = model(files[0])
    pieces: list[str] = []
    task = asyncio.create_task(llm.complete(STORY, LONG, pieces.append))
    while not pieces:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(server_process._ask, "POST", "/shutdown", "ending")
    done = await task
    assert done.usage.attempts == 1
    assert done.usage.completion_tokens == LONG.max_tokens or done.finish == "stop"


async def test_the_state_names_no_server_once_it_was_told_to_end() -> None:
    state = await ensure_server()
    assert await asyncio.to_thread(stop_server) is True
    assert not ServerState.file().exists()
    wait_for(lambda: gone(state.pid))
    assert list(server_dir().glob("tmp*")) == []
