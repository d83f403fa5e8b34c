"""What a generator is told of a study: tasks, rewards, what was tried, and what each step did where it failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoflow.interpret.trace import StepView, views
from autoflow.optimize.base import Workshop
from autoflow.optimize.view import StudyView
from autoflow.study import Candidate, Outcome
from autoflow.suites.base import SuiteTask, asked

OBJECTIVE, ANSWER = 300, 160  # characters that are shown of each
STEPS_SHOWN = 12  # visits of a run
WORKFLOW = 1_500  # characters of an earlier workflow


def cut(text: str, limit: int) -> str:
    """On one line, and no longer than this."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 4].rstrip() + " ..."


def examples(shop: Workshop, count: int, *, answers: bool = True) -> str:
    """The first train tasks, with what would be right."""
    return "\n".join(example(shop, task, answers=answers) for task in shop.suite.tasks("train")[:count])


def example(shop: Workshop, task: SuiteTask, *, answers: bool = True) -> str:
    """One train task, with what would be right."""
    right = shop.suite.expected(task) if answers else ""
    return f"- {cut(asked(task), OBJECTIVE)}" + (f"\n  Right: {cut(right, ANSWER)}" if right else "")


def words(shop: Workshop) -> str:
    return ", ".join(shop.suite.vocabulary) or "any"


def told_reward(view: StudyView, candidate: int) -> str:
    """Its reward on validation where it was run there, else on train; in words where it was run nowhere."""
    for split in ("val", "train"):
        found = view.reward(candidate, split)
        if found is not None:
            return f"{found:.2f}"
    return "not measured"


def history(view: StudyView, count: int, leave_out: int) -> str:
    """A bounded choice of earlier candidates: the best, the latest, and one that cannot run, with their rewards."""
    measured = [c for c in view.measured("val") if c.number != leave_out]
    latest = [c for c in reversed(view.candidates) if c.number != leave_out and not c.error]
    failed = [c for c in reversed(view.candidates) if c.error]
    chosen: dict[int, Candidate] = {}
    for group, share in ((measured, (count + 1) // 2), (failed, 1 if count > 2 else 0), (latest, count)):
        for c in group[:share]:
            if len(chosen) < count:
                chosen.setdefault(c.number, c)
    return "\n\n".join(_earlier(view, c) for c in sorted(chosen.values(), key=lambda c: c.number)) or "nothing yet"


def _earlier(view: StudyView, candidate: Candidate) -> str:
    error = f", cannot run: {candidate.error}" if candidate.error else ""
    text = candidate.text.strip()
    shown = text if len(text) <= WORKFLOW else text[:WORKFLOW] + " ..."
    return f"Reward {told_reward(view, candidate.number)}{error}:\n{shown}"


async def feedback(shop: Workshop, candidate: int, count: int) -> str:
    """The worst train tasks of a candidate: what was right, what it answered, and what each step did."""
    found = worst(shop.view.outcomes(candidate, "train"), count)
    told = [await _told(shop, outcome) for outcome in found]
    return "\n".join(told) or "Nothing went wrong on the tasks that it was tried on."


def worst(outcomes: Iterable[Outcome], count: int) -> list[Outcome]:
    """Those that scored least, and less than 1."""
    return sorted((o for o in outcomes if o.score < 1), key=lambda o: (o.score, o.task, o.repeat))[:count]


async def _told(shop: Workshop, outcome: Outcome) -> str:
    task = next(t for t in shop.suite.tasks("train") if t.id == outcome.task)
    right = outcome.expected or shop.suite.expected(task)  # a suite may say more of one answer than of its task
    lines = [f"- Task: {cut(asked(task), OBJECTIVE)}", f"  Right: {cut(right, ANSWER)}"]
    lines.append(f"  Answer: {cut(outcome.answer, ANSWER) or 'none'}, score {outcome.score:.2f}")
    if outcome.error:
        lines.append(f"  It failed: {cut(outcome.error, ANSWER)}")
    events = await shop.traces(outcome.candidate, outcome.task, outcome.repeat)
    return "\n".join([*lines, *step_lines(views(events))])


def step_lines(steps: Sequence[StepView]) -> list[str]:
    """A line a visit: what it answered, and which branch it took."""
    lines = [
        f"  {s.step}: {cut(s.answer, ANSWER)}" + (f" -> {s.branch}" if s.type == "decision" else "") for s in steps
    ]
    return lines if len(lines) <= STEPS_SHOWN else [*lines[:STEPS_SHOWN], f"  and {len(lines) - STEPS_SHOWN} more"]
