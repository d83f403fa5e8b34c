"""What crosses between the machines of a cluster: JSON texts, read by these records and by nothing else.

Errors cross as data as well: an exception of ours arrives as what it was.
"""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autoflow import __version__, errors
from autoflow.errors import AutoFlowError, BudgetExceeded, JobError, ModelReplyError
from autoflow.evaluate import Unit
from autoflow.llm.registry import Connections
from autoflow.records import Connection, Event, Record, RunPolicy
from autoflow.study import Outcome, SavedSuite, Split, SuiteSpec
from autoflow.suites.registry import TABLE, Saved


class Order(Record):
    """What a carrier opens. Keys do not cross: each node has its own, as each has its own files of models."""

    suite: SuiteSpec
    model: str
    judge: str = ""
    policy: RunPolicy
    saved: SavedSuite | None = None  # the table of a person that the suite is made of
    connections: tuple[Connection, ...] = ()  # those that `model` and `judge` name
    version: str = __version__


class Wanted(Record):
    """One run, as it is sent: the task is found by its id in the suite that the carrier opened."""

    candidate: int
    text: str
    task: str
    repeat: int
    split: Split
    round: int


class Found(Record):
    """What became of it."""

    outcome: Outcome
    events: tuple[Event, ...]


class Failure(Record):
    """An error, on its way."""

    kind: str  # the name of its class
    message: str
    hint: str = ""
    more: str = ""  # what only this class has: the limit of a budget, the part of a reply


class Answer(Record):
    """What a carrier answers: runs that have ended, and why it cannot go on, where it cannot."""

    found: tuple[Found, ...] = ()
    failure: Failure | None = None


_WANTED = TypeAdapter(tuple[Wanted, ...])
_KINDS: dict[str, type[AutoFlowError]] = {
    name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AutoFlowError)
}


def order_of(
    suite: SuiteSpec, model: str, judge: str, policy: RunPolicy, *, saved: Saved, connections: Connections
) -> Order:
    """The order, with what the database of this machine knows and that of a node need not know.

    Raises NotFound: the saved suite was deleted.
    """
    table = saved(str(suite.options.get("suite", ""))) if suite.name == TABLE else None
    names = dict.fromkeys(name.rpartition(":")[2] for name in (model, judge) if name)
    found = [connection for name in names if (connection := _known(connections, name)) is not None]
    return Order(suite=suite, model=model, judge=judge, policy=policy, saved=table, connections=tuple(found))


def _known(connections: Connections, name: str) -> Connection | None:
    try:
        return connections(name)
    except errors.NotFound:
        return None


def key_of(run: Unit | Wanted | Outcome) -> tuple[int, str, int]:
    """What tells a run from the others of its study: candidate, task, repeat."""
    task = run.task.id if isinstance(run, Unit) else run.task
    return run.candidate, task, run.repeat


def sent(units: list[Unit]) -> str:
    """Runs to do, as they are sent."""
    told = [
        Wanted(candidate=u.candidate, text=u.text, task=u.task.id, repeat=u.repeat, split=u.split, round=u.round)
        for u in units
    ]
    return _WANTED.dump_json(tuple(told)).decode()


def received(text: str) -> tuple[Wanted, ...]:
    """Raises JobError: they are not what was agreed."""
    try:
        return _WANTED.validate_json(text)
    except ValidationError as error:
        raise _unreadable(error) from error


def answered(text: Any) -> Answer:
    """Raises JobError: it is not what was agreed."""
    try:
        return Answer.model_validate_json(text)
    except ValidationError as error:
        raise _unreadable(error) from error


def _unreadable(error: ValidationError) -> JobError:
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "it"
    return JobError(
        f"What another machine of the cluster sent cannot be read: {where}: {first['msg']}.",
        "Look whether all of them have the same version of AutoFlow.",
    )


def failure_of(error: BaseException, where: str) -> Failure:
    """The error as data; `where` names the node, for the hint."""
    if not isinstance(error, AutoFlowError):
        told = f"A run failed unexpectedly: {type(error).__name__}: {error}"[:2000]
        return Failure(kind=JobError.__name__, message=told, hint=f"It was on the node {where}.")
    more = error.limit if isinstance(error, BudgetExceeded) else ""
    more = error.partial if isinstance(error, ModelReplyError) else more
    hint = f"{error.hint} It was on the node {where}.".strip()
    return Failure(kind=type(error).__name__, message=error.message, hint=hint, more=more)


def error_of(failure: Failure) -> AutoFlowError:
    """The error again, of the class that it had."""
    kind = _KINDS.get(failure.kind, JobError)
    if issubclass(kind, BudgetExceeded):
        return kind(failure.more, failure.message, failure.hint)
    if issubclass(kind, ModelReplyError):
        return kind(failure.message, failure.hint, failure.more)
    return kind(failure.message, failure.hint)
