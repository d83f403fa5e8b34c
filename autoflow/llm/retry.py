"""When to ask an endpoint again, and how long to wait before it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

from autoflow.llm.failure import Failure

Patience = Literal["never", "few", "some", "long"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential back-off with full jitter: wait a random time in [0, min(cap, base * 2^n)] after fault n.

    Three kinds of patience: an endpoint that asks to slow down (429) is waited for until `patience_s` is used up; one
    that fails (408, 409, 5xx, no connection) is asked `attempts` times; a stream that broke, `broken_attempts` times,
    because every try costs tokens. `sleep`, `jitter` and `now` are replaced in tests.
    """

    attempts: int = 5  # requests in all
    broken_attempts: int = 3
    patience_s: float = 120.0  # waiting in all, for whatever reason
    base_s: float = 0.5
    cap_s: float = 20.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random  # in [0, 1)
    now: Callable[[], float] = time.time  # for Retry-After given as a date


def patience_with(failure: Failure) -> Patience:
    """How stubbornly a failure is worth another try."""
    if failure.kind in ("refused", "unknown-host", "network", "connect-timeout"):
        return "some"
    if failure.kind in ("cut", "stalled"):
        return "few"
    if failure.kind != "status" or failure.status is None or failure.spent:
        return "never"
    if failure.status == 429:
        return "long"
    return "some" if failure.status in (408, 409) or 500 <= failure.status <= 599 else "never"


class Retries:
    """The faults of one call so far."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._seen: Counter[Patience] = Counter()
        self.waited_s = 0.0

    def pause(self, failure: Failure) -> float | None:
        """Seconds to wait before the next request, or None: give up. A wait that is asked for is never shortened."""
        policy, patience = self._policy, patience_with(failure)
        self._seen[patience] += 1
        limits: dict[Patience, float] = {
            "never": 0,
            "few": policy.broken_attempts,
            "some": policy.attempts,
            "long": float("inf"),
        }
        if self._seen[patience] >= limits[patience]:
            return None
        pause = self._backoff(self._seen[patience] - 1)
        if failure.retry_after_s is not None:
            pause = failure.retry_after_s + policy.base_s * policy.jitter()
        if self.waited_s + pause > policy.patience_s:
            return None
        self.waited_s += pause
        return pause

    def _backoff(self, faults_before: int) -> float:
        return self._policy.jitter() * min(self._policy.cap_s, self._policy.base_s * 2.0 ** min(faults_before, 30))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that an endpoint asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date.

    Args:
        headers: of the answer, looked up in lower case.
        now: seconds since 1970, to count from where a date is given.
    Returns: at least 0; None where nothing readable was said.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name), unit)
        if seconds is not None:
            return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now)
    except (TypeError, ValueError, OverflowError):
        return None


def _number(text: str | None, unit: float) -> float | None:
    try:
        value = float(text) * unit if text is not None else None
    except ValueError:
        return None
    return value if value is not None and value < float("inf") else None
