"""What one carrying-out of a workflow holds, and the one place where it calls a model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from autoflow.errors import BudgetExceeded, ModelError, ModelRequestError, ToolsUnsupported
from autoflow.interpret.events import Kind, event
from autoflow.interpret.observer import Observer
from autoflow.interpret.prompting import Part, Prompts, messages
from autoflow.interpret.replies import repeats_itself
from autoflow.interpret.state import RunState
from autoflow.lang.workflow import Step, Workflow
from autoflow.llm.base import LLM, Choice, Completion, Constraint, Grammar, Image, JsonSchema, Options, ToolSpec
from autoflow.records import Event, RunPolicy, StopReason, Totals
from autoflow.tools.base import ToolContext
from autoflow.tools.toolbox import Toolbox

Clock = Callable[[], float]
_GO_ON = "Raise the limit to go on from here."


def steady_clock() -> Clock:
    """Seconds since 1970 that never jump: the wall clock of now, carried on by the monotonic one."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


class Stop(Exception):
    """The run ends here, for this reason."""

    def __init__(self, reason: StopReason, error: str = "", hint: str = "") -> None:
        super().__init__(reason, error)
        self.reason: StopReason = reason
        self.error = error
        self.hint = hint


class Refused(Exception):
    """The backend takes no `what` (tools or images); nothing was answered. Ask again without."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass
class Run:
    """One carrying-out: what is fixed, the state, and the events that nobody has been given yet."""

    workflow: Workflow
    llm: LLM
    toolbox: Toolbox
    policy: RunPolicy
    observer: Observer
    context: ToolContext
    clock: Clock
    state: RunState
    fill: Prompts
    started: float = 0.0
    visit: int = 0  # under way; 0 between visits
    step: Step | None = None
    visit_calls: int = 0  # in the visit under way
    pending: list[Event] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)  # image inputs, by name
    refused: set[str] = field(default_factory=set)  # of tools, images: what the backend does not take
    _unpriced: bool = False  # said once that the limit of money cannot be kept

    def __post_init__(self) -> None:
        self.started = self.clock() - self.state.totals.seconds

    def emit(self, kind: Kind, **data: Any) -> None:
        """Let something have happened."""
        happened = event(kind, self.visit, self.clock(), **data)
        self.pending.append(happened)
        self.state.apply(happened)
        self.observer.live(happened)

    def warn(self, message: str, hint: str = "") -> None:
        self.emit("warning", message=message, hint=hint)

    def totals(self) -> Totals:
        """What the run took so far; the seconds without the pauses before a resume."""
        return self.state.totals.model_copy(update={"seconds": self.clock() - self.started})

    def check_limits(self) -> None:
        """Before each call and step. Raises Stop: a limit was reached; it may be overshot by the last call."""
        policy, totals = self.policy, self.state.totals
        if policy.max_calls is not None and totals.calls >= policy.max_calls:
            raise Stop("max-calls", f"The run reached its limit of model calls ({policy.max_calls:,}).", _GO_ON)
        if policy.max_tokens is not None and self.state.spent_tokens >= policy.max_tokens:
            spent = f"The run took {self.state.spent_tokens:,} tokens; its limit is {policy.max_tokens:,}."
            raise Stop("max-tokens", spent, _GO_ON)
        cost = self.state.spent_usd
        if policy.max_cost_usd is not None and cost and cost >= policy.max_cost_usd:
            known = "" if totals.cost_usd is not None else "at least "
            spent = f"The run cost {known}{cost:.4g} US dollars; its limit is {policy.max_cost_usd:g}."
            raise Stop("max-cost", spent, _GO_ON)
        left = self.time_left()
        if left is not None and left <= 0:
            raise self.out_of_time()

    def time_left(self) -> float | None:
        """Seconds until `max_time_s`, or None without that limit."""
        limit = self.policy.max_time_s
        return None if limit is None else limit - (self.clock() - self.started)

    def out_of_time(self) -> Stop:
        return Stop("max-time", f"The run took longer than {self.policy.max_time_s:g} s.", _GO_ON)

    async def ask(
        self, parts: Sequence[Part], *, purpose: str = "step", constraint: Constraint | None = None,
        tools: Sequence[ToolSpec] = (),
    ) -> Completion:  # fmt: skip
        """One model call, in the record from prompt to reply.

        Raises: Stop where a limit is reached, before the call or in it, or the model cannot answer; Refused where it
            takes no tools or images, and some were sent.
        """
        self.check_limits()
        self.visit_calls += 1
        call, said = self.visit_calls, Heard(self)
        self.emit("prompt", call=call, parts=[part.to_json() for part in parts], tools=[t.name for t in tools],
                  constraint=_named(constraint))  # fmt: skip
        options = Options(
            temperature=self.policy.temperature, seed=self.policy.seed, tools=tuple(tools), constraint=constraint,
            max_tokens=self.policy.answer_tokens, timeout_s=self.time_left(), label=self._label(),
        )  # fmt: skip
        began = self.clock()
        try:
            async with asyncio.timeout(self.time_left()) as limit:
                completion = await self.llm.complete(messages(parts), options, said)
        except asyncio.CancelledError:
            self._cut(call, purpose, said.text, self.clock() - began)
            raise
        except (ModelError, BudgetExceeded, TimeoutError) as error:
            self._cut(call, purpose, said.text or getattr(error, "partial", ""), self.clock() - began)
            if isinstance(error, TimeoutError) and not limit.expired():
                raise
            raise self._ended_by(
                error, with_images=any(part.images for part in parts), with_tools=bool(tools)
            ) from error
        self._reply(call, purpose, completion)
        return completion

    def _ended_by(self, error: Exception, *, with_images: bool, with_tools: bool) -> Stop | Refused:
        """What the failure of a call means for the run."""
        left = self.time_left()
        match error:
            case BudgetExceeded():
                return Stop(cast(StopReason, error.limit), error.message, error.hint)
            case ToolsUnsupported() if with_tools:
                return Refused("tools")
            case ModelRequestError() if with_images and self.llm.capabilities.images is False:
                return Refused("images")
            case ModelError() if left is None or left > 0:
                return Stop("model-error", error.message, error.hint)
            case _:
                return self.out_of_time()

    def _label(self) -> str:
        return f"step {self.step.name}, visit {self.visit}" if self.step else ""

    def _reply(self, call: int, purpose: str, completion: Completion) -> None:
        usage = completion.usage
        self.emit(
            "reply", call=call, text=completion.text, reasoning=completion.reasoning,
            tool_calls=[{"id": c.id, "name": c.name, "arguments": c.arguments} for c in completion.tool_calls],
            finish=completion.finish, strength=completion.strength, model=completion.model or self.llm.name,
            prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, seconds=usage.seconds,
            cost_usd=usage.cost_usd, cached=usage.cached, attempts=usage.attempts, purpose=purpose,
        )  # fmt: skip
        unpriced = usage.cost_usd is None and not usage.cached
        if unpriced and self.policy.max_cost_usd is not None and not self._unpriced:
            self._unpriced = True
            self.warn(
                "The price of this model is unknown, so the limit of money cannot be kept.",
                "Write its price into prices.json of the data folder.",
            )
        if completion.finish == "length":
            why = "it repeated itself" if repeats_itself(completion.text) else "it was too long"
            self.warn(f"The reply was cut at {self.policy.answer_tokens} tokens: {why}.", "The policy sets the limit.")

    def _cut(self, call: int, purpose: str, text: str, seconds: float) -> None:
        """Keep what a call had said when it was broken off."""
        if text:
            self.emit(
                "reply", call=call, text=text, reasoning="", tool_calls=[], finish="cut", strength="none",
                model=self.llm.name, prompt_tokens=None, completion_tokens=None, seconds=seconds, cost_usd=None,
                cached=False, attempts=1, purpose=purpose,
            )  # fmt: skip

    def hear(self, text: str) -> None:
        self.observer.live(event("token", self.visit, self.clock(), call=self.visit_calls, text=text))


class Heard:
    """Takes the pieces of a reply as they come, shows them, and keeps them for the case that it is cut."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._pieces: list[str] = []

    def __call__(self, piece: str) -> None:
        if piece:
            self._pieces.append(piece)
        else:
            self._pieces.clear()  # a new attempt begins
        self._run.hear(piece)

    @property
    def text(self) -> str:
        return "".join(self._pieces)


def _named(constraint: Constraint | None) -> str | None:
    match constraint:
        case Choice(choices):
            return "one of: " + ", ".join(choices)
        case JsonSchema(_, name):
            return f"JSON schema {name}"
        case Grammar():
            return "grammar"
        case None:
            return None
