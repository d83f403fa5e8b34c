"""The prompt of a step that says what it gets to see: that, the instruction, and not a word more.

A small model that is told of roles, steps and workflows answers questions about a task much worse: the same yes/no
question was right in 43 of 84 cases inside the long prompt and in 99 of 110 inside this one (docs/decisions/0008).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from autoflow.interpret import prompting
from autoflow.interpret.prompting import Part, Prompts
from autoflow.interpret.state import Answer
from autoflow.lang.marks import Marks, read_marks
from autoflow.lang.workflow import Step
from autoflow.llm.base import Image
from autoflow.records import Task


def parts(
    fill: Prompts, task: Task, step: Step, marks: Marks, answers: Iterable[Answer], *, shown: Mapping[str, Image],
    as_json: bool,
) -> list[Part]:  # fmt: skip
    """The whole prompt, as one message: tools, task and inputs, answers, instruction, as far as the marks let them in.

    Args:
        shown: images that the model can look at, by the name of their input.
        as_json: a decision that gives its reason is asked for as JSON.
    """
    found: list[Part] = []
    if task.listed_tools and marks.shows("tools"):
        found.append(Part("tools", "user", fill("listed-tools", tools=", ".join(task.listed_tools))))
    if marks.shows("task"):
        found.append(Part("objective", "user", fill("bare-task", objective=task.objective)))
        found += prompting.inputs(fill, task, (), shown)
    said = prompting.progress_lines(answers, marks)
    if said:
        lines = "\n".join(f"- {line}" for line in said)  # bare lines are taken for orders: "Fill Mask" was obeyed
        found.append(Part("progress", "user", fill("bare-results", answers=lines)))
    return [*found, Part("step", "user", _instruction(fill, step, marks, as_json=as_json))]


def _instruction(fill: Prompts, step: Step, marks: Marks, *, as_json: bool) -> str:
    words = read_marks(step.instruction)[0]
    if step.type != "decision":
        return fill("bare-step", instruction=words)
    if marks.reason:
        name = "decision" if as_json else "decision-plain"
        return fill(name, step=step.name, instruction=words, choices=prompting.choices(step))
    return fill("bare-decision", instruction=words, choices=prompting.choices(step, last=" or "))
