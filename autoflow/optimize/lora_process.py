"""The process of a training, seen from whoever started it: it is asked, and answers, or dies.

It is started in a session of its own, so that Ctrl-C in a terminal reaches the study alone, which decides what becomes
of it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from autoflow.errors import StorageUnavailable, TrainingError
from autoflow.optimize.running import Halted
from autoflow.settings import environment_with, settings
from autoflow.train.talk import ANSWER, Answer, Asked, Failed, Order

log = logging.getLogger(__name__)
MODULE = "autoflow.train.child"
LINE_BYTES = 2**28  # an answer holds all texts of a step
LOOK_S = 0.3  # how soon a wish for a pause is noticed
KEPT_LOGS = 20
KILLED = -9
END_S = 5.0  # for a process that said its last word


class Died(Exception):
    """The process ended before it had answered."""

    def __init__(self, status: int, log_path: Path) -> None:
        super().__init__(status)
        self.status, self.log_path = status, log_path

    def told(self, model: str) -> TrainingError:
        """For the person whose training it is."""
        if self.status == KILLED:
            return TrainingError(
                f"The process that trains {model} was killed twice in the same step, most likely as memory ran out.",
                "Draw fewer samples or tokens in a step, take a smaller model, or end other programs; then resume.",
            )
        return TrainingError(
            f"The process that trains {model} ended twice in the same step, with status {self.status}: "
            f"{_last_line(self.log_path)}",
            f"Its log is {self.log_path}.",
        )


class Process:
    """A running one. Made by `start`."""

    def __init__(self, process: asyncio.subprocess.Process, log_path: Path) -> None:
        self._process, self._log_path = process, log_path

    @classmethod
    async def start(cls, order: Order, name: str) -> Process:
        """Args: name: of its log. Raises StorageUnavailable: the log cannot be written."""
        path = _log_path(name)
        with path.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", MODULE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=file, start_new_session=True, limit=LINE_BYTES,
                env=environment_with(OMP_WAIT_POLICY="passive"),  # threads that wait do not spin beside the interpreter
            )  # fmt: skip
        log.info("training process %d of %s", process.pid, name)
        made = cls(process, path)
        await made._write(order.model_dump_json())
        return made

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, asked: Asked) -> None:
        """Raises Died."""
        await self._write(asked.model_dump_json())

    async def hear(self, wants_pause: Callable[[], bool] = lambda: False) -> Answer:
        """The next answer. Raises Died; TrainingError: in the words of the process; Halted: a person wants a pause."""
        assert self._process.stdout is not None
        reading = asyncio.ensure_future(self._process.stdout.readline())
        try:
            while not reading.done():
                await asyncio.wait([reading], timeout=LOOK_S)
                if not reading.done() and wants_pause():
                    raise Halted
        finally:
            reading.cancel()
        line = reading.result()
        if not line.endswith(b"\n"):
            raise await self._died()
        answer = ANSWER.validate_json(line)
        if isinstance(answer, Failed):
            raise TrainingError(answer.message, answer.hint)
        return answer

    async def end(self) -> None:
        """At once: what is under way is done again from its checkpoint."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    async def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode() + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._died() from None

    async def _died(self) -> Died:
        """Its status is known a moment after it fell silent; to kill it before would be taken for the reason."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), END_S)
        await self.end()
        return Died(self._process.returncode or 0, self._log_path)


def _log_path(name: str) -> Path:
    """Where it writes what goes wrong; the oldest of many make room."""
    folder = settings().logs
    try:
        folder.mkdir(parents=True, exist_ok=True)
        by_age = sorted(folder.glob("training-*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in by_age[KEPT_LOGS:]:
            path.unlink(missing_ok=True)
        found = folder / f"training-{name}.log"
        found.touch()
    except OSError as error:
        raise StorageUnavailable(
            f"The folder {folder} cannot be written: {error}.", "Look at its disk: is it full, or read-only?"
        ) from error
    return found


def _last_line(path: Path) -> str:
    with suppress(OSError):
        lines = path.read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing."
    return "it said nothing."
