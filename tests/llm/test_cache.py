"""Answers from disk: the same question is never paid twice, and a lost cache harms nobody."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelError
from autoflow.llm.base import Completion, Message, Options
from autoflow.llm.scripted import ScriptedLLM
from autoflow.llm.wrappers import Cached, Metered, Wrapper
from tests.llm.conftest import ASK


class Counting(Wrapper):
    """Counts what gets through."""

    calls = 0

    async def complete(self, messages: Any, options: Options, on_token: Any = None) -> Completion:
        self.calls += 1
        return await self.inner.complete(messages, options, on_token)


@pytest.fixture
def backend() -> Counting:
    return Counting(ScriptedLLM([{"match": "bad", "error": "down"}, {"match": "", "reply": "ein Gruß \ud83d ☃"}]))


async def test_second_answer_comes_from_disk_and_costs_nothing(backend: Counting, home: Path) -> None:
    first = await Cached(backend).complete(ASK, Options())
    heard: list[str] = []
    second = await Cached(backend).complete(ASK, Options(label="another step"), heard.append)
    assert backend.calls == 1
    assert (second.text, second.finish, second.model) == (first.text, first.finish, first.model)
    assert "".join(heard) == first.text
    assert (second.usage.cached, second.usage.cost_usd, second.usage.attempts) == (True, 0.0, 0)
    assert second.usage.prompt_tokens == first.usage.prompt_tokens
    assert (home / "cache.db").exists()


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"repeat": 1}, {"max_tokens": 9}, {"temperature": 0.5, "seed": 1}],
    ids=str,
)
async def test_what_asks_for_another_answer_gets_one(backend: Counting, other: dict[str, Any]) -> None:
    llm = Cached(backend)
    await llm.complete(ASK, Options())
    await llm.complete(ASK, Options(**other))
    assert backend.calls == 2


async def test_sampled_answers_without_a_seed_are_not_kept(backend: Counting) -> None:
    llm = Cached(backend)
    for seed, calls in ((None, 1), (None, 2), (7, 3), (7, 3)):
        await llm.complete(ASK, Options(temperature=0.7, seed=seed))
        assert backend.calls == calls


async def test_models_of_one_name_are_told_apart_by_their_identity(backend: Counting) -> None:
    for identity in ("m at one", "m at another"):
        await Cached(backend, identity=identity).complete(ASK, Options())
    assert backend.calls == 2


async def test_errors_are_not_kept(backend: Counting) -> None:
    llm = Cached(backend)
    for _ in range(2):
        with pytest.raises(ModelError):
            await llm.complete([Message("user", "bad")], Options())
    assert backend.calls == 2


async def test_cached_answers_count_as_calls_and_are_shown_apart(backend: Counting) -> None:
    llm = Metered(Cached(backend), lambda _: None)
    await llm.complete(ASK, Options())
    assert llm.totals.cost_usd is None, "the price is unknown"
    for _ in range(2):
        await llm.complete(ASK, Options())
    assert (llm.totals.calls, llm.totals.cached) == (3, 2)


def _damage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [_damage, _truncate, _make_a_folder])
async def test_damaged_cache_is_told_once_and_done_without(
    harm: Any, backend: Counting, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = home / "cache.db"
    await Cached(backend).complete(ASK, Options())
    for leftover in home.glob("cache.db-*"):
        leftover.unlink()
    harm(path)
    caplog.set_level(logging.WARNING)
    llm = Cached(backend)
    for n in range(3):
        assert (await llm.complete(ASK, Options(seed=n))).text
    warnings = [record for record in caplog.records if "cache of answers" in record.getMessage()]
    assert len(warnings) == 1
    assert str(path) in warnings[0].getMessage()


async def test_cache_that_a_person_throws_away_is_begun_anew(backend: Counting, home: Path) -> None:
    """Also under a worker that has used it for days."""
    model = Cached(backend)
    await model.complete(ASK, Options())
    for path in home.glob("cache.db*"):
        path.unlink()
    for _ in range(3):
        await model.complete(ASK, Options())
    assert backend.calls == 2


async def test_folder_that_a_person_throws_away_is_not_made_again(backend: Counting, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    model = Cached(backend, path=folder / "cache.db")
    await model.complete(ASK, Options())
    shutil.rmtree(folder)
    assert (await model.complete(ASK, Options())).text
    assert not folder.exists()


async def test_file_is_let_go_at_the_end_and_opened_again_where_it_is_asked_once_more(
    backend: Counting, home: Path
) -> None:
    model = Cached(backend)
    await model.complete(ASK, Options())
    await model.aclose()
    assert not list(home.glob("cache.db-*"))  # what SQLite keeps beside an open file
    assert (await model.complete(ASK, Options())).usage.cached


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_read_only_folder_is_done_without(backend: Counting, home: Path) -> None:
    home.chmod(0o500)
    try:
        assert (await Cached(backend).complete(ASK, Options())).text
    finally:
        home.chmod(0o700)


async def test_folder_that_cannot_be_made_is_done_without(backend: Counting, home: Path) -> None:
    (home / "file").write_text("in the way")
    assert (await Cached(backend, path=home / "file" / "cache.db").complete(ASK, Options())).text


async def test_full_disk_is_done_without(backend: Counting, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A database that may not grow is what a full disk looks like to SQLite."""
    await Cached(backend).complete(ASK, Options())
    llm = Cached(backend)
    with pytest.MonkeyPatch.context() as patch:
        connect = sqlite3.connect

        def cramped(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **kwargs)
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")
            return connection

        patch.setattr(sqlite3, "connect", cramped)
        big = [Message("user", "x"), Message("user", "y" * 10)]
        backend.inner = ScriptedLLM([{"match": "", "reply": "z" * 100_000}])
        for _ in range(2):
            assert (await llm.complete(big, Options())).text
    assert "full" in caplog.text


async def test_unreadable_row_counts_as_none(backend: Counting, home: Path) -> None:
    llm = Cached(backend)
    await llm.complete(ASK, Options())
    with sqlite3.connect(home / "cache.db") as connection:
        connection.execute("UPDATE answers SET answer = ?", ('{"text": 7}',))
    assert (await llm.complete(ASK, Options())).text
    assert (await llm.complete(ASK, Options())).usage.cached, "it was mended by the new answer"


async def test_many_writers_share_one_cache(home: Path) -> None:
    """Every wrapper has a connection of its own, so that tasks stand for processes here."""
    models = [Cached(ScriptedLLM([{"match": "", "reply": f"{n}"}], name=f"scripted:{n}")) for n in range(8)]
    asked = [(llm, Options(seed=seed)) for llm in models for seed in range(5)]
    for cached in (False, True):
        answers = await asyncio.gather(*(llm.complete(ASK, options) for llm, options in asked))
        assert [a.usage.cached for a in answers] == [cached] * len(asked)
        assert [f"scripted:{a.text}" for a in answers] == [llm.name for llm, _ in asked]


async def test_many_tasks_at_once_lock_nobody_out(backend: Counting, caplog: pytest.LogCaptureFixture) -> None:
    llm = Cached(backend)
    for cached in (False, True):
        answers = await asyncio.gather(*(llm.complete(ASK, Options(seed=seed)) for seed in range(400)))
        assert {a.usage.cached for a in answers} == {cached}
    assert backend.calls == 400
    assert not caplog.records
