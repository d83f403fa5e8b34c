"""What came of a study: the best on the sealed test set against the manual workflow and the plain prompt."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.view import StudyView
from autoflow.statistics import Comparison, Interval, bootstrap, compare, verdict
from autoflow.study import Candidate
from pages.ui import services
from pages.ui.format import plural
from pages.ui.optimize.figures import number
from pages.ui.plain import plain


def draw(view: StudyView) -> None:
    """Nothing before the test set was opened."""
    best = view.study.best
    if best is None or not view.study.test_uses:
        return
    chosen = view.candidates[best]
    scores = view.task_scores(best, "test")
    if not scores:
        return
    with st.container(border=True, key="study-test"):
        st.header("On the sealed test set")
        for name, other in _others(view, best):
            against = view.task_scores(other.number, "test")
            if against:
                told = verdict(_compared(against, scores, view.study.spec.seed), name, f"Candidate {best}")
                st.text(f"Against {name[0].lower()}{name[1:]}: {told}")
        _table(view, chosen)
        st.caption(_opened(view.study.test_uses, len(scores)))
        _compare_link(view, best)


def _others(view: StudyView, best: int) -> list[tuple[str, Candidate]]:
    named = (("The manual workflow", view.manual), ("The plain prompt", view.plain))
    return [(name, one) for name, one in named if one is not None and one.number != best]


def _opened(uses: int, count: int) -> str:
    """The set was scored at the end and chose nothing, which is what makes these figures worth something."""
    times = "once" if uses == 1 else f"{uses} times"
    return f"The set of {plural(count, 'task')} was opened {times}, after the search: nothing was chosen by it."


def _table(view: StudyView, chosen: Candidate) -> None:
    shown = [(f"Candidate {chosen.number} (found)", chosen), *_others(view, chosen.number)]
    if chosen in (view.manual, view.plain):
        shown[0] = (f"Candidate {chosen.number} ({chosen.operator})", chosen)
    rows = []
    for name, one in shown:
        scores = view.task_scores(one.number, "test")
        if scores:
            found = _interval(tuple(scores.values()), view.study.spec.seed)
            val = number(view.score(one.number, "val"))
            rows.append((plain(name), number(found.mean), f"{number(found.low)} to {number(found.high)}", val))
    names, means, intervals, vals = zip(*rows, strict=True)
    st.table({"Workflow": names, "Test": means, "95 % interval": intervals, "Validation": vals}, border="horizontal")


@st.cache_data(max_entries=500, show_spinner=False)
def _interval(scores: tuple[float, ...], seed: int) -> Interval:
    return bootstrap(scores, seed=seed)


@st.cache_data(max_entries=500, show_spinner=False)
def _compared(a: dict[str, float], b: dict[str, float], seed: int) -> Comparison:
    return compare(a, b, seed=seed)


def _compare_link(view: StudyView, best: int) -> None:
    base = view.manual or view.plain
    if base is None or base.number == best or "compare" not in services.PAGES:
        return
    st.page_link(
        services.PAGES["compare"],
        label=f"Compare candidate {best} with the {base.operator}",
        icon=":material/compare:",
        query_params={"study": view.study.id, "a": str(base.number), "b": str(best)},
    )
