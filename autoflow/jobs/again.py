"""Running again from a step on, and going on with a run that stopped short."""

from __future__ import annotations

from autoflow.errors import SettingsError
from autoflow.interpret.state import fork
from autoflow.records import STOP_WORDS, Run, RunPolicy, StopReason
from autoflow.store.base import Store

# Stopped by a limit: going on needs other limits, hence a run of its own.
LIMITS: frozenset[StopReason] = frozenset({"max-steps", "max-calls", "max-tokens", "max-cost", "max-time"})


def forked(store: Store, run: Run, visit: int, policy: RunPolicy) -> Run:
    """A new run that inherits the visits before this one. It has no job yet.

    Raises SettingsError: the run never came to that visit.
    """
    events = [event for _, event in store.run_events(run.id)]
    reached = max((event.visit for event in events), default=0)
    if not 1 <= visit <= reached + 1:
        raise SettingsError(
            f"`1 <= visit <= {reached + 1}` must hold, but got visit={visit}.",
            f"The run {run.id} came to visit {reached}." if reached else f"The run {run.id} did no step.",
        )
    return store.create_run(
        text=run.text, task=run.task, model=run.model, policy=policy, workflow_id=run.workflow_id, version=run.version,
        parent_run_id=run.id, fork_visit=visit, events=fork(events, visit),
    )  # fmt: skip


def taken_up(store: Store, run: Run, policy: RunPolicy) -> Run:
    """The run that goes on where this one stopped short: the same, or after a limit one of its own with `policy`.

    Raises SettingsError: it is under way, or at its end.
    """
    if run.stop is None:
        raise SettingsError(f"The run {run.id} has not ended.", "Follow it with: autoflow jobs watch")
    if run.stop in ("terminal", "invalid-workflow"):
        raise SettingsError(f"The run {run.id} cannot go on: {STOP_WORDS[run.stop]}", "Run it again from a step.")
    if run.stop not in LIMITS:
        return store.reopen_run(run.id)
    finished = [e.visit for _, e in store.run_events(run.id) if e.kind == "step_finished"]
    return forked(store, run, max(finished, default=0) + 1, policy)
