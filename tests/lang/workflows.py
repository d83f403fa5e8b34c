"""Workflows for property tests: well-formed ones, and steps with anything in them."""

from __future__ import annotations

from hypothesis import strategies as st

from autoflow.lang.workflow import STEP_TYPES, Branch, Comment, Step, Workflow

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)
PHRASES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
ANYTHING = st.text(max_size=12) | st.sampled_from(["", ":", "::", ":::", "a\nb", "#x", "<b>", '"', "next", "Step 1"])


@st.composite
def sound(draw: st.DrawFn, most: int = 8) -> Workflow:
    """A workflow whose lines are without fault; every target is a step, and the last step is the terminal."""
    count = draw(st.integers(1, most))
    names = [f"{draw(st.sampled_from(['Step', 'Read', 'étape', '段']))} {k}" for k in range(1, count + 1)]
    steps = []
    for k, name in enumerate(names):
        kind = "terminal" if k == count - 1 else draw(st.sampled_from(["process", "process", "decision"]))
        ahead, anywhere = names[k + 1] if k + 1 < count else "", st.sampled_from(names)
        branches = {
            "terminal": (),
            "process": (Branch("next", ahead),),
            "decision": (Branch("yes", ahead), Branch("no", draw(anywhere))),
        }[kind]
        steps.append(Step(name, kind, draw(PHRASES), branches))
    lines = PHRASES.map("# {}".format) | st.just("")
    comments = draw(st.lists(st.builds(Comment, lines, st.integers(0, count)), max_size=3))
    return Workflow(tuple(steps), tuple(sorted(comments, key=lambda c: c.before)))


def broken(most: int = 6) -> st.SearchStrategy[Workflow]:
    """Steps that may break every rule."""
    branches = st.lists(st.builds(Branch, ANYTHING, ANYTHING), max_size=3).map(tuple)
    steps = st.builds(Step, ANYTHING, st.sampled_from(STEP_TYPES) | ANYTHING, ANYTHING, branches)
    return st.lists(steps, max_size=most).map(lambda found: Workflow(tuple(found)))
