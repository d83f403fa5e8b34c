"""Every fault of an endpoint, met by a real client: the right error, with words, and nothing secret in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autoflow.errors import ModelReplyError
from tests.llm.endpoint_faults import FAULTS, KEY, Fault
from tests.llm.faults import HEAD, TABLE, Outcome, meet, row, self_signed
from tests.llm.local_faults import LOCAL, local_row
from tests.llm.server import Server


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tls=self_signed(tmp_path_factory.mktemp("tls")))
    server.start()
    yield server
    server.stop()


WRITE_ANEW = "write it anew: python -m tests.llm.faults"


def in_the_docs() -> list[str]:
    return TABLE.read_text("utf-8").splitlines()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.title)
async def test_fault_gives_its_error_or_its_answer(fault: Fault, server: Server, tls: Server) -> None:
    outcome = await meet(fault, server, tls)
    assert row(fault, outcome) in in_the_docs(), WRITE_ANEW
    if fault.error:
        _check_error(fault, outcome)
    else:
        assert outcome.completion is not None, outcome.error
        assert outcome.completion.text == fault.text
        begun = len(outcome.pieces) - outcome.pieces[::-1].index("") if "" in outcome.pieces else 0
        assert "".join(outcome.pieces[begun:]) == fault.text


def _check_error(fault: Fault, outcome: Outcome) -> None:
    error = outcome.error
    assert error is not None, outcome.completion
    assert type(error).__name__ == fault.error
    assert error.hint.endswith("."), "every error says what to do"
    assert KEY not in f"{error!r} {error} {vars(error)} {error.__cause__!r}"
    assert "gpt-test" in str(error) or "localhost" in str(error)
    assert "http" not in type(error.__cause__).__module__, "no vendor's exception comes through"


@pytest.mark.parametrize("title", LOCAL)
async def test_local_fault_gives_its_error(title: str, home: Path) -> None:
    raised = await LOCAL[title](home)
    assert local_row(title, raised, home) in in_the_docs(), WRITE_ANEW


def test_table_in_the_docs_has_a_line_for_every_fault() -> None:
    titles = [line.split(" | ")[0].removeprefix("| ") for line in in_the_docs()[len(HEAD.splitlines()) :]]
    assert titles == [fault.title for fault in FAULTS] + list(LOCAL), WRITE_ANEW


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("stream cut in the middle, always", "half an ans"),
        ("connection lost in the middle, always", "half an ans"),
        ("stream that stalls, always", "half an ans"),
        ("longer than the time limit", "half an ans"),
        ("nothing but thinking", "Hm."),
    ],
)
async def test_what_arrived_before_a_fault_is_kept(title: str, kept: str, server: Server, tls: Server) -> None:
    outcome = await meet(next(f for f in FAULTS if f.title == title), server, tls)
    assert isinstance(outcome.error, ModelReplyError)
    assert outcome.error.partial == kept


@pytest.mark.parametrize("title", ["reply of 10 MB, streamed", "reply of 10 MB, whole"])
async def test_reply_of_10_mb_is_cut_at_a_million_characters(title: str, server: Server, tls: Server) -> None:
    outcome = await meet(next(f for f in FAULTS if f.title == title), server, tls)
    assert isinstance(outcome.error, ModelReplyError)
    assert len(outcome.error.partial) == 1_000_000
    assert outcome.error.partial.startswith("0, 1, 2, ")
    assert len("".join(outcome.pieces)) == 1_000_000


async def test_waits_through_a_minute_of_429(server: Server, tls: Server) -> None:
    for title in ("429 for a minute, with `Retry-After`", "429 for a minute, without `Retry-After`"):
        outcome = await meet(next(f for f in FAULTS if f.title == title), server, tls)
        assert outcome.completion is not None
        assert 60 <= outcome.waited <= 120


async def test_gives_up_at_once_where_the_wait_would_be_too_long(server: Server, tls: Server) -> None:
    outcome = await meet(next(f for f in FAULTS if f.title == "429, asks to wait an hour"), server, tls)
    assert outcome.waited == 0
    assert len(server.requests) == 1


async def test_what_cannot_be_cured_is_not_asked_again(server: Server, tls: Server) -> None:
    for fault in FAULTS:
        if fault.title.startswith(("401", "403", "404", "413", "429, no credit", "empty", "a web page")):
            await meet(fault, server, tls)
            assert len(server.requests) == 1, fault.title
