"""Operators that change one step. Those that need words ask the generator for them; the others only choose."""

from __future__ import annotations

from dataclasses import replace

from autoflow.lang.edit import EditResult, add_step, delete_step, update_step
from autoflow.lang.marks import Marks, read_marks, with_marks
from autoflow.lang.workflow import Branch, Step
from autoflow.optimize.operators.asking import ask, one_line
from autoflow.optimize.operators.base import Bench, Edit
from autoflow.optimize.telling import OBJECTIVE, cut, feedback
from autoflow.suites.base import asked

# What a step may get to see, as one choice. None: everything.
VIEWS: tuple[frozenset[str] | None, ...] = (
    None, frozenset({"task"}), frozenset({"task", "results"}), frozenset({"task", "answers"}), frozenset({"results"}),
    frozenset({"answers"}), frozenset({"last"}), frozenset({"task", "tools"}), frozenset(),
)  # fmt: skip


async def instruction(bench: Bench) -> Edit | None:
    """One step in other words."""
    index = _any_step(bench)
    step = bench.workflow.steps[index]
    found = await ask(bench, "instruction", ("instruction",), **await _about(bench, step))
    return None if found is None else _reworded(bench, index, found["instruction"])


async def split(bench: Bench) -> Edit | None:
    """A step that asks too much becomes two."""
    index = _any_step(bench, "process", "terminal")
    if index < 0:
        return None
    step = bench.workflow.steps[index]
    found = await ask(bench, "split", ("first", "second"), **await _about(bench, step))
    if found is None:
        return None
    text, before = bench.parent.text, _before(bench, index)
    changed = _reworded(bench, index, found["second"])
    if changed is None:
        return None
    if index == 0:
        new = Step("", "process", found["first"], (Branch("next", step.name),))
        return _done(text, add_step(changed.text, -1, new), f"Split `{step.name}` in two.")
    if before is None:
        return None
    return _done(text, add_step(changed.text, before, Step("", "process", found["first"])), f"Split `{step.name}`.")


async def decide(bench: Bench) -> Edit | None:
    """A step is done only where a yes/no question says that it is needed."""
    index = _any_step(bench, "process")
    if index < 0:
        return None
    step = bench.workflow.steps[index]
    found = await ask(bench, "decide", ("question",), **await _about(bench, step))
    if found is None or not step.branches:
        return None
    question = with_marks(found["question"], Marks(frozenset({"task"}), reason=False))
    branches = (Branch("yes", step.name), Branch("no", step.branches[0].target))
    new = Step(_fresh(bench, f"Need of {step.name}"), "decision", question, branches)
    text = _retargeted(bench.parent.text, step.name, new.name)
    return _done(bench.parent.text, add_step(text, index - 1, new), f"Ask before `{step.name}`.")


async def see(bench: Bench) -> Edit | None:
    """A step gets to see something else."""
    index = _any_step(bench)
    step = bench.workflow.steps[index]
    text, marks = read_marks(step.instruction)
    views = [v for v in VIEWS if v != marks.sees and ("tools" not in (v or ()) or bench.shop.suite.vocabulary)]
    sees = bench.chance.choice(views)
    shown = "everything" if sees is None else ", ".join(sorted(sees)) or "nothing"
    changed = replace(step, instruction=with_marks(text, replace(marks, sees=sees)))
    return _done(bench.parent.text, update_step(bench.parent.text, index, changed), f"`{step.name}` sees {shown}.")


async def reason(bench: Bench) -> Edit | None:
    """A decision gives a reason first, or no more."""
    index = _any_step(bench, "decision")
    if index < 0:
        return None
    step = bench.workflow.steps[index]
    text, marks = read_marks(step.instruction)
    changed = replace(step, instruction=with_marks(text, replace(marks, reason=not marks.reason)))
    note = f"`{step.name}` decides {'without' if marks.reason else 'with'} a reason."
    return _done(bench.parent.text, update_step(bench.parent.text, index, changed), note)


