"""Faults that need no server: names, keys, files and limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from autoflow.errors import AutoFlowError
from autoflow.llm.base import LLM, Completion, Message, Options
from autoflow.llm.registry import open_llm
from autoflow.llm.wrappers import Budgeted
from autoflow.records import Connection

Fails = Callable[[Path], Awaitable[AutoFlowError]]


def _raised_by(work: Callable[[Path], Awaitable[object] | object]) -> Fails:
    async def fail(folder: Path) -> AutoFlowError:
        try:
            done = work(folder)
            if isinstance(done, Awaitable):
                await done
        except AutoFlowError as raised:
            return raised
        raise AssertionError("nothing was raised")

    return fail


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def _ask(llm: LLM) -> Awaitable[Completion]:
    return llm.complete([Message("user", "Is it urgent?")], Options(label="step Urgent, visit 3"))


def _scripted(folder: Path, line: str) -> LLM:
    return open_llm(f"scripted:{_file(folder, 'script.jsonl', line)}")


async def _once_too_often(folder: Path) -> None:
    llm = Budgeted(_scripted(folder, '{"match": "", "reply": "yes"}'), max_calls=1)
    await _ask(llm)
    await _ask(llm)


async def _too_slow(folder: Path) -> None:
    await _ask(Budgeted(_scripted(folder, '{"match": "", "reply": "yes", "latency_s": 5}'), max_time_s=0.05))


def _bad_prices(folder: Path) -> LLM:
    path = _file(folder, "prices.json", '{\n  "my-model": {"input": -1, "output": 2}\n}')
    try:
        return open_llm("openai:my-model", connections=_elsewhere)
    finally:
        path.unlink()


def _elsewhere(name: str) -> Connection:
    return Connection(name=name, base_url="http://localhost:8000/v1")


LOCAL: dict[str, Fails] = {
    "name of no kind": _raised_by(lambda _: open_llm("opnai:gpt-test")),
    "name of no connection": _raised_by(lambda _: open_llm("gpt-test")),
    "key missing": _raised_by(lambda _: open_llm("openai:gpt-test")),
    "script missing": _raised_by(lambda f: open_llm(f"scripted:{f}/none.jsonl")),
    "script with a line that is no JSON": _raised_by(lambda f: _scripted(f, "{")),
    "script with a bad expression": _raised_by(lambda f: _scripted(f, '{"match": "(", "reply": ""}')),
    "script that answers with an error": _raised_by(lambda f: _ask(_scripted(f, '{"match": "", "error": "down"}'))),
    "script without a line that matches": _raised_by(lambda f: _ask(_scripted(f, '{"match": "x", "reply": ""}'))),
    "recording without this prompt": _raised_by(lambda f: _ask(open_llm(f"replay:{_file(f, 'record.jsonl', '')}"))),
    "recording with a broken line": _raised_by(lambda f: open_llm(f"replay:{_file(f, 'record.jsonl', '{}')}")),
    "prices with a mistake": _raised_by(_bad_prices),
    "limit of money without a known price": _raised_by(
        lambda _: Budgeted(open_llm("openai:my-model", connections=_elsewhere), max_cost_usd=0.1)
    ),
    "limit of calls reached": _raised_by(_once_too_often),
    "limit of time reached": _raised_by(_too_slow),
}


def local_row(title: str, raised: AutoFlowError, folder: Path) -> str:
    return f"| {title} | {str(raised).replace(str(folder), 'FOLDER').replace('|', chr(92) + '|')} |"
