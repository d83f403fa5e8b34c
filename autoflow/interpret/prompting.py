"""What a model is asked: parts that say where they came from, what never changes first, the step last."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autoflow import prompts
from autoflow.interpret.state import Answer, Observation
from autoflow.lang.marks import Marks, read_marks
from autoflow.lang.workflow import Step
from autoflow.llm.base import Image, Message, Role, ToolCall, ToolSpec
from autoflow.records import Json, Task, TaskInput

EVERYTHING = Marks()
_STEP = ("step", "instruction")
PLACEHOLDERS: dict[str, tuple[str, ...]] = {  # of each prompt file
    "role": (),
    "listed-tools": ("tools",),
    "callable-tools": ("tools",),
    "objective": ("objective",),
    "input": ("name", "content"),
    "progress": ("answers",),
    "observations": ("observations",),
    "process": _STEP,
    "terminal": _STEP,
    "again": (),
    "decision": (*_STEP, "choices"),
    "decision-plain": (*_STEP, "choices"),
    "decision-choice": (*_STEP, "choices"),
    "bare-task": ("objective",),
    "bare-results": ("answers",),
    "bare-step": ("instruction",),
    "bare-decision": ("instruction", "choices"),
    "step-with-tools": (*_STEP, "form"),
    "tool-result": ("tool", "result"),
    "no-more-tools": (),
    "retry-branch": ("choices",),
    "retry-empty": (),
    "memory-direct": ("objective", "instruction", "observations"),
    "memory-traverse": ("objective", "instruction", "observation"),
}
INPUT_CHARACTERS = 4_000  # a longer text input is shown by its beginning
BEGINNING_CHARACTERS = 1_000
PROGRESS_CHARACTERS = 6_000  # all answers shown together
LAST_ANSWER_CHARACTERS = 3_000
ANSWER_CHARACTERS = 800  # an earlier answer


class Prompts:
    """The prompt files of the interpreter as they were when the run began.

    Raises SettingsError: a file that a user put in place cannot be read, or holds a placeholder that means nothing.
    """

    def __init__(self) -> None:
        self._files = {name: prompts.load("interpret", name) for name in PLACEHOLDERS}
        for name, known in PLACEHOLDERS.items():
            self(name, **dict.fromkeys(known, ""))  # a fault is found now, not when a run has cost something

    def __call__(self, file: str, /, **values: str) -> str:
        return prompts.fill(self._files[file], **values)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt. Neighbours of role system or user become one message."""

    source: str
    role: Role
    text: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    tool: str = ""  # whose result this is

    def to_json(self) -> Json:
        return {"source": self.source, "role": self.role, "text": self.text}


def messages(parts: Iterable[Part]) -> list[Message]:
    """The chat that the parts make."""
    chat: list[Message] = []
    for part in parts:
        if chat and chat[-1].role == part.role and part.role in ("system", "user"):
            last = chat.pop()
            chat.append(Message(part.role, f"{last.content}\n\n{part.text}", images=last.images + part.images))
        else:
            chat.append(Message(part.role, part.text, part.tool_calls, part.tool_call_id, part.images))
    return chat


def prefix(fill: Prompts, task: Task, *, callable_tools: Sequence[ToolSpec], helpers: Sequence[str],
           shown: Mapping[str, Image]) -> list[Part]:  # fmt: skip
    """What stays the same through the run: role, tools, objective, inputs.

    Inputs are never put under the role system: what stands in a mail or a file is data, not an order.

    Args:
        callable_tools: described here only where the backend does not take them natively.
        helpers: names of all callable tools, so that inputs too long to show can say how to get at them.
        shown: the images that go with each step, by the name of their input.
    """
    parts = [Part("role", "system", fill("role"))]
    if task.listed_tools:
        parts.append(Part("tools", "system", fill("listed-tools", tools=", ".join(task.listed_tools))))
    if callable_tools:
        parts.append(Part("tools", "system", fill("callable-tools", tools="\n".join(map(_described, callable_tools)))))
    parts.append(Part("objective", "system", fill("objective", objective=task.objective)))
    return parts + inputs(fill, task, helpers, shown)


def inputs(fill: Prompts, task: Task, helpers: Sequence[str], shown: Mapping[str, Image]) -> list[Part]:
    """The inputs of the task, each under its name."""
    parts = []
    for item in task.inputs:
        text = fill("input", name=item.name, content=_content(item, helpers, item.name in shown))
        parts.append(Part("input", "user", text))
    if shown:
        names = ", ".join(f"`{name}`" for name in shown)
        parts.append(Part("input", "user", f"Pictures, in this order: {names}", images=tuple(shown.values())))
    return parts


def progress(fill: Prompts, answers: Iterable[Answer]) -> list[Part]:
    """The answers so far."""
    lines = progress_lines(answers, EVERYTHING)
    return [Part("progress", "user", fill("progress", answers="\n".join(lines)))] if lines else []


