"""Writing CoRE: the canonical text of a workflow."""

from __future__ import annotations

from collections.abc import Iterator

from autoflow.lang.lines import CONTROL
from autoflow.lang.page import step_fields
from autoflow.lang.workflow import STEP_TYPES, Branch, Comment, Step, Workflow, fold, is_next


def format_workflow(workflow: Workflow) -> str:
    r"""The canonical text: see `canonical` for the fields; no space around separators, `\n` ends each line.

    Never raises. For a workflow without errors `parse(format_workflow(w)).workflow == canonical(w)`, and a workflow
    that came from `parse` is canonical. One with errors is written as far as it goes.
    """
    return "".join(line + "\n" for line in _lines(canonical(workflow)))


def format_step(step: Step) -> str:
    """The line of one step, as it is."""
    return f"{step.name}:::{step.type}:::{step.instruction}:::" + "::".join(map(format_branch, step.branches))


def format_branch(branch: Branch) -> str:
    """`key::target`; a branch without a key is its target alone, which the reader takes for the same fault."""
    return f"{branch.key}::{branch.target}" if branch.key else branch.target


def _lines(workflow: Workflow) -> Iterator[str]:
    comments = iter(workflow.comments)
    comment = next(comments, None)
    for position, step in enumerate(workflow.steps):
        while comment and comment.before <= position:
            yield comment.text
            comment = next(comments, None)
        yield format_step(step)
    while comment:
        yield comment.text
        comment = next(comments, None)


def canonical(workflow: Workflow) -> Workflow:
    """The same workflow as `parse` would give it: what JSON, forms and code bring in goes through this.

    Types and `next` in lower case, targets spelt as the step's name, one space for runs of white space and for line
    breaks and control characters; comments in order, each on one line that cannot be taken for a step.
    """
    names = {position: one_line(workflow.steps[position].name) for position in workflow.index.values()}
    steps = tuple(_step(step, workflow, names) for step in workflow.steps)
    comments = sorted((_comment(comment, len(steps)) for comment in workflow.comments), key=lambda c: c.before)
    return Workflow(steps, tuple(comments))


def one_line(text: str) -> str:
    """The text with one space for each run of white space, line breaks and control characters."""
    return " ".join(CONTROL.sub(" ", text).split())


def _step(step: Step, workflow: Workflow, names: dict[int, str]) -> Step:
    kind = fold(step.type)
    branches = []
    for branch in step.branches:
        key, target = one_line(branch.key), one_line(branch.target)
        position = workflow.index.get(fold(target)) if target else None
        key = "next" if kind == "process" and is_next(key) else key
        branches.append(Branch(key, target if position is None else names[position]))
    word = kind if kind in STEP_TYPES else one_line(step.type)
    return Step(one_line(step.name), word, one_line(step.instruction), tuple(branches), step.line)


def _comment(comment: Comment, steps: int) -> Comment:
    text = CONTROL.sub(" ", comment.text.replace("\n", " ")).rstrip()
    if len(step_fields(text)) > 2:
        text = f"# {text}"
    return Comment(text, min(max(comment.before, 0), steps))
