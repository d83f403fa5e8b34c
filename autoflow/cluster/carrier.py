"""The process on a node: opens suite, tools and model once, and carries out runs for as long as the study lasts.

It is asked with runs to begin and answers as soon as some have ended: with all that have ended by then. So runs that
take a second come back one by one, and runs that take a millisecond many at a time, without anybody choosing a size.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from autoflow import __version__
from autoflow.cluster.wire import Answer, Found, Order, Wanted, failure_of, received
from autoflow.errors import SettingsError
from autoflow.evaluate import LocalEvaluator, Unit
from autoflow.records import Event
from autoflow.study import SPLITS, Outcome, SavedSuite, Split
from autoflow.suites.base import Suite, SuiteTask


class Carrier:
    """Args: order: an `Order`, as JSON."""

    def __init__(self, order: str) -> None:
        self._sent = order
        self._evaluate: Callable[[list[Unit]], Awaitable[None]] | None = None
        self._tasks: dict[tuple[Split, str], SuiteTask] = {}
        self._runs: set[asyncio.Task[None]] = set()
        self._found: list[Found] = []
        self._failed: BaseException | None = None
        self._news = asyncio.Event()

    async def ready(self) -> str:
        """Open what the order names. Answers with the failure, where that cannot be done."""
        try:
            if self._evaluate is None:
                await self._open(Order.model_validate_json(self._sent))
        except Exception as error:
            return _told(Answer(failure=failure_of(error, socket.gethostname())))
        return _told(Answer())

    async def exchange(self, sent: str) -> str:
        """Begin these runs; wait until some have ended, of these or of those begun before, and answer with them."""
        try:
            self._begin([self._unit(wanted) for wanted in received(sent)])
        except Exception as error:
            self._failed = error
            self._news.set()
        await self._news.wait()
        self._news.clear()
        found, failed = tuple(self._found), self._failed
        self._found = []
        if failed is None:
            return _told(Answer(found=found))
        await self.stop()
        return _told(Answer(found=found, failure=failure_of(failed, socket.gethostname())))

    async def stop(self) -> None:
        """Break off what is under way, and forget it: nobody wants it any more."""
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        self._found, self._failed = [], None
        self._news.set()  # an exchange that waits goes home empty-handed

    def _begin(self, units: list[Unit]) -> None:
        if units:
            assert self._evaluate is not None, "asked for runs before it was ready"
            run = asyncio.ensure_future(self._evaluate(units))
            self._runs.add(run)
            run.add_done_callback(self._ended)

    def _ended(self, run: asyncio.Future[None]) -> None:
        self._runs.discard(run)
        if not run.cancelled() and run.exception() is not None:
            self._failed = run.exception()
            self._news.set()

    async def _done(self, outcome: Outcome, events: Sequence[Event]) -> None:
        self._found.append(Found(outcome=outcome, events=tuple(events)))
        self._news.set()

    def _unit(self, wanted: Wanted) -> Unit:
        task = self._tasks.get((wanted.split, wanted.task))
        if task is None:
            raise SettingsError(
                f"The suite has no task `{wanted.task}` on the node {socket.gethostname()}.",
                "All nodes need the same data and the same version of AutoFlow.",
            )
        return Unit(wanted.candidate, wanted.text, task, wanted.repeat, wanted.split, wanted.round)

    async def _open(self, order: Order) -> None:
        """The toolbox stays open until the process ends, and servers of tools end with it."""
        from autoflow.llm.registry import open_llm
        from autoflow.llm.wrappers.cache import always_cached
        from autoflow.suites.registry import open_suite
        from autoflow.tools.opening import open_toolbox

        if order.version != __version__:
            raise SettingsError(
                f"The node {socket.gethostname()} has AutoFlow {__version__}, and {order.version} asks it.",
                "Install the same version on all nodes.",
            )
        connections = {connection.name: connection for connection in order.connections}
        names = dict.fromkeys(filter(None, (order.model, order.judge)))
        llms = {name: always_cached(open_llm(name, connections=connections.get)) for name in names}
        judge = llms.get(order.judge)
        suite: Suite = await asyncio.to_thread(open_suite, order.suite, saved=lambda _: _table(order), judge=judge)
        self._opened = open_toolbox(tuple(suite.tools), llm=llms[order.model])
        toolbox = await self._opened.__aenter__()
        self._tasks = {(split, task.id): task for split in SPLITS for task in suite.tasks(split)}

        def evaluate(units: list[Unit]) -> Awaitable[None]:
            evaluator = LocalEvaluator(
                suite, llms[order.model], toolbox, policy=order.policy, concurrency=len(units)
            )  # as many as were sent: who sends them keeps to the model's limit
            return evaluator.map(units, self._done)

        self._evaluate = evaluate


def _table(order: Order) -> SavedSuite:
    if order.saved is None:
        raise SettingsError("The table of the suite was not sent.", "Ask for it again.")
    return order.saved


def _told(answer: Answer) -> str:
    return answer.model_dump_json()
