"""`scripted:FILE`: a model that answers from a script. It runs without a model, and always the same way.

A script is a file of JSON lines. Blank lines and lines that begin with `#` are left out; every other line is

    {"match": "regular expression", "reply": "text"}                       answers with this text
    {"match": "...", "tool_calls": [{"name": "add", "arguments": {...}}]}   calls tools
    {"match": "...", "error": "sentence"}                                   fails

with `"latency_s": seconds` where the answer shall take a while. The expression is searched in the last message; the
first line that matches answers. Constraints are not enforced (strength `prompt`): a script may send a wrong reply on
purpose. Tokens are characters / 4, rounded up: a script has no tokenizer, but limits of tokens must bite.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import regex

from autoflow.errors import ModelNotFound, ModelRequestError, ModelUnavailable, SettingsError
from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options, ToolCall, Usage, rough_tokens

MATCH_LIMIT_S = 1.0  # for one expression: some take exponential time on some texts
_ANSWERS = ("reply", "tool_calls", "error")
_WORD = regex.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line of a script."""

    number: int  # 1-based, in its file
    match: regex.Pattern[str]
    reply: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    error: str = ""
    latency_s: float = 0.0


class ScriptedLLM:
    """Answers from script lines.

    Args:
        lines: the lines, as JSON objects.
        name: as users write it.
        sleep: replaced in tests.
    Raises SettingsError: a line breaks its form; the error names the line.
    """

    def __init__(
        self,
        lines: Iterable[Mapping[str, Any]],
        *,
        name: str = "scripted:memory",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._lines = tuple(_line(name, number, line) for number, line in enumerate(lines, 1))
        self._sleep = sleep

    @classmethod
    def from_file(cls, path: str | Path) -> ScriptedLLM:
        """Raises ModelNotFound: no such file. SettingsError: a line is no JSON, or breaks its form."""
        llm = cls((), name=f"scripted:{path}")
        llm._lines = tuple(_line(llm.name, number, line) for number, line in _numbered_objects(Path(path)))
        return llm

    @property
    def name(self) -> str:
        return self._name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(tools=True, choice="prompt", schema="prompt", grammar=False, images=True, concurrency=64)

    async def aclose(self) -> None:
        """Nothing to release."""

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        started = time.monotonic()
        line = self._find(messages[-1].content, options.label)
        if line.error:
            await self._sleep(line.latency_s)
            raise ModelUnavailable(f"Line {line.number} of {self._name} answers with an error: {line.error}")
        await self._stream(line, on_token)
        spoken = line.reply + "".join(c.name + c.arguments for c in line.tool_calls)
        return Completion(
            text=line.reply,
            tool_calls=line.tool_calls,
            usage=Usage(
                prompt_tokens=rough_tokens(sum(len(m.content) for m in messages)),
                completion_tokens=rough_tokens(len(spoken)),
                seconds=time.monotonic() - started,
            ),
            model=self._name,
            finish="tool_calls" if line.tool_calls else "stop",
            strength="none" if options.constraint is None else "prompt",
        )

    def _find(self, asked: str, label: str) -> ScriptLine:
        for line in self._lines:
            try:
                if line.match.search(asked, timeout=MATCH_LIMIT_S):
                    return line
            except TimeoutError:
                raise ModelRequestError(
                    f"The expression in line {line.number} of {self._name} took more than {MATCH_LIMIT_S:g} s.",
                    "Write it without repetitions inside repetitions.",
                ) from None
        by = f" of {label}" if label else ""
        raise ModelRequestError(
            f"No line of {self._name} matches the last message{by}, which begins: {asked[:200]!r}.",
            'Add a line for it, or a last line with "match": "".',
        )

    async def _stream(self, line: ScriptLine, on_token: OnToken | None) -> None:
        """Word by word, evenly over the latency. Waits once where nobody listens."""
        words = _WORD.findall(line.reply) if on_token else []
        if not words:
            await self._sleep(line.latency_s)
        for word in words:
            await self._sleep(line.latency_s / len(words))
            if on_token:
                on_token(word)


def _numbered_objects(path: Path) -> Iterable[tuple[int, Any]]:
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelNotFound(f"The script {path} cannot be read: {why}.", "Check the path.") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _bad(f"scripted:{path}", number, f"is no JSON ({error})") from None


def _line(script: str, number: int, line: Any) -> ScriptLine:
    """Check one line. Raises SettingsError."""
    if not isinstance(line, Mapping):
        raise _bad(script, number, "is no JSON object")
    unknown = sorted(set(map(str, line)) - {"match", "latency_s", *_ANSWERS})
    if unknown:
        raise _bad(script, number, f"has a key that means nothing: `{unknown[0]}`")
    if sum(key in line for key in _ANSWERS) != 1:
        raise _bad(script, number, "must have exactly one of `reply`, `tool_calls` and `error`")
    for key in ("match", "reply", "error"):
        if not isinstance(line.get(key, "" if key != "match" else None), str):
            raise _bad(script, number, f"needs a text as `{key}`")
    if line.get("error") == "":
        raise _bad(script, number, "needs words in `error`")
    return ScriptLine(
        number=number,
        match=_pattern(script, number, line["match"]),
        reply=line.get("reply", ""),
        tool_calls=_tool_calls(script, number, line["tool_calls"]) if "tool_calls" in line else (),
        error=line.get("error", ""),
        latency_s=_latency(script, number, line.get("latency_s", 0)),
    )


def _pattern(script: str, number: int, text: str) -> regex.Pattern[str]:
    try:
        return regex.compile(text)
    except (regex.error, RecursionError) as error:
        raise _bad(script, number, f"has a bad expression `{text[:80]}` ({error})") from None


def _latency(script: str, number: int, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 3600:
        raise _bad(script, number, f"needs a number of seconds from 0 to 3600 as `latency_s`, not {value!r}")
    return float(value)


def _tool_calls(script: str, number: int, value: Any) -> tuple[ToolCall, ...]:
    """`arguments` is an object, or a text that is passed on as it is, JSON or not."""
    calls = value if isinstance(value, list) else []
    if not calls or not all(isinstance(c, Mapping) and isinstance(c.get("name"), str) for c in calls):
        raise _bad(script, number, "needs a list of objects with a `name` as `tool_calls`")
    return tuple(_tool_call(f"call_{number}_{at}", call) for at, call in enumerate(calls, 1))


def _tool_call(default_id: str, call: Mapping[str, Any]) -> ToolCall:
    arguments = call.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(id=str(call.get("id") or default_id), name=cast(str, call["name"]), arguments=text)


def _bad(script: str, number: int, what: str) -> SettingsError:
    return SettingsError(
        f"Line {number} of {script} {what}.", 'A line is {"match": "regular expression", "reply": "text"}.'
    )
