"""Answers that wait for a person: shown blind, one at a time, in an order of chance, rated by keys or buttons.

Where a model judges, a person may rate some of its answers as well, to see whether the judge can be relied on.
"""

from __future__ import annotations

from hashlib import blake2b

import streamlit as st

from autoflow.optimize.view import StudyView
from autoflow.records import Job
from autoflow.study import Outcome, Rating
from pages.ui import services
from pages.ui.format import plural
from pages.ui.optimize import loaded, tasks
from pages.ui.plain import cut

GRADES = {1: "no use", 2: "poor", 3: "fair", 4: "good", 5: "as good as can be"}
Answer = tuple[int, str, int]  # candidate, task, repeat
_LAST = "optimize-rated"  # the answers rated in this tab, the latest last
_AGAIN = "optimize-rate-again"  # the one to show once more
_SHOWN = "optimize-rate-shown"  # the one that is shown and waits for its grade
_CHECKING = "optimize-check-judge"  # the study whose judge is checked in this tab
CHECKED = 12  # answers by which a judge is checked


def draw(view: StudyView, job: Job | None) -> None:
    """Nothing where no answer waits, none is to be looked at again, and no judge is to be checked."""
    waiting = queue(view)
    if not waiting and _again(view) is None and not _rated_here(view):
        _offer(view)
        return
    st.fragment(_panel)(view.study.id, bool(waiting))  # by itself: the rest of the page would slow the rater down
    if not view.pending():
        _go_on(job)


def _panel(study_id: str, waited: bool) -> None:
    """Args: waited: whether anything waited when the page was drawn; after the last one all of it is drawn anew."""
    view = loaded.load(study_id)
    waiting, again = queue(view), _again(view)
    if waited and not waiting and again is None:
        st.rerun()
    with st.container(border=True, key="study-rating"):
        st.header("Answers to rate")
        _progress(view, waiting)
        outcome = again or (waiting[0] if waiting else None)
        st.session_state[_SHOWN] = None if outcome is None else (study_id, _which(outcome))
        if outcome is not None:
            _answer(view, outcome)
            _grades(view, outcome)
        _undo(view, again is not None)


def queue(view: StudyView) -> list[Outcome]:
    """Those that wait, in an order that tells nothing of their candidates and stays while others come."""
    waiting = view.pending()
    if not waiting and st.session_state.get(_CHECKING) == view.study.id:
        waiting = judged(view)
    return _mixed(view, waiting)


def judged(view: StudyView) -> list[Outcome]:
    """A few answers that the judge scored, by which it is checked, without those that were rated already."""
    chosen = _mixed(view, [o for o in view.all_outcomes() if o.judge.calls and o.answer and not o.error])[:CHECKED]
    rated = _rated(view)
    return [o for o in chosen if _which(o) not in rated]


def _mixed(view: StudyView, outcomes: list[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda one: _place(view, one))


def _place(view: StudyView, one: Outcome) -> bytes:
    """By chance, and always the same."""
    told = f"{view.study.spec.seed} {one.task} {one.repeat} {one.candidate}"
    return blake2b(told.encode(), digest_size=8).digest()


def _offer(view: StudyView) -> None:
    """A check of the judge, where there is one and it was not checked yet."""
    left = judged(view)
    if left:
        with st.container(horizontal=True, vertical_alignment="center", key="study-check-judge"):
            words = f"Rate {plural(len(left), 'answer')} yourself, to see whether the judge can be relied on."
            st.text(words, width="stretch")
            st.button("Check the judge", icon=":material/gavel:", key="check-judge", on_click=_check, args=(view,))


def _check(view: StudyView) -> None:
    st.session_state[_CHECKING] = view.study.id


def _rated(view: StudyView) -> set[Answer]:
    return {(r.candidate, r.task, r.repeat) for r in services.store().ratings(view.study.id)}


def _go_on(job: Job | None) -> None:
    """The search waits, paused, until all is rated."""
    if job is not None and job.state == "paused":
        st.button(
            "Go on with the search", type="primary", icon=":material/play_arrow:", key="rated-go-on",
            on_click=services.request_job, args=(job.id, "resume"),
        )  # fmt: skip


def _progress(view: StudyView, waiting: list[Outcome]) -> None:
    done = len(_rated(view))
    total = done + len(waiting)
    st.progress(done / total if total else 1.0, text=f"{done} of {total} rated")
    if waiting:
        st.caption("Which candidate gave an answer is not shown. Press 1 to 5, or a button.")
    else:
        st.text("All answers there are were rated. More may come while the search goes on.")


def _answer(view: StudyView, outcome: Outcome) -> None:
    task = tasks.tasks_of(view.study).get(outcome.task)
    st.caption("What was asked")
    st.text(task.task.objective if task else outcome.task)
    for given in task.task.inputs if task else ():
        st.caption(f"Input: {cut(given.name, 60)}")
        st.code(given.text or given.filename or "", language=None, wrap_lines=True)
    if outcome.expected:
        st.caption("What is expected")
        st.code(outcome.expected, language=None, wrap_lines=True)
    st.caption("The answer")
    st.code(outcome.answer or "(nothing)", language=None, wrap_lines=True)


def _grades(view: StudyView, outcome: Outcome) -> None:
    """Their keys name the answer: a press that comes late grades no other one."""
    mark = _place(view, outcome).hex()
    with st.container(horizontal=True, vertical_alignment="center", key="rating-grades"):
        for grade, words in GRADES.items():
            st.button(
                words.capitalize(), key=f"rate-{grade}-{mark}", shortcut=str(grade), on_click=_rate,
                args=(view.study.id, outcome, grade),
            )  # fmt: skip


@services.said
def _rate(study_id: str, outcome: Outcome, grade: int) -> None:
    """Grades what is shown, once: while the page is drawn anew, the buttons of the last answer hear keys too."""
    this = (study_id, _which(outcome))
    if st.session_state.get(_SHOWN) != this:
        return
    value = (grade - 1) / (len(GRADES) - 1)
    rating = Rating(candidate=outcome.candidate, task=outcome.task, repeat=outcome.repeat, value=value, rater="person")
    services.store().rate(study_id, rating)  # where that fails, the same answer stays to be graded
    st.session_state[_SHOWN] = None
    st.session_state.pop(_AGAIN, None)
    loaded.forget()  # what was read before has another score now
    st.session_state.setdefault(_LAST, []).append(this)


def _which(outcome: Outcome) -> Answer:
    return outcome.candidate, outcome.task, outcome.repeat


def _rated_here(view: StudyView) -> list[Answer]:
    """What this tab rated of the study, the latest last."""
    return [answer for study_id, answer in st.session_state.get(_LAST, ()) if study_id == view.study.id]


def _again(view: StudyView) -> Outcome | None:
    asked = st.session_state.get(_AGAIN)
    return view.outcome(*asked[1]) if asked and asked[0] == view.study.id else None


def _undo(view: StudyView, looking_again: bool) -> None:
    earlier = _rated_here(view)
    if not earlier or looking_again:
        if looking_again:
            st.caption("You rated this one before; a new grade takes the place of the old one.")
        return
    st.button(
        "Undo the last", icon=":material/undo:", type="tertiary", key="rate-undo", on_click=_undo_last,
        args=(view.study.id, earlier[-1]),
    )  # fmt: skip


def _undo_last(study_id: str, answer: Answer) -> None:
    """Show it once more; its grade stands until another one is given. A second click of the same button is none."""
    if (study_id, answer) not in st.session_state[_LAST]:
        return
    st.session_state[_LAST].remove((study_id, answer))
    st.session_state[_AGAIN] = (study_id, answer)