async def drop(bench: Bench) -> Edit | None:
    """A step less."""
    index = _any_step(bench, "process", "decision")
    if index < 0 or len(bench.workflow.steps) < 2:
        return None
    name = bench.workflow.steps[index].name
    return _done(bench.parent.text, delete_step(bench.parent.text, index), f"Dropped `{name}`.")


async def move(bench: Bench) -> Edit | None:
    """Two neighbours on a straight stretch change places."""
    steps = bench.workflow.steps
    pairs = [n for n in range(len(steps) - 1) if _straight(bench, n)]
    if not pairs:
        return None
    index = bench.chance.choice(pairs)
    first, second = steps[index], steps[index + 1]
    text = bench.parent.text
    for at, step in ((index, second), (index + 1, first)):  # instructions change places: names and branches stay
        text = update_step(text, at, replace(steps[at], instruction=step.instruction)).text
    return _done(bench.parent.text, EditResult(text), f"`{first.name}` and `{second.name}` changed places.")


async def example(bench: Bench) -> Edit | None:
    """A train task with its right answer is shown to the step that answers."""
    shop, index = bench.shop, _any_step(bench, "terminal")
    told = [t for t in shop.suite.tasks("train") if shop.suite.expected(t)]
    if index < 0 or not told:
        return None
    task = bench.chance.choice(told)
    step = bench.workflow.steps[index]
    text, marks = read_marks(step.instruction)
    shown = one_line(f"{cut(asked(task), OBJECTIVE)} -> {cut(shop.suite.expected(task), OBJECTIVE)}")
    changed = replace(step, instruction=with_marks(f"{text} Example: {shown}", marks))
    return _done(bench.parent.text, update_step(bench.parent.text, index, changed), f"An example at `{step.name}`.")


async def _about(bench: Bench, step: Step) -> dict[str, str]:
    told = await feedback(bench.shop, bench.parent.number, bench.options.worst)
    return {"instruction": read_marks(step.instruction)[0], "feedback": told}


def _reworded(bench: Bench, index: int, words: str) -> Edit | None:
    """With another instruction; its marks stay."""
    step = bench.workflow.steps[index]
    changed = replace(step, instruction=with_marks(words, read_marks(step.instruction)[1]))
    return _done(bench.parent.text, update_step(bench.parent.text, index, changed), f"Reworded `{step.name}`.")


def _any_step(bench: Bench, *types: str) -> int:
    """A step of these types (none: of any), by chance; -1 where there is none."""
    found = [n for n, step in enumerate(bench.workflow.steps) if not types or step.type in types]
    return bench.chance.choice(found) if found else -1


def _before(bench: Bench, index: int) -> int | None:
    """A step that leads to this one on the next line."""
    steps = bench.workflow.steps
    leads = index > 0 and any(bench.workflow.find(b.target) == steps[index] for b in steps[index - 1].branches)
    return index - 1 if leads else None


def _straight(bench: Bench, index: int) -> bool:
    """Whether two processes follow each other."""
    first, second = bench.workflow.steps[index : index + 2]
    leads = [bench.workflow.find(b.target) for b in first.branches]
    return first.type == second.type == "process" and leads == [second] and first.instruction != second.instruction


def _retargeted(text: str, name: str, to: str) -> str:
    """What led to one step leads to another."""
    from autoflow.lang.edit_page import open_page

    page = open_page(text)
    page.retarget(name, to)
    return page.text


def _fresh(bench: Bench, name: str) -> str:
    """A name that no step has."""
    names = [name, *(f"{name} {n}" for n in range(2, len(bench.workflow.steps) + 3))]
    return next(n for n in names if bench.workflow.find(n) is None)


def _done(before: str, result: EditResult, note: str) -> Edit | None:
    return Edit(result.text, note) if result.ok and result.text != before else None
