"""A trip that is planned day by day: a long run with tool calls, whose cost in calls and tokens can be compared.

Steps, visits and tool calls are as many as the released interpreter of the paper was measured with on its own workflow
for such trips (three days: 22 visits, 10 tool calls; seven days: 44 and 22). Model and tool are scripted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autoflow.interpret import Recorder, interpret
from autoflow.interpret.memory import Lexical
from autoflow.lang.workflow import Branch, Step, Workflow
from autoflow.llm.base import (
    Capabilities,
    Choice,
    Completion,
    JsonSchema,
    Message,
    OnToken,
    Options,
    ToolCall,
    Usage,
)
from autoflow.records import RunPolicy, Task
from autoflow.tools import Tool, Toolbox, tool

TASK = Task(id="tk_trip", objective="Plan a trip from Berlin to Rome for two people with a budget of 2,000 euros.")
LOOKS_UP = ("Read", "Flights", "Hotel", "Meals")  # the steps that call the tool, once each
ANSWER = "Two flights, a hotel near the station, a place to eat."


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took."""

    visits: int
    tool_calls: int
    calls: int  # of the model
    tokens: int  # of all prompts together, characters / 4


@dataclass(frozen=True, slots=True)
class Trip:
    """How long the trip is, and how much the tool tells."""

    days: int
    closing: int  # steps at the end
    result: int  # characters that the tool gives
    limit: tuple[int, int]  # calls and tokens that are allowed without calls for memory


TRIPS = (
    Trip(days=7, closing=1, result=1_600, limit=(66, 64_000)),
    Trip(days=3, closing=3, result=1_600, limit=(32, 20_000)),
)


def workflow(trip: Trip) -> Workflow:
    """Six steps a day in a loop, one before and some after."""
    chain = [
        ("Read", "Say what the traveller wants, and look up where it begins.", "Flights"),
        ("Flights", "Look up how to get on.", "Hotel"),
        ("Hotel", "Look up where to sleep.", "Meals"),
        ("Meals", "Look up where to eat.", "Choose"),
        ("Choose", "Choose what fits the budget.", "Note"),
        ("Note", "Write down the plan of the day.", "More"),
        *((f"End {n}", "Add up what it costs.", f"End {n + 1}") for n in range(1, trip.closing)),
    ]
    steps = [Step(name, "process", words, (Branch("next", target),)) for name, words, target in chain]
    steps.append(Step("More", "decision", "Is there another day?", (Branch("yes", "Flights"), Branch("no", "End 1"))))
    steps.append(Step(f"End {trip.closing}", "terminal", "Write the plan of the trip.", ()))
    return Workflow(tuple(steps))


class Planner:
    """Calls the tool once where a step looks something up, and answers at once."""

    name = "bench"
    capabilities = Capabilities(tools=True, schema="schema", choice="schema", images=False)

    def __init__(self, days: int) -> None:
        self._left = days
        self.calls = 0

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.calls += 1
        return Completion(*self._said(messages, options), usage=Usage(1, 1, 0.0, 0.0))

    def _said(self, messages: Sequence[Message], options: Options) -> tuple[Any, ...]:
        match options.constraint:
            case Choice():  # the memory `traverse` asks whether an observation is needed
                return ("yes",)
            case JsonSchema(name="memory"):  # the memory `direct` asks which are
                return ('{"ids": ["o1", "o2"]}',)
        step, _, visit = options.label.removeprefix("step ").partition(", visit ")
        if step in LOOKS_UP and messages[-1].role == "user":
            return "", (ToolCall("c", "search", f'{{"what": "{step} {visit}"}}'),)
        if step == "More":
            self._left -= 1
            return (f'{{"answer": "So it is.", "branch": "{"yes" if self._left else "no"}"}}',)
        return (ANSWER,)

    async def aclose(self) -> None:
        return


def search_tool(characters: int) -> Tool:
    @tool
    def search(what: str) -> str:
        """Look something up.

        Args:
            what: what to look for.
        """
        return (f"What is known of {what}. " * characters)[:characters]

    return search


async def plan(trip: Trip, policy: RunPolicy) -> Cost:
    """Plan it."""
    model, seen = Planner(trip.days), Recorder()
    result = await interpret(
        workflow(trip), TASK, model, Toolbox([search_tool(trip.result)]), policy=policy, observer=seen,
        embedder=Lexical(),
    )  # fmt: skip
    assert result.stop == "terminal", result
    told = [part for event in seen.events if event.kind == "prompt" for part in event.data["parts"]]
    kinds = [event.kind for event in seen.events]
    tokens = sum(len(part["text"]) for part in told) // 4
    return Cost(kinds.count("step_finished"), kinds.count("tool_call"), model.calls, tokens)
