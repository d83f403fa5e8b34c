"""A reply as it arrives: text, thinking and tool calls put together from the pieces of a stream.

Pieces are plain JSON as the endpoint sent it. Endpoints differ and err: whatever has not the expected shape is left out
rather than trusted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autoflow.llm.base import ToolCall
from autoflow.llm.failure import Failure
from autoflow.llm.reply_checks import REPEAT_WINDOW, repeated_unit

Engine = Literal["llama.cpp", "vllm", "other"]
_OPEN, _CLOSE = "<think>", "</think>"
_CALL_CHARS = 100  # that a call without any text counts as, so that calls without end are too large as well


class ThinkSplitter:
    """Tells `<think>...</think>` at the beginning of a reply from the reply itself, piece by piece."""

    def __init__(self) -> None:
        self._state: Literal["start", "thinking", "gap", "text"] = "start"
        self._held = ""

    def feed(self, piece: str) -> tuple[str, str]:
        """(text, thinking) that are certain by now."""
        if self._state == "text":
            return piece, ""
        self._held += piece
        text = thought = ""
        if self._state == "start":
            begin = self._held.lstrip()
            if _OPEN.startswith(begin[: len(_OPEN)]) and len(begin) < len(_OPEN):
                return "", ""
            self._state = "thinking" if begin.startswith(_OPEN) else "text"
            self._held = begin[len(_OPEN) :] if self._state == "thinking" else self._held
        if self._state == "thinking":
            thought = self._take_thought()
        if self._state == "gap":
            self._held = self._held.lstrip()
            self._state = "text" if self._held else "gap"
        if self._state == "text":
            text, self._held = self._held, ""
        return text, thought

    def _take_thought(self) -> str:
        before, end, after = self._held.partition(_CLOSE)
        if end:
            self._state, self._held = "gap", after
            return before
        keep = len(_CLOSE) - 1  # the end mark may be cut in two by a piece
        thought, self._held = self._held[:-keep], self._held[-keep:]
        return thought

    def close(self) -> tuple[str, str]:
        """What was held back, once the reply is complete."""
        held, self._held = self._held, ""
        return ("", held) if self._state == "thinking" else (held, "")


@dataclass(slots=True)
class _HalfCall:
    """A tool call in the making."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)  # in pieces: a long text must not be copied at each of them


