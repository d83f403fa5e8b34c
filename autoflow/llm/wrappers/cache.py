"""Answers that are kept on disk, so that the same question is never paid twice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
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
    in the log, and everything goes on without it. For the same reason it does not wait for the disk: a power cut may
    cost the latest answers. One connection stays open, used by one thread at a time: to open one for each answer took
    longer than all else that a call costs here, and 64 writers at once locked each other out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # device and number of the file that was opened
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

    def close(self) -> None:
        """Leave the file alone; the next question opens it again."""
        with self._lock:
            self._forget()

    def _run(self, statement: str, *values: object) -> str | None:
        """One statement in a transaction of its own; the first column of the first row."""
        with self._lock:
            if self._broken:
                return None
            try:
                row = self._opened().execute(statement, values).fetchone()
                return row[0] if row else None
            except (sqlite3.Error, OSError) as error:
                self._forget()
                self._fail(error)
                return None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and _mark(self._path) != self._file:
            self._forget()  # thrown away by a person: begin a new one
        if self._connection is None:
            if self._file is None:  # later the folder is not made again: it was somebody's wish that it is gone
                self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(self._path)
            self._file = _mark(self._path)
        return self._connection

    def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _fail(self, error: Exception) -> None:
        """A lock passes, everything else does not."""
        self._broken = "locked" not in str(error)
        if not self._told:
            self._told = True
            log.warning("The cache of answers %s cannot be used (%s); going on without it.", self._path, error)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error, OSError."""
    connection = sqlite3.connect(path, timeout=LOCK_S, isolation_level=None, check_same_thread=False)
    try:
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, model TEXT, answer TEXT, at REAL)",
        ):
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


class Cached(Wrapper):
    """Answers from the cache what was asked before.

    The key is the model, the messages, the options, the seed and the repeat. Sampled answers without a seed are never
    kept: they are meant to differ. Errors are never kept.

    The file is read and written where the call stands: that takes some hundredths of a millisecond, and some
    milliseconds once in hundreds of answers (a checkpoint), while threads, which take turns with the loop, cost more
    than all else here (`bench/evaluate.py`). Where another process holds the file, the loop waits with it, `LOCK_S`.

    Args:
        inner: the model.
        path: default `AUTOFLOW_HOME/cache.db`.
        identity: what tells this model from others of the same name; default its name.
    """

    def __init__(self, inner: LLM, *, path: Path | None = None, identity: str | None = None) -> None:
        super().__init__(inner)
        self._cache = AnswerCache(path or settings().home / "cache.db")
        self._identity = identity or inner.name

    async def aclose(self) -> None:
        self._cache.close()
        await self.inner.aclose()

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        if options.temperature > 0 and options.seed is None:
            return await self.inner.complete(messages, options, on_token)
        started = time.monotonic()
        key = key_of(self._identity, messages, options)
        kept = self._cache.get(key)
        if kept is None:
            completion = await self.inner.complete(messages, options, on_token)
            self._cache.put(key, self.name, completion)
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
