"""Runs and their events. The functions below the class also serve the jobs, inside their transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from autoflow.errors import NotFound
from autoflow.records import Event, Json, Run, RunPolicy, StopReason, Task, Totals, new_id
from autoflow.store import tables
from autoflow.store.base import RunEnd
from autoflow.store.part import Part, checked_id, missing
from autoflow.store.workflow_rows import read_record

_r, _v = tables.runs, tables.events


class Runs(Part):
    """Runs and their events."""

    def create_run(
        self, *, text: str, task: Task, model: str, policy: RunPolicy, workflow_id: str | None = None,
        version: int | None = None, parent_run_id: str | None = None, fork_visit: int | None = None,
        events: Sequence[Event] = (),
    ) -> Run:  # fmt: skip
        run_id = new_id("rn")
        with self.database.write() as connection:
            if workflow_id is not None:
                read_record(connection, workflow_id)
            if parent_run_id is not None:
                read_run(connection, parent_run_id)
            values = {
                "id": run_id, "text": text, "task": task.model_dump(), "model": model, "policy": policy.model_dump(),
                "workflow_id": workflow_id, "version": version, "parent_run_id": parent_run_id,
                "fork_visit": fork_visit, "error": "", "answer": "", "totals": Totals().model_dump(), "last_seq": 0,
                "created_at": self.database.now(connection),
            }  # fmt: skip
            connection.execute(_r.insert().values(values))
            add_events(connection, run_id, events)
            return read_run(connection, run_id)

    def get_run(self, run_id: str) -> Run:
        with self.database.read() as connection:
            return read_run(connection, run_id)

    def list_runs(self, workflow_id: str | None = None, limit: int = 50) -> list[Run]:
        query = _select().order_by(_r.c.created_at.desc(), _r.c.id).limit(limit)
        with self.database.read() as connection:
            if workflow_id is not None:
                query = query.where(_r.c.workflow_id == read_record(connection, workflow_id).id)
            return [Run.model_validate(dict(row)) for row in connection.execute(query).mappings()]

    def run_events(self, run_id: str, after: int = 0) -> list[tuple[int, Event]]:
        query = sa.select(_v).where(_v.c.run_id == checked_id(run_id, "rn"), _v.c.seq > after).order_by(_v.c.seq)
        with self.database.read() as connection:
            rows = connection.execute(query).all()
            if not rows:
                read_run(connection, run_id)  # nothing new is fine, an unknown run is not
        return [(r.seq, Event(kind=r.kind, visit=r.visit, at=r.at, data=r.data)) for r in rows]

    def append_events(self, run_id: str, events: Sequence[Event]) -> int:
        with self.database.write() as connection:
            return add_events(connection, checked_id(run_id, "rn"), events)

    def finish_run(self, run_id: str, *, stop: StopReason, answer: str, error: str, totals: Totals) -> Run:
        with self.database.write() as connection:
            end = RunEnd(checked_id(run_id, "rn"), stop, answer, error, totals)
            end_run(connection, end, self.database.now(connection))
            return read_run(connection, run_id)

    def reopen_run(self, run_id: str) -> Run:
        with self.database.write() as connection:
            connection.execute(sa.select(_r.c.id).where(_r.c.id == checked_id(run_id, "rn")).with_for_update())
            if read_run(connection, run_id).stop is not None:
                _reopen(connection, run_id)
            return read_run(connection, run_id)


def read_run(connection: sa.Connection, run_id: str) -> Run:
    """Raises NotFound."""
    row = connection.execute(_select().where(_r.c.id == checked_id(run_id, "rn"))).mappings().first()
    if row is None:
        raise missing(run_id, "rn")
    return Run.model_validate(dict(row))


def _select() -> sa.Select[Any]:
    return sa.select(*(column for column in _r.c if column.name != "last_seq"))


def add_events(connection: sa.Connection, run_id: str, events: Sequence[Event]) -> int:
    """Append; returns the last sequence number. Raises NotFound."""
    grow = _r.update().where(_r.c.id == run_id).values(last_seq=_r.c.last_seq + len(events))
    last = connection.execute(grow.returning(_r.c.last_seq)).scalar_one_or_none()
    if last is None:
        raise missing(run_id, "rn")
    if events:
        first = last - len(events) + 1
        rows = [{"run_id": run_id, "seq": first + n, **e.model_dump()} for n, e in enumerate(events)]
        connection.execute(_v.insert(), rows)
    return int(last)


def end_run(connection: sa.Connection, end: RunEnd, now: float) -> None:
    """Write how the run ended. A run that has ended keeps its end: the first one counts."""
    values = {"stop": end.stop, "answer": end.answer, "error": end.error, "totals": end.totals.model_dump()}
    change = _r.update().where(_r.c.id == end.run_id, _r.c.stop.is_(None)).values(**values, finished_at=now)
    if connection.execute(change).rowcount:
        add_events(connection, end.run_id, end.events)
    elif connection.execute(sa.select(_r.c.id).where(_r.c.id == end.run_id)).first() is None:
        raise NotFound(f"There is no run {end.run_id!r}.")


def cancel_run_of(connection: sa.Connection, job_id: str, now: float) -> None:
    """End the run of a job that was cancelled while no worker held it; other jobs have none."""
    open_runs = sa.select(_r.c.id).where(_r.c.job_id == job_id, _r.c.stop.is_(None))
    for run_id in connection.execute(open_runs).scalars().all():
        totals = _totals(connection, run_id)
        data = {"stop": "cancelled", "answer": "", "error": "", "hint": "", "totals": totals.model_dump()}
        finished = Event(kind="run_finished", visit=0, at=now, data=data)
        end_run(connection, RunEnd(run_id, "cancelled", "", "", totals, (finished,)), now)


def _reopen(connection: sa.Connection, run_id: str) -> None:
    """Keep whole visits. Where there is none everything goes: the run begins anew, with a `run_started` of its own."""
    found = sa.select(sa.func.max(_v.c.seq)).where(_v.c.run_id == run_id, _v.c.kind == "step_finished")
    whole = connection.execute(found).scalar() or 0
    connection.execute(_v.delete().where(_v.c.run_id == run_id, _v.c.seq > whole))
    totals = _totals(connection, run_id).model_dump()
    fresh = {"stop": None, "answer": "", "error": "", "finished_at": None, "last_seq": whole, "totals": totals}
    connection.execute(_r.update().where(_r.c.id == run_id).values(**fresh))


def _totals(connection: sa.Connection, run_id: str) -> Totals:
    """What the record took; for ends that no interpreter is there to add up. Cut replies are no calls."""
    query = sa.select(_v.c.kind, _v.c.data).where(
        _v.c.run_id == run_id, _v.c.kind.in_(("reply", "tool_result", "step_finished"))
    )
    total = Totals()
    for kind, data in connection.execute(query):
        if kind == "step_finished":
            total += Totals(seconds=data["seconds"])
        elif kind == "tool_result":
            total += Totals.model_validate(data.get("totals", {}))
        elif data["finish"] != "cut":
            total += _of_reply(data)
    return total


def _of_reply(data: Json) -> Totals:
    prompt, completion = data["prompt_tokens"], data["completion_tokens"]
    return Totals(
        calls=1,
        cached=int(data["cached"]),
        prompt_tokens=prompt or 0,
        completion_tokens=completion or 0,
        cost_usd=0.0 if data["cached"] else data["cost_usd"],
        unknown_tokens=int(prompt is None or completion is None),
    )
