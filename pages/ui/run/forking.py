"""Running again from a step on, and going on with a run that stopped short: each opens the address of the run."""

from __future__ import annotations

from autoflow.jobs.again import forked, taken_up
from autoflow.records import Run, RunPolicy
from pages.ui import services


def fork_from(run: Run, visit: int, policy: RunPolicy) -> None:
    """A new run that inherits the visits before this one. Does not return."""
    _begin(forked(services.store(), run, visit, policy))


def go_on(run: Run, policy: RunPolicy) -> None:
    """Take up a run where it stopped; after a limit with the limits that are set now. Does not return."""
    _begin(taken_up(services.store(), run, policy))


def _begin(run: Run) -> None:
    services.start_run_job(run)
    services.go("run", run=run.id)
