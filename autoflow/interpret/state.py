"""The state of a run, folded from its events: one mechanism to run, resume, fork and replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from autoflow.lang.workflow import fold
from autoflow.records import Event, Json, PictureRef, Totals

RECENT_ANSWERS = 4  # answers that progress shows besides the last one of each step
CHARACTERS_A_TOKEN = 4  # the estimate where an endpoint does not count


@dataclass(frozen=True, slots=True)
class Answer:
    """What one visit to a step answered, and for a decision which branch it took."""

    visit: int
    step: str
    text: str
    branch: str | None  # None for a process


@dataclass(frozen=True, slots=True)
class Observation:
    """A tool's result that later steps may be shown."""

    id: str
    visit: int
    description: str  # one line: which tool with what
    text: str

    @property
    def line(self) -> str:
        """As a prompt shows it; this is what counts against the limit of tokens."""
        return f"[{self.id}] {self.description}: {self.text}"


class RunState:
    """Where a run stands. `apply` takes the events one by one; nothing else changes it."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.visits = 0
        self.finished_visits = 0
        self.next: str | None = None  # None before the first visit and after a terminal
        self.ended = False  # a terminal was carried out
        self.answer = ""
        self.totals = Totals()  # `seconds` is the time of finished visits
        self.spent_tokens = 0  # estimated where unknown: what a limit is held against
        self.spent_usd = 0.0  # what is known to have been spent: at least this much
        self.observations: list[Observation] = []
        self.pictures: list[PictureRef] = []  # that tools made
        self._latest: dict[str, Answer] = {}  # by folded step name, the most recent last
        self._recent: deque[Answer] = deque(maxlen=RECENT_ANSWERS)
        self._prompt_characters = 0
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take one event into account."""
        match event.kind:
            case "step_entered":
                self.visits = event.visit
            case "prompt":
                self._prompt_characters = sum(len(part["text"]) for part in event.data["parts"])
            case "reply":
                self._count(event.data)
            case "tool_result":
                self._observe(event)
                self._count_tool(event.data)
            case "step_finished":
                self._finish(event)
            case _:
                pass

    def visited(self, step: str) -> bool:
        """Whether a visit to this step has finished."""
        return fold(step) in self._latest

    def answers(self) -> Iterator[Answer]:
        """The last answer of each step, most recent first, and among them the last few answers of all."""
        recent = {answer.visit: answer for answer in self._recent}
        yield from reversed(recent.values())
        for answer in reversed(self._latest.values()):
            if answer.visit not in recent:
                yield answer

    def _count(self, data: Json) -> None:
        if data["finish"] == "cut":
            return  # not answered, so not a call
        prompt, completion = data["prompt_tokens"], data["completion_tokens"]
        self.totals += Totals(
            calls=1,
            cached=int(data["cached"]),
            prompt_tokens=prompt or 0,
            completion_tokens=completion or 0,
            cost_usd=0.0 if data["cached"] else data["cost_usd"],
            unknown_tokens=int(prompt is None or completion is None),
        )
        self.spent_usd += 0.0 if data["cached"] else data["cost_usd"] or 0.0
        self.spent_tokens += self._prompt_characters // CHARACTERS_A_TOKEN if prompt is None else prompt
        self.spent_tokens += len(data["text"]) // CHARACTERS_A_TOKEN if completion is None else completion

    def _count_tool(self, data: Json) -> None:
        """What a tool took of a language model."""
        took = totals_of_tool(data)
        self.totals += took
        self.spent_usd += took.cost_usd or 0.0
        self.spent_tokens += took.prompt_tokens + took.completion_tokens

    def _observe(self, event: Event) -> None:
        kept = event.data["observation"]
        if kept is not None:
            self.observations.append(Observation(kept["id"], event.visit, kept["description"], event.data["text"]))
        self.pictures += map(PictureRef.model_validate, event.data.get("made", ()))

    def _finish(self, event: Event) -> None:
        data = event.data
        branch = data["branch"] if data["type"] == "decision" else None
        answer = Answer(event.visit, data["step"], data["answer"], branch)
        self._recent.append(answer)
        key = fold(answer.step)
        self._latest.pop(key, None)
        self._latest[key] = answer
        self.finished_visits = event.visit
        self.next = data["next"]
        self.ended = data["next"] is None
        self.answer = answer.text if self.ended else ""
        self.totals += Totals(seconds=data["seconds"])


def totals_of_tool(data: Json) -> Totals:
    """The calls to a language model that a `tool_result` tells of; their seconds are part of its visit's."""
    return Totals.model_validate(data.get("totals", {}))


def whole_visits(events: Sequence[Event]) -> list[Event]:
    """The events up to the last finished visit: what a run can go on from. Without any, nothing."""
    last = max((n for n, event in enumerate(events) if event.kind == "step_finished"), default=-1)
    return [event for event in events[: last + 1] if event.kind != "token"]


def fork(events: Sequence[Event], visit: int) -> list[Event]:
    """The history of a run that branches off before this visit (1-based): all whole visits before it.

    `run_started` is left out, so that the new run says under which model and policy it goes on.
    """
    return [event for event in whole_visits(events) if 0 < event.visit < visit]


def totals(events: Iterable[Event]) -> Totals:
    """What the run took so far; its seconds are those of finished visits."""
    return RunState(events).totals