def progress_lines(answers: Iterable[Answer], marks: Marks) -> list[str]:
    """A line an answer, the most recent given first; returned in the order of the visits, within a limit."""
    lines: list[tuple[int, str]] = []
    room = PROGRESS_CHARACTERS
    for answer in _seen(answers, marks):
        told = _line(answer) if marks.shows("answers") else answer.text  # names would be taken for what was written
        line = _shortened(told, ANSWER_CHARACTERS if lines else LAST_ANSWER_CHARACTERS)
        room -= len(line)
        if room < 0:
            break
        lines.append((answer.visit, line))
    return [line for _, line in sorted(lines)]


def _seen(answers: Iterable[Answer], marks: Marks) -> Iterable[Answer]:
    """The answers that a step gets to see."""
    if marks.shows("answers"):
        return answers
    if marks.shows("results"):
        return (answer for answer in answers if answer.branch is None)
    return itertools.islice(answers, 1 if marks.shows("last") else 0)


def observed(fill: Prompts, observations: Sequence[Observation]) -> list[Part]:
    """The observations that a step is shown."""
    if not observations:
        return []
    lines = "\n".join(o.line for o in observations)
    return [Part("observations", "user", fill("observations", observations=lines))]


def instruction(
    fill: Prompts, step: Step, *, as_json: bool, tools_as_json: bool, again: bool, choose: bool
) -> list[Part]:
    """The step itself, last in the prompt.

    Args:
        as_json: a decision is to be answered as a JSON object (the backend can be asked for one).
        tools_as_json: tools are called by a structured reply, so everything is answered as one.
        again: the step was done before; said of a process, which would else repeat itself.
        choose: a decision is to be answered with the name of a branch alone.
    """
    repeated = [Part("step", "user", fill("again"))] if again and step.type == "process" else []
    values = {"step": step.name, "instruction": read_marks(step.instruction)[0]}
    if tools_as_json:
        text = fill("step-with-tools", **values, form=_form(step))
    elif step.type == "decision" and choose:
        text = fill("decision-choice", **values, choices=choices(step))
    elif step.type == "decision":
        text = fill("decision" if as_json else "decision-plain", **values, choices=choices(step))
    else:
        text = fill("terminal" if step.is_terminal else "process", **values)
    return [*repeated, Part("step", "user", text)]


def in_words(fill: Prompts, turns: Iterable[Part]) -> list[Part]:
    """Turns of a visit for a backend that is offered no tools: calls as JSON, results as messages of the user."""
    told = []
    for part in turns:
        if part.role == "tool":
            part = Part("result", "user", fill("tool-result", tool=part.tool, result=part.text))
        elif part.tool_calls:
            calls = "\n".join(json.dumps({"tool": c.name, "arguments": c.arguments}) for c in part.tool_calls)
            part = Part(part.source, part.role, f"{part.text}\n{calls}".strip())
        told.append(part)
    return told


def choices(step: Step, last: str = ", ") -> str:
    """The keys of a decision as a model is told them: `"Yes", "No"`; `last` stands before the last one."""
    *others, end = (json.dumps(branch.key, ensure_ascii=False) for branch in step.branches)
    return last.join([", ".join(others), end]) if others else end


def _form(step: Step) -> str:
    if step.type != "decision":
        return '{"answer": "<the result>"}'
    return f'{{"answer": "<reason, one sentence>", "branch": <one of {choices(step)}>}}'


def _described(tool: ToolSpec) -> str:
    return f"- {tool.name}: {tool.description} {json.dumps(dict(tool.parameters), ensure_ascii=False)}"


def _line(answer: Answer) -> str:
    if answer.branch is None:
        said_so = answer.text.startswith(f"{answer.step}:")  # small models like to repeat the name
        return answer.text if said_so else f"{answer.step}: {answer.text}"
    reason = f" ({answer.text})" if answer.text and answer.text != answer.branch else ""
    return f"{answer.step}: {answer.branch}{reason}"


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit].rstrip() + " ..."


def _content(item: TaskInput, helpers: Sequence[str], shown: bool) -> str:
    """What the prompt says of an input: a short text whole, of anything else its beginning or its name."""
    if item.kind == "text":
        if len(item.text) <= INPUT_CHARACTERS:
            return item.text
        cut = f"[the first {BEGINNING_CHARACTERS:,} of {len(item.text):,} characters{_way(helpers, 'lookup')}]"
        return f"{item.text[:BEGINNING_CHARACTERS]} {cut}"
    name = item.filename or item.name
    if item.kind == "image":
        return f"the picture {name}" + ("" if shown else ", which cannot be shown here")
    return f"the file {name}{_way(helpers, 'read_file')}"


def _way(helpers: Sequence[str], tool: str) -> str:
    return f"; see more with the tool {tool}" if tool in helpers else ""
