"""From tokens to text, piece by piece: no half characters, and nothing of a stop sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Pieces:
    """One answer in the making.

    Args:
        decode: tokens to text.
        stops: texts that end the answer and are no part of it.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str]) -> None:
        self._decode = decode
        self._stops = tuple(stop for stop in stops if stop)
        self._tokens: list[int] = []
        self._from = 0  # tokens before this one have been told for good ...
        self._told = 0  # ... and those before this one told as well, but the text of the next may depend on them
        self._held = ""  # what may be the beginning of a stop sequence
        self.stopped = False

    def add(self, token: int) -> str:
        """The text that is certain by now."""
        self._tokens.append(token)
        before = self._decode(self._tokens[self._from : self._told])
        now = self._decode(self._tokens[self._from :])
        if now.endswith("\ufffd") or len(now) <= len(before):  # a character in the middle of its bytes
            return ""
        self._from, self._told = self._told, len(self._tokens)
        return self._release(now[len(before) :])

    def close(self) -> str:
        """What was held back, once the answer has ended."""
        if self.stopped:
            return ""
        before = self._decode(self._tokens[self._from : self._told])
        rest = self._release(self._decode(self._tokens[self._from :])[len(before) :])
        held, self._held = self._held, ""
        return rest if self.stopped else rest + held

    def _release(self, text: str) -> str:
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped = True
            certain, self._held = self._held[: min(found)], ""
            return certain
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        certain = self._held[: len(self._held) - keep]
        self._held = self._held[len(certain) :]
        return certain


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of a text are the beginning of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if stop.startswith(text[-n:])), 0)
