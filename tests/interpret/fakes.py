"""A model that answers from a script, and what the tests of the interpreter build on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from autoflow.interpret.interpreter import RunResult, interpret
from autoflow.interpret.memory import Embedder
from autoflow.interpret.observer import Recorder
from autoflow.lang.workflow import Branch, Step, Workflow
from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options, ToolCall, Usage
from autoflow.records import Event, RunPolicy, Task, TaskInput
from autoflow.tools.base import Tool
from autoflow.tools.toolbox import Toolbox

Reply = str | Completion | Exception | Callable[[Sequence[Message], Options], "str | Completion"]
STRONG = Capabilities(tools=True, schema="schema", choice="schema", images=False)


@dataclass
class Script:
    """Gives its replies one after another, then the last one for ever. Keeps what it was asked."""

    replies: Iterable[Reply]
    capabilities: Capabilities = STRONG
    name: str = "script"
    latency_s: float = 0.0
    asked: list[tuple[list[Message], Options]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = iter(self.replies)
        self._last: Reply = "nothing"

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.asked.append((list(messages), options))
        self._last = next(self._next, self._last)
        reply = self._last(messages, options) if callable(self._last) else self._last
        if isinstance(reply, Exception):
            raise reply
        done = reply if isinstance(reply, Completion) else said(reply)
        for piece in done.text.split(" ") if on_token else ():
            on_token(piece + " ")
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
        strength = done.strength if options.constraint is None else "schema"
        return replace(done, strength=strength)

    async def aclose(self) -> None:
        return

    @property
    def calls(self) -> int:
        return len(self.asked)

    def prompt(self, number: int = -1) -> str:
        """All that was sent in a call, as text."""
        return "\n".join(message.content for message in self.asked[number][0])


def said(text: str, *, cost_usd: float | None = 0.0, tokens: int | None = 10) -> Completion:
    return Completion(text, usage=Usage(tokens, tokens, 0.01, cost_usd))


def calls(*wanted: tuple[str, str]) -> Completion:
    """A reply that calls tools: (name, arguments)."""
    made = tuple(ToolCall(f"c{n}", name, arguments) for n, (name, arguments) in enumerate(wanted))
    return Completion("", made, Usage(10, 10, 0.01, 0.0), finish="tool_calls")


def flow(*lines: str) -> Workflow:
    """A workflow from `name|type|instruction|key>target|key>target` lines."""
    steps = []
    for line in lines:
        name, type_, instruction, *branches = line.split("|")
        steps.append(Step(name, type_, instruction, tuple(Branch(*b.split(">")) for b in branches)))
    return Workflow(tuple(steps))


LINE = flow("A|process|Read the mail.|next>B", "B|terminal|Answer it.")
FORK = flow("Ask|decision|Is a refund justified?|Yes>Pay|No>Refuse", "Pay|terminal|Say yes.", "Refuse|terminal|Say no.")
LOOP = flow("Work|process|Go on.|next>Check", "Check|decision|Enough?|enough>End|again>Work", "End|terminal|Say it.")


def task(objective: str = "Answer the mail.", *inputs: TaskInput, **fields: tuple[str, ...]) -> Task:
    return Task(id="tk_000000000000", objective=objective, inputs=inputs, **fields)


@dataclass
class Ran:
    """A run that has ended, and all its events."""

    result: RunResult
    events: list[Event]
    llm: Script

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    @property
    def steps(self) -> list[str]:
        return [event.data["step"] for event in self.of("step_entered")]


async def run(
    workflow: Workflow, *replies: Reply, tools: Sequence[Tool] = (), on: Task | None = None,
    history: Sequence[Event] = (), llm: Script | None = None, observer: Recorder | None = None,
    read_file: Callable[[str], bytes] = lambda _: b"file", embedder: Embedder | None = None, **policy: object,
) -> Ran:  # fmt: skip
    model, seen = llm or Script(replies), observer or Recorder()
    result = await interpret(
        workflow, on or task(), model, Toolbox(tools), policy=RunPolicy.model_validate(policy), observer=seen,
        history=history, read_file=read_file, embedder=embedder,
    )  # fmt: skip
    return Ran(result, [*history, *seen.events], model)
