"""Running again from a step on, and going on with a run that stopped short."""

from __future__ import annotations

from autoflow.interpret.state import fork
from autoflow.records import Run, RunPolicy, StopReason
from pages.ui import services

# Stopped by a limit: going on needs other limits, hence a run of its own.
LIMITS: frozenset[StopReason] = frozenset({"max-steps", "max-calls", "max-tokens", "max-cost", "max-time"})


def fork_from(run: Run, visit: int, policy: RunPolicy) -> None:
    """A new run that inherits the visits before this one, and its address. Does not return."""
    store = services.store()
    events = [event for _, event in store.run_events(run.id)]
    fresh = store.create_run(
        text=run.text,
        task=run.task,
        model=run.model,
        policy=policy,
        workflow_id=run.workflow_id,
        version=run.version,
        parent_run_id=run.id,
        fork_visit=visit,
        events=fork(events, visit),
    )
    services.start_run_job(fresh)
    services.go("run", run=fresh.id)


def go_on(run: Run, policy: RunPolicy) -> None:
    """Take up a run that stopped short, where it stopped; after a limit with the limits that are set now."""
    if run.stop in LIMITS:
        finished = [e.visit for _, e in services.store().run_events(run.id) if e.kind == "step_finished"]
        fork_from(run, max(finished, default=0) + 1, policy)
    services.start_run_job(services.store().reopen_run(run.id))
    services.go("run", run=run.id)
