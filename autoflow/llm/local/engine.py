"""A base model kept warm in this process, and the thread that answers everybody who asks it.

What waits when the thread is free becomes one batch, as far as it is for one adapter. A model that nobody has asked for
`AUTOFLOW_IDLE_STOP_S` is let go; the next request loads it again.
"""

from __future__ import annotations

import atexit
import gc
import threading
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autoflow.errors import ModelError
from autoflow.llm.local.faults import explain
from autoflow.llm.local.job import Job, Ready
from autoflow.llm.local.names import Base
from autoflow.settings import environment_default, settings

if TYPE_CHECKING:
    from autoflow.llm.local.load import Loaded
    from autoflow.llm.local.row import Row

MAX_ROWS = 8  # on two cores eight rows together come at about five times the tokens a second of one
MAX_PROMPTS = 32_768  # tokens of the prompts of a batch, padding included
GATHER_S = 0.01  # for which a free thread waits for more, so that what is asked at once is answered together


class Engine:
    """One base model."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._changed = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._thread: threading.Thread | None = None
        self._loaded: Any = None  # what is in memory; only the thread touches it, but for reading whether it is None
        self._adapters: Any = None
        self._tokens: Any = None  # the vocabulary for constraints, made when one is first asked for
        self.stopping = False

    @property
    def warm(self) -> bool:
        return self._loaded is not None

    def submit(self, job: Job) -> None:
        """Have a request answered; all that follows is told to it."""
        with self._changed:
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"local:{self._base.name}", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self, seconds: float) -> None:
        """End the thread at the next token, and wait for it."""
        self.stopping = True
        with self._changed:
            thread = self._thread
            self._changed.notify()
        if thread is not None:
            thread.join(seconds)

    def _work(self) -> None:
        while jobs := self._next_jobs():
            try:
                self._answer(jobs)
            except Exception as error:  # of any kind: the thread serves others as well
                for job in jobs:
                    job.tell(explain(error, self._base.name))

    def _next_jobs(self) -> list[Job]:
        """What waits for one adapter, oldest first. Empty: nobody asked for long, and the model was let go."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self.stopping, timeout=settings().idle_stop_s)
            if self.stopping or not self._waiting:
                self._loaded = self._adapters = self._tokens = self._thread = None
                gc.collect()
                return []
            self._changed.wait_for(lambda: len(self._waiting) >= MAX_ROWS, timeout=GATHER_S)
            adapter = self._waiting[0].adapter
            jobs = [job for job in self._waiting if job.adapter == adapter][:MAX_ROWS]
            self._waiting = deque(job for job in self._waiting if job not in jobs)
            return jobs

    def _answer(self, jobs: Sequence[Job]) -> None:
        # Read when torch is first imported: threads that wait do not spin, which would slow busy neighbours tenfold.
        environment_default("OMP_WAIT_POLICY", "passive")
        from autoflow.llm.local.decode import decode

        loaded = self._load()
        for job in jobs:
            job.tell(Ready())
        rows = [row for job in jobs if not job.cancelled.is_set() and (row := self._row(loaded, job))]
        with self._adapters.worn(jobs[0].adapter):
            for batch in batches(rows):
                decode(loaded, batch)

    def _load(self) -> Loaded:
        from autoflow.llm.local.adapters import Adapters
        from autoflow.llm.local.load import load

        if self._loaded is None:
            loaded = load(self._base)
            self._adapters = Adapters(loaded.model, loaded.name)
            self._loaded = loaded
        return self._loaded  # type: ignore[no-any-return]

    def _row(self, loaded: Loaded, job: Job) -> Row | None:
        """None: the request cannot be answered, and was told so."""
        from autoflow.llm.local.constraint import vocabulary
        from autoflow.llm.local.row import Row

        try:
            if job.options.constraint is not None and self._tokens is None:
                self._tokens = vocabulary(
                    loaded.tokenizer, loaded.model.config.get_text_config().vocab_size, loaded.ends
                )
            return Row(job, loaded, self._tokens)
        except ModelError as error:
            job.tell(error)
            return None


def batches(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that are decoded together: as many as keep to `MAX_PROMPTS` once they are padded, one at least."""
    made: list[list[Row]] = []
    for row in rows:
        together = [*made[-1], row] if made else [row]
        if made and len(together) * max(len(r.prompt) for r in together) <= MAX_PROMPTS:
            made[-1] = together
        else:
            made.append([row])
    return made


_engines: dict[tuple[Base, str], Engine] = {}
_lock = threading.Lock()


def engine_of(base: Base) -> Engine:
    """The engine of a base model, the same for all who ask in this process. Other weights have another engine."""
    with _lock:
        return _engines.setdefault((base, base.mark), Engine(base))


def forget_engines() -> None:
    """Let go of all models. At the end of a process: a thread in the middle of torch would take it down."""
    with _lock:
        engines = list(_engines.values())
        _engines.clear()
    for engine in engines:
        engine.stop(5.0)


atexit.register(forget_engines)
