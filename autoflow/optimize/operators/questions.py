"""Workflows of one question a part: does the task need it, yes or no; where it does, its name is written down.

For suites whose right answers are lists of known words (`Suite.vocabulary`): a small model that fails to write such a
list at once answers single questions well, when it sees nothing else. In the text:

    Ask Image Denoising:::decision:::Does the task say noisy? [sees: task] [no reason]:::yes::Image Denoising::no::...
    Image Denoising:::process:::Reply with exactly these words: Image Denoising [sees: nothing]:::next::...
    Answer:::terminal:::Repeat the list. [sees: results]:::

Where one question says yes too often, a second one in other words is asked after it, and both must say yes:

    Ask Fill Mask:::decision:::Does the task say clozed? [sees: task] [no reason]:::Yes::Make sure of Fill Mask::No::...
    Make sure of Fill Mask:::decision:::Does the task mention clozed? [sees: task] [no reason]:::yes::Fill Mask::no::...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from autoflow.lang import format_workflow
from autoflow.lang.marks import Marks, read_marks, with_marks
from autoflow.lang.workflow import Branch, Step, Workflow, fold

WRITE = "Reply with exactly these words: "
SEES_TASK = Marks(frozenset({"task"}), reason=False)
SEES_NOTHING = Marks(frozenset())
SEES_RESULTS = Marks(frozenset({"results"}))
ANSWER = "Answer"


@dataclass(frozen=True, slots=True)
class Question:
    """One part, and how it is asked for."""

    part: str  # a word of the vocabulary
    words: str  # the question
    yes: str = "yes"  # the keys of its branches
    no: str = "no"
    cue: str = field(default="", compare=False)  # the words of a task that it asks for, where they are known
    also: Question | None = None  # must say yes as well

    @property
    def step(self) -> Step:
        """The decision alone, to try it out; its targets are filled in by `compiled`."""
        branches = (Branch(self.yes, self.part), Branch(self.no, ANSWER))
        return Step(f"Ask {self.part}", "decision", with_marks(self.words, SEES_TASK), branches)

    def steps(self, after: str) -> list[Step]:
        """Its decisions, and the step that writes the part down; all lead to the step `after`."""
        written = Step(
            self.part, "process", with_marks(WRITE + self.part, SEES_NOTHING), (Branch("next", after),)
        )  # fmt: skip
        first = replace(self.step, branches=(Branch(self.yes, self.part), Branch(self.no, after)))
        if self.also is None:
            return [first, written]
        name = f"Make sure of {self.part}"
        second = replace(
            self.also.step, name=name, branches=(Branch(self.also.yes, self.part), Branch(self.also.no, after))
        )
        return [replace(first, branches=(Branch(self.yes, name), first.branches[1])), second, written]


def compiled(questions: Sequence[Question], ending: str) -> str:
    """The text of a workflow that asks them one after the other; `ending` is the instruction of its terminal."""
    steps: list[Step] = []
    for n, question in enumerate(questions):
        after = questions[n + 1].step.name if n + 1 < len(questions) else ANSWER
        steps += question.steps(after)
    steps.append(terminal(ending))
    return format_workflow(Workflow(tuple(steps)))


def terminal(ending: str) -> Step:
    return Step(ANSWER, "terminal", with_marks(ending, SEES_RESULTS))


def read_questions(workflow: Workflow, vocabulary: Sequence[str]) -> tuple[tuple[Question, ...], str] | None:
    """The questions and the ending of a workflow that is of this kind; None for another."""
    known = {fold(word): word for word in vocabulary}
    decisions = [step for step in workflow.steps if step.type == "decision" and len(step.branches) == 2]
    before = {fold(step.branches[0].target): step for step in decisions}
    found: list[Question] = []
    for step in decisions:
        part = known.get(fold(step.branches[0].target))
        if part is not None:
            last, first = _question(part, step), before.get(fold(step.name))
            found.append(last if first is None else replace(_question(part, first), also=last))
    endings = [step for step in workflow.steps if step.is_terminal]
    if not found or len(endings) != 1:
        return None
    ending = read_marks(endings[0].instruction)[0]
    return tuple(found), ending


def _question(part: str, step: Step) -> Question:
    return Question(part, read_marks(step.instruction)[0], step.branches[0].key, step.branches[1].key)
