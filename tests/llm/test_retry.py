"""When an endpoint is asked again, and after which wait."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.llm.failure import Failure
from autoflow.llm.retry import Retries, RetryPolicy, retry_after


def busy(status: int = 429, asked: float | None = None) -> Failure:
    return Failure("status", status=status, retry_after_s=asked)


@given(st.lists(st.floats(0, 0.999), min_size=200, max_size=200), st.floats(1, 300))
def test_waits_never_exceed_the_patience_in_all(jitter: list[float], patience: float) -> None:
    values = iter(jitter)
    retries = Retries(RetryPolicy(patience_s=patience, jitter=lambda: next(values, 0.5)))
    for _ in range(100):
        pause = retries.pause(busy())
        if pause is None:
            break
        assert 0 <= pause <= 20.0
    assert retries.waited_s <= patience


def test_backoff_doubles_up_to_its_cap() -> None:
    retries = Retries(RetryPolicy(jitter=lambda: 1.0, patience_s=1e9))
    assert [retries.pause(busy()) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 20, 20]


@pytest.mark.parametrize(
    ("failure", "requests"),
    [
        (busy(500), 5),
        (busy(503), 5),
        (busy(408), 5),
        (busy(409), 5),
        (Failure("refused"), 5),
        (Failure("cut"), 3),
        (Failure("stalled"), 3),
        (busy(400), 1),
        (busy(401), 1),
        (Failure("tls"), 1),
        (Failure("silent"), 1),
        (Failure("empty"), 1),
        (Failure("status", status=429, code="insufficient_quota"), 1),
    ],
    ids=str,
)
def test_each_fault_gets_its_number_of_requests(failure: Failure, requests: int) -> None:
    retries = Retries(RetryPolicy(jitter=lambda: 0.0))
    asked = 1
    while retries.pause(failure) is not None:
        asked += 1
    assert asked == requests


def test_faults_of_other_kinds_do_not_use_up_each_others_tries() -> None:
    retries = Retries(RetryPolicy(jitter=lambda: 0.1))
    for _ in range(9):
        assert retries.pause(busy(429)) is not None
    assert retries.pause(busy(500)) is not None
    assert retries.pause(Failure("cut")) is not None


def test_wait_that_is_asked_for_is_never_shortened() -> None:
    retries = Retries(RetryPolicy(jitter=lambda: 0.0, patience_s=100))
    assert retries.pause(busy(429, 60)) == 60
    assert retries.pause(busy(429, 60)) is None, "120 s in all would be beyond the patience"


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(max_size=40))
def test_retry_after_of_any_text_is_a_sane_number_or_nothing(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        seconds = retry_after({name: text}, NOW)
        assert seconds is None or 0 <= seconds < float("inf")
