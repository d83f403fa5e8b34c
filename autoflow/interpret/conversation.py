"""The talk of one visit: the prompt of the step, and what the model and its tools say until there is an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from autoflow.errors import ToolError
from autoflow.interpret import bare, prompting
from autoflow.interpret.prompting import Part
from autoflow.interpret.replies import as_text, json_field, json_object, visible
from autoflow.interpret.run import Refused, Run, Stop
from autoflow.interpret.state import Observation
from autoflow.lang.marks import read_marks
from autoflow.lang.workflow import Step
from autoflow.llm.base import Completion, Constraint, Image, JsonSchema, ToolCall
from autoflow.tools.toolbox import read_arguments

MAX_TOOL_CALLS = 10  # a visit
_DESCRIPTION_CHARACTERS = 120


class Conversation:
    """Asks the model about one step, and carries out the tool calls it wants."""

    def __init__(self, run: Run, step: Step, observations: Sequence[Observation]) -> None:
        self.run = run
        self.step = step
        self._observations = observations
        self._marks = read_marks(step.instruction)[1]
        self._turns: list[Part] = []  # said in this visit
        self._used = 0  # tool calls
        self._faults = 0  # tool calls that failed

    @property
    def choices(self) -> str:
        return prompting.choices(self.step)

    @property
    def as_json(self) -> bool:
        """Whether a decision is asked for as JSON: always, but where a backend is known to promise nothing."""
        return self.run.llm.capabilities.schema not in ("prompt", "none")

    @property
    def by_choice(self) -> bool:
        """Whether a decision is answered with the name of a branch alone."""
        return not self._marks.reason and not self.run.toolbox.specs

    async def hold(self, constraint: Constraint | None = None) -> Completion:
        """Ask until the model answers instead of calling a tool.

        Args:
            constraint: what the answer must be. Not asked for while tools are offered: it would forbid to call them.
        Raises Stop.
        """
        while self._used < MAX_TOOL_CALLS:
            reply = await self._ask(constraint, tools=True)
            wanted = self._wanted(reply)
            if not wanted:
                return reply
            await self._carry_out(reply, wanted)
        self.run.warn(f"The step `{self.step.name}` called {self._used} tools, as many as a visit may.")
        self._turns.append(Part("retry", "user", self.run.fill("no-more-tools")))
        return await self._ask(constraint, tools=False)

    async def again(self, complaint: str, constraint: Constraint | None = None, said: str = "") -> Completion:
        """Ask once more, with what was wrong with the reply. No tools are offered."""
        if said:
            self._turns.append(Part("reply", "assistant", said))
        self._turns.append(Part("retry", "user", complaint))
        return await self._ask(constraint, tools=False, purpose="retry")

    def answer_in(self, reply: Completion) -> str:
        """The answer that a reply gives: without thinking, and out of its JSON where it may be JSON."""
        text = visible(reply.text)
        if not self._tools_as_json and (self.step.type != "decision" or self.by_choice):
            return text
        answer = json_field(text, "answer")
        if answer is None and json_field(text, "branch") is not None:
            return ""  # a choice without a reason
        return (text if answer is None else answer).strip()

    @property
    def _tools_as_json(self) -> bool:
        """Tools are described in the prompt and called by a structured reply."""
        known = self.run.llm.capabilities.tools is False or "tools" in self.run.refused
        return bool(self.run.toolbox.specs) and known

    async def _ask(self, constraint: Constraint | None, *, tools: bool, purpose: str = "step") -> Completion:
        specs = self.run.toolbox.specs if tools else ()
        natively = () if self._tools_as_json else specs
        asked = constraint
        if specs:
            asked = None if natively else JsonSchema(self._reply_schema(), "step")
        try:
            parts = self._parts(natively=bool(natively))
            return await self.run.ask(parts, purpose=purpose, constraint=asked, tools=natively)
        except Refused as refused:
            self.run.refused.add(refused.what)
            self.run.warn(f"The model takes no {refused.what}: they are described in the prompt instead.")
            return await self._ask(constraint, tools=tools, purpose=purpose)

    def _parts(self, *, natively: bool) -> list[Part]:
        """The whole prompt, the step last, and after it what was said in this visit.

        Where no tools are offered natively, native calls and results are told in words: endpoints refuse a chat that
        holds calls of tools they are not told of.
        """
        run = self.run
        specs = run.toolbox.specs
        if self._marks.sees is not None and not specs:
            head = bare.parts(
                run.fill, run.context.task, self.step, self._marks, run.state.answers(), shown=self._images(),
                as_json=self.as_json,
            )  # fmt: skip
            return [*head, *prompting.in_words(run.fill, self._turns)]
        head = prompting.prefix(
            run.fill, run.context.task, callable_tools=specs if self._tools_as_json else (),
            helpers=[spec.name for spec in specs], shown=self._images(),
        )  # fmt: skip
        done = prompting.progress(run.fill, run.state.answers()) + prompting.observed(run.fill, self._observations)
        step = prompting.instruction(
            run.fill, self.step, as_json=self.as_json, tools_as_json=self._tools_as_json,
            again=run.state.visited(self.step.name), choose=self.by_choice,
        )  # fmt: skip
        return [*head, *done, *step, *(self._turns if natively else prompting.in_words(run.fill, self._turns))]

    def _images(self) -> dict[str, Image]:
        if self.run.llm.capabilities.images is False or "images" in self.run.refused:
            return {}
        return self.run.images

    def _reply_schema(self) -> dict[str, Any]:
        """A tool call or an answer, as one JSON object."""
        names = [spec.name for spec in self.run.toolbox.specs]
        answer: dict[str, Any] = {"answer": {"type": "string"}}
        if self.step.type == "decision":
            answer["branch"] = {"type": "string", "enum": [branch.key for branch in self.step.branches]}
        call = {"tool": {"type": "string", "enum": names}, "arguments": {"type": "object"}}
        return {"anyOf": [_closed(call), _closed(answer)]}

    def _wanted(self, reply: Completion) -> tuple[ToolCall, ...]:
        if reply.tool_calls or not self._tools_as_json:
            return reply.tool_calls
        found = json_object(visible(reply.text)) or {}
        name, arguments = found.get("tool"), found.get("arguments", {})
        if not isinstance(name, str) or not name:
            return ()
        return (ToolCall(f"call-{self.run.visit_calls}", name, as_text(arguments)),)

    async def _carry_out(self, reply: Completion, wanted: Sequence[ToolCall]) -> None:
        """Carry out the calls of one reply. All are answered, also those beyond the limit: the protocol wants it."""
        self._turns.append(Part("reply", "assistant", reply.text, tool_calls=reply.tool_calls))
        for call in wanted:
            text = await self._result(call) if self._used < MAX_TOOL_CALLS else "Not carried out: too many calls."
            self._turns.append(Part("result", "tool", text, tool_call_id=call.id, tool=call.name))

    async def _result(self, call: ToolCall) -> str:
        """What the tool said, or what was wrong with the call. Raises Stop: too many of them failed."""
        run = self.run
        run.check_limits()
        self._used += 1
        run.emit("tool_call", call=run.visit_calls, id=call.id, name=call.name, arguments=_readable(call))
        began = run.clock()
        left = run.time_left()
        timeout_s = run.policy.tool_timeout_s if left is None else min(left, run.policy.tool_timeout_s)
        try:
            context = replace(run.context, made=tuple(run.state.pictures))
            outcome = await run.toolbox.call(call.name, call.arguments, context, timeout_s)
        except ToolError as error:
            run.emit("tool_result", id=call.id, name=call.name, ok=False, text=str(error),
                     seconds=run.clock() - began, observation=None)  # fmt: skip
            run.check_limits()
            self._count_fault(call.name, error)
            return str(error)
        kept = {"id": f"o{len(run.state.observations) + 1}", "description": self._described(call)}
        run.emit("tool_result", id=call.id, name=call.name, ok=True, text=outcome.text,
                 seconds=run.clock() - began, observation=kept, **outcome.more)  # fmt: skip
        return outcome.text

    def _count_fault(self, name: str, error: ToolError) -> None:
        self._faults += 1
        if self._faults > self.run.policy.max_tool_errors:
            raise Stop(
                "tool-error",
                f"At `{self.step.name}` {self._faults} tool calls failed, the last to `{name}`. {error.message}",
                error.hint or "The trace shows the calls: the tool, its arguments or the instruction is at fault.",
            ) from error

    def _described(self, call: ToolCall) -> str:
        """One line that says what was asked, for memory and for the list of observations."""
        arguments = " ".join(call.arguments.split())
        if len(arguments) > _DESCRIPTION_CHARACTERS:
            arguments = arguments[:_DESCRIPTION_CHARACTERS] + " ..."
        return f"{call.name} {arguments}".strip()


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _readable(call: ToolCall) -> Any:
    """The arguments as an object for the record, or as the text that came."""
    try:
        return read_arguments(call.name, call.arguments)
    except ToolError:
        return call.arguments
