"""`replay:FILE`: answers from a recording, and nothing else; and the recorder that writes one.

A recording is a file of JSON lines, one a request: its key (a hash of messages and options), the label of what asked,
the end of what was asked (for the reader's eye), what the backend was known to do before and after, and the answer or
the refusal. What a backend can do decides how it is asked, so a replay says of itself what the recorded backend said
at the same point.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from autoflow.errors import (
    ModelNotFound,
    ModelRequestError,
    ReplayMiss,
    SettingsError,
    StorageUnavailable,
    ToolsUnsupported,
)
from autoflow.llm.base import LLM, Capabilities, Completion, Message, OnToken, Options
from autoflow.llm.codec import completion_from_json, completion_to_json, key_of
from autoflow.llm.wrappers.base import Wrapper

_REFUSALS: dict[str, type[ModelRequestError]] = {
    "ModelRequestError": ModelRequestError,
    "ToolsUnsupported": ToolsUnsupported,
}


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of a recording: an answer, or a refusal that asking again would only repeat."""

    key: str
    before: Capabilities
    after: Capabilities
    completion: Completion | None
    refusal: ModelRequestError | None


class Replay:
    """Answers what was recorded. Raises ModelNotFound: no such file; SettingsError: a line is none of a recording."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        lines = list(_read(self._path))
        self._lines = {line.key: line for line in lines}  # a later recording of the same request wins
        self._capabilities = lines[0].before if lines else Capabilities()

    @property
    def name(self) -> str:
        return f"replay:{self._path}"

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        line = self._lines.get(key_of("", messages, options))
        if line is None:
            raise ReplayMiss(
                f"The recording {self._path} holds no answer for {options.label or 'this prompt'}, "
                f"which ends: {messages[-1].content[-200:]!r}.",
                "Record it: run once with the model inside `autoflow.llm.replay.Recorder(model, file)`.",
            )
        self._capabilities = line.after
        if line.refusal is not None:
            raise line.refusal
        assert line.completion is not None
        if on_token and line.completion.text:
            on_token(line.completion.text)
        return replace(line.completion, usage=replace(line.completion.usage, seconds=0.0, cost_usd=0.0))

    async def aclose(self) -> None:
        """Nothing to release."""


class Recorder(Wrapper):
    """Writes what a model answers to a recording. Several processes may write to the same file."""

    def __init__(self, inner: LLM, path: str | Path) -> None:
        super().__init__(inner)
        self._path = Path(path)

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        before = self.capabilities
        try:
            completion = await self.inner.complete(messages, options, on_token)
        except ModelRequestError as error:
            refusal = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
            self._write(messages, options, before, {"refusal": refusal})
            raise
        self._write(messages, options, before, {"completion": completion_to_json(completion)})
        return completion

    def _write(
        self, messages: Sequence[Message], options: Options, before: Capabilities, outcome: Mapping[str, Any]
    ) -> None:
        line = {
            "key": key_of("", messages, options),
            "label": options.label,
            "asked": messages[-1].content[-200:],
            "model": self.name,
            "before": asdict(before),
            "after": asdict(self.capabilities),
            **outcome,
        }
        _append(self._path, json.dumps(line).encode("ascii"))


def _append(path: Path, line: bytes) -> None:
    """Add a line under a lock, in one write, on a line of its own even after a torn one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = file.seek(0, os.SEEK_END)
            torn = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
            if file.write((b"\n" if torn else b"") + line + b"\n") < len(line):
                raise OSError("the disk is full")
    except OSError as error:
        raise StorageUnavailable(f"The recording {path} cannot be written: {error}.", "Choose another file.") from None


def _read(path: Path) -> Iterator[Recorded]:
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ModelNotFound(f"The recording {path} cannot be read: {why}.", "Check the path.") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield _recorded(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise SettingsError(
                f"Line {number} of {path} is none of a recording.", "Take it out, or record the run again."
            ) from None


def _recorded(data: Mapping[str, Any]) -> Recorded:
    refusal, kept = data.get("refusal"), data.get("completion")
    if (refusal is None) == (kept is None):
        raise ValueError("either a completion or a refusal")
    return Recorded(
        key=str(data["key"]),
        before=_capabilities(data["before"]),
        after=_capabilities(data["after"]),
        completion=completion_from_json(kept) if kept is not None else None,
        refusal=None if refusal is None else _REFUSALS[refusal["kind"]](refusal["message"], refusal["hint"]),
    )


def _capabilities(data: Mapping[str, Any]) -> Capabilities:
    return Capabilities(**{f.name: data[f.name] for f in fields(Capabilities) if f.name in data})
