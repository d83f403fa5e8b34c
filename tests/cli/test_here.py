"""A study carried out in the command line's own process: what it shows, and how its job is found again."""

from __future__ import annotations

import io
import sys

import pytest

from autoflow.cli import here
from autoflow.cli.here import Progress, submitted
from autoflow.records import Job
from autoflow.store import open_store
from tests.report.studies import written


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def job(done: float, **more: object) -> Job:
    return Job.model_validate(
        {"id": "jb_x", "kind": "study", "payload": {}, "state": "running", "total": 40, "unit": "runs", "done": done}
        | more
    )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(here.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_one_line_says_how_far_it_is_and_how_long_still(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress = Progress()
    progress.show(job(10))  # done before: says nothing of the pace
    clock[0] += 20
    progress.show(job(20, live={"status": "loading the model"}))
    progress.show(job(20, live={"status": "loading the model"}))
    progress.show(job(40, message="Done"))
    progress.end()
    assert screen.getvalue().split("\r\x1b[K")[1:] == [
        "10 of 40 runs", "20 of 40 runs · about 40 s left · loading the model", "40 of 40 runs · Done\n",
    ]  # fmt: skip


def test_where_something_else_is_counted_the_pace_is_that_of_the_new(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress = Progress()
    progress.show(job(0, total=3, unit="rounds"))
    clock[0] += 600
    progress.show(job(1, total=3, unit="rounds"))
    progress.show(job(0, total=36, unit="test runs"))
    clock[0] += 20
    progress.show(job(4, total=36, unit="test runs"))
    assert screen.getvalue().split("\r\x1b[K")[2:] == [
        "1 of 3 rounds · about 20 min left", "0 of 36 test runs", "4 of 36 test runs · about 3 min left",
    ]  # fmt: skip


def test_in_a_log_a_line_is_written_now_and_then(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    progress = Progress()
    for done in range(1, 31):
        clock[0] += 1
        progress.show(job(done))
    progress.end()
    assert len(log.getvalue().splitlines()) == 2


def test_what_a_model_says_steers_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    Progress().show(job(1, message="\x1b[2Jgone\nnext"))
    assert screen.getvalue() == "\r\x1b[K1 of 40 runs · [2Jgone next"


def test_a_job_that_was_paused_or_failed_is_taken_up_and_an_ended_one_is_followed_by_a_new_one() -> None:
    store = open_store()
    study = written(store, only=1)
    first = submitted(store, study.id, "Compare")
    assert submitted(store, study.id, "Compare").id == first.id  # it is under way
    lease = store.claim("w", lease_s=60)
    assert lease is not None
    store.finish(lease, "failed", error="gone")
    again = submitted(store, study.id, "Compare")
    assert (again.id, again.state) == (first.id, "queued")
    store.request(first.id, "cancel")
    assert submitted(store, study.id, "Compare").id != first.id
