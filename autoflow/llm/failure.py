"""What went wrong with one request, in no vendor's terms; `faults` turns it into the sentence a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "refused",  # nothing listens at the address
    "unknown-host",
    "tls",
    "network",  # the connection broke before an answer began
    "connect-timeout",
    "silent",  # connected, but no first token in time
    "status",  # an HTTP status that is no success, or an error inside the stream
    "cut",  # the stream ended before the answer did
    "stalled",  # the stream went quiet in the middle
    "no-json",  # a success that is no answer of a model server
    "too-large",
    "repeating",
    "empty",
    "filtered",  # withheld by a content filter, or refused by the model
    "timeout",  # the whole answer took too long
]


@dataclass(eq=False)
class Failure(Exception):
    """One failed request."""

    kind: Kind
    detail: str = ""  # the endpoint's or the system's own words
    status: int | None = None
    code: str = ""  # the endpoint's machine-readable word, such as insufficient_quota
    param: str = ""  # the parameter it complains of
    retry_after_s: float | None = None
    partial: str = ""  # text that arrived before it failed

    @property
    def spent(self) -> bool:
        """A 429 that waiting does not cure: the account has no credit left."""
        return self.status == 429 and "insufficient_quota" in (self.code, self.detail)

    @property
    def refusal(self) -> bool:
        """The endpoint understood, and refused something about the request."""
        return self.kind == "status" and self.status in (400, 404, 422, 500, 501)
