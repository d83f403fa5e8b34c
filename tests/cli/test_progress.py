"""How far a job is and how long still, on a terminal and in a log."""

from __future__ import annotations

import io
import sys

import pytest

from autoflow.cli import progress as module
from autoflow.cli.progress import Progress
from autoflow.records import Job


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
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
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


def test_the_line_falls_while_a_round_goes_on_and_no_further_than_to_the_rounds_after_it(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress = Progress()
    progress.show(job(0, total=3, unit="rounds"))
    for passed in (600, 300, 900):
        clock[0] += passed
        progress.show(job(1, total=3, unit="rounds"))
    assert [line.rpartition(" · ")[2] for line in screen.getvalue().split("\r\x1b[K")[2:]] == [
        "about 20 min left", "about 15 min left", "about 10 min left",
    ]  # fmt: skip


def test_a_limit_of_time_that_comes_first_is_told_and_not_while_the_test_runs(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress = Progress(900)
    progress.show(job(0, total=3, unit="rounds"))
    clock[0] += 600
    progress.show(job(1, total=3, unit="rounds"))
    clock[0] += 400  # it ended the search
    progress.show(job(1, total=3, unit="rounds", live={"doing": "Round 2"}))
    progress.show(job(0, total=36, unit="test runs"))
    clock[0] += 20
    progress.show(job(4, total=36, unit="test runs"))
    assert screen.getvalue().split("\r\x1b[K")[1:] == [
        "0 of 3 rounds · at most 15 min left", "1 of 3 rounds · at most 5 min left", "1 of 3 rounds · Round 2",
        "0 of 36 test runs", "4 of 36 test runs · about 3 min left",
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
