"""Answers that are kept on disk, so that the same question is never paid twice."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from autoflow.llm.base import LLM, Completion, Message, OnToken, Options
from autoflow.llm.codec import completion_from_json, completion_to_json, key_of
from autoflow.llm.wrappers.base import Wrapper
from autoflow.settings import settings

LOCK_S = 2.0  # to wait for another process that writes
log = logging.getLogger(__name__)


class AnswerCache:
    """Keys and answers in one SQLite file, shared by threads and processes.

    A cache may be lost at any time without harm: where the file is damaged, read-only or the disk full, it says so once
    in the log, and everything goes on without it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ready = False
        self._told = False
        self._broken = False

    def get(self, key: str) -> Completion | None:
        try:
            row = self._run("SELECT answer FROM answers WHERE key = ?", key)
            return completion_from_json(json.loads(row)) if row is not None else None
        except (ValueError, TypeError, KeyError):
            return None  # a row that nobody can read is as good as none

    def put(self, key: str, model: str, completion: Completion) -> None:
        text = json.dumps(completion_to_json(completion))
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", key, model, text, time.time())

    def _run(self, statement: str, *values: object) -> str | None:
        """One statement in a transaction of its own; the first column of the first row."""
        if self._broken:
            return None
        try:
            with closing(self._connect()) as connection, connection:
                row = connection.execute(statement, values).fetchone()
                return row[0] if row else None
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return None

    def _connect(self) -> sqlite3.Connection:
        if not self._ready:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        elif not self._path.exists() and self._path.parent.is_dir():
            self._ready = False  # thrown away by a person: begin a new one
        connection = sqlite3.connect(self._path, timeout=LOCK_S)
        if not self._ready:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, model TEXT, answer TEXT, at REAL)"
            )
            self._ready = True
        return connection

    def _fail(self, error: Exception) -> None:
        """A lock passes, everything else does not."""
        self._broken = "locked" not in str(error)
        if not self._told:
            self._told = True
            log.warning("The cache of answers %s cannot be used (%s); going on without it.", self._path, error)


class Cached(Wrapper):
    """Answers from the cache what was asked before.

    The key is the model, the messages, the options, the seed and the repeat. Sampled answers without a seed are never
    kept: they are meant to differ. Errors are never kept.

    Args:
        inner: the model.
        path: default `AUTOFLOW_HOME/cache.db`.
        identity: what tells this model from others of the same name; default its name.
    """

    def __init__(self, inner: LLM, *, path: Path | None = None, identity: str | None = None) -> None:
        super().__init__(inner)
        self._cache = AnswerCache(path or settings().home / "cache.db")
        self._identity = identity or inner.name

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        if options.temperature > 0 and options.seed is None:
            return await self.inner.complete(messages, options, on_token)
        started = time.monotonic()
        key = key_of(self._identity, messages, options)
        kept = await asyncio.to_thread(self._cache.get, key)
        if kept is None:
            completion = await self.inner.complete(messages, options, on_token)
            await asyncio.to_thread(self._cache.put, key, self.name, completion)
            return completion
        if on_token and kept.text:
            on_token(kept.text)
        seconds = time.monotonic() - started
        return replace(kept, usage=replace(kept.usage, cached=True, cost_usd=0.0, seconds=seconds, attempts=0))


def always_cached(llm: LLM) -> LLM:
    """The model with a cache, where it has none yet: a study that goes on after a crash repeats no answer.

    Models that answer from a file are told apart by its content: an edited script answers anew.
    """
    inner = llm
    while isinstance(inner, Wrapper):
        if isinstance(inner, Cached):
            return llm
        inner = inner.inner
    kind, _, path = llm.name.partition(":")
    mark = ""
    if kind in ("scripted", "replay"):
        with suppress(OSError):
            mark = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    return Cached(llm, identity=f"{llm.name} {mark}".strip())
