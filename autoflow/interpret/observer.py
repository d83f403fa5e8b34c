"""Who watches a run, makes it durable, and may ask it to pause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autoflow.records import Event


class Paused(Exception):
    """The observer asked for a pause. All finished visits are durable; go on with their events as history."""


class Observer(Protocol):
    """The seam between a run and what keeps and shows it.

    Every event but `token` reaches exactly one of three places, in order: `step_done`, `aborted`, or
    `RunResult.events`.
    """

    def live(self, event: Event) -> None:
        """Every event as it happens, `token` included. Must not block."""
        ...

    async def step_done(self, events: Sequence[Event]) -> None:
        """Make a finished visit durable; the first comes with `run_started`. What this raises ends `interpret`."""
        ...

    def should_pause(self) -> bool:
        """Asked before each step; True makes `interpret` raise Paused."""
        ...

    def aborted(self, events: Sequence[Event]) -> None:
        """The run was cancelled: the events of the unfinished visit, with what the model had said so far."""
        ...


class Recorder:
    """Keeps all events in memory, and never pauses. For a run whose events are wanted when it has ended."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def live(self, event: Event) -> None:
        if event.kind != "token":
            self.events.append(event)

    async def step_done(self, events: Sequence[Event]) -> None:
        return

    def should_pause(self) -> bool:
        return False

    def aborted(self, events: Sequence[Event]) -> None:
        return