class Reply:
    """One reply in the making.

    Args:
        on_text: gets each piece of text.
        on_anew: called where what was given to `on_text` so far turns out to be no part of the reply.
        max_chars: of text, thinking and arguments together; beyond it the reply is cut.
        free: no constraint shapes the reply: it is stopped where it repeats itself without end, and `</think>` in it
            means what it says.
    """

    def __init__(
        self, on_text: Callable[[str], None], on_anew: Callable[[], None], *, max_chars: int, free: bool
    ) -> None:
        self._on_text = on_text
        self._on_anew = on_anew
        self._max_chars = max_chars
        self._free = free
        self._splitter = ThinkSplitter()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[_HalfCall] = []
        self._call_at: dict[int | str, int] = {}
        self._chars = self._checked = self._text_chars = 0
        self.finish: str | None = None
        self._refusal: list[str] = []
        self.usage: Mapping[str, Any] = {}
        self.model = ""
        self.engine: Engine = "other"
        self.done = False  # the endpoint said that this is all

    @property
    def complete(self) -> bool:
        """Whether the endpoint gave any sign that nothing is missing."""
        return self.done or self.finish is not None

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def refusal(self) -> str:
        return "".join(self._refusal)

    @property
    def reasoning(self) -> str:
        return "".join(self._thoughts).strip()

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(id=c.id or f"call_{n}", name=c.name, arguments="".join(c.arguments) or "{}")
            for n, c in enumerate(self._calls)
        )

    def add(self, piece: Mapping[str, Any]) -> None:
        """Take in one chunk of a stream, or a whole answer. Raises Failure: too large, or repeating itself."""
        self.model = _string(piece.get("model")) or self.model
        self._note_engine(piece)
        if isinstance(piece.get("usage"), Mapping):
            self.usage = piece["usage"]
        choices = piece.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, Mapping):
            return
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, Mapping):
            self._add_delta(delta)
        self.finish = _string(choice.get("finish_reason")) or self.finish

    def close(self) -> None:
        """The reply is complete: hand out what was held back."""
        self._add_split(*self._splitter.close())
        text = self.text
        if self._free and not self._thoughts and _CLOSE in text:  # the chat template had opened the block itself
            thought, _, rest = text.partition(_CLOSE)
            self._thoughts, self._text = [thought], [rest.lstrip()]
            self._on_anew()
            self._on_text(rest.lstrip())

    def _note_engine(self, piece: Mapping[str, Any]) -> None:
        """Know llama.cpp and vLLM by fields that only they send: they honour a grammar, others ignore it in silence."""
        choices = piece.get("choices")
        if isinstance(piece.get("timings"), Mapping):
            self.engine = "llama.cpp"
        elif isinstance(choices, list) and choices and isinstance(choices[0], Mapping) and "stop_reason" in choices[0]:
            self.engine = "vllm"

    def _add_delta(self, delta: Mapping[str, Any]) -> None:
        self._add_split("", _string(delta.get("reasoning_content")) or _string(delta.get("reasoning")))
        self._add_content(delta.get("content"))
        self._add_refusal(_string(delta.get("refusal")))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, Mapping):
                self._add_call(call)

    def _add_refusal(self, words: str) -> None:
        if words:
            self._refusal.append(words)
            self._grow(len(words))

    def _add_content(self, content: Any) -> None:
        """Text, or a list of parts of which some may be thinking."""
        if isinstance(content, str):
            self._add_split(*self._splitter.feed(content))
        for part in content if isinstance(content, list) else []:
            if isinstance(part, Mapping) and part.get("type") == "text":
                self._add_split(_string(part.get("text")), "")

    def _add_split(self, text: str, thought: str) -> None:
        if thought:
            self._thoughts.append(thought)
        if text:
            room = max(0, self._max_chars - self._chars)
            self._text.append(text[:room])
            self._text_chars += len(text[:room])
            self._on_text(text[:room])
        self._grow(len(text) + len(thought))
        if self._free and self._text_chars - self._checked >= REPEAT_WINDOW // 4:
            self._check_repeats()

    def _add_call(self, call: Mapping[str, Any]) -> None:
        """Pieces of one call share an index; some endpoints give none, or the same to every call with a new id.

        Without index and id a name begins the next call, and arguments alone go on with the last one.
        """
        function = call.get("function")
        function = function if isinstance(function, Mapping) else {}
        name, arguments, given = _string(function.get("name")), function.get("arguments"), _string(call.get("id"))
        index = call.get("index")
        slot = index if isinstance(index, int) else given
        at = self._call_at.get(slot)
        if slot == "":
            at = len(self._calls) - 1 if self._calls and not name else None
        if at is None or (given and name and self._calls[at].id not in ("", given)):
            at = self._call_at[slot] = len(self._calls)
            self._calls.append(_HalfCall())
            self._grow(len(name) + len(given) + _CALL_CHARS)
        entry = self._calls[at]
        entry.id = entry.id or given
        entry.name = entry.name or name
        text = arguments if isinstance(arguments, str) else _json(arguments)
        entry.arguments.append(text)
        self._grow(len(text))

    def _grow(self, chars: int) -> None:
        self._chars += chars
        if self._chars > self._max_chars:
            raise Failure("too-large", f"{self._max_chars:,} characters", partial=self.text)

    def _check_repeats(self) -> None:
        self._checked = self._text_chars
        tail = "".join(self._text[-REPEAT_WINDOW:])
        unit = repeated_unit(tail)
        if unit is not None:
            shown = unit.strip()[:60] or repr(unit[:10])
            raise Failure("repeating", f"“{shown}”", partial=self.text)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _json(value: Any) -> str:
    try:
        return "" if value is None else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "..."  # no JSON, which is what the caller is told
