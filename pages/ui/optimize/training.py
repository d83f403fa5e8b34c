"""A training while it goes on, and afterwards: what samples earn, how far they get, and their texts to read."""

from __future__ import annotations

import streamlit as st

from autoflow.optimize.training_view import TrainingPoint, best_step, signs
from autoflow.optimize.view import StudyView
from autoflow.report.figures import percent
from autoflow.settings import settings
from autoflow.study import Study
from autoflow.train.folders import disk_use
from pages.ui.components.curves import Axes, curves
from pages.ui.components.tiles import tiles
from pages.ui.format import plural, size
from pages.ui.optimize import loaded, samples, trained, training_figures
from pages.ui.optimize.figures import number
from pages.ui.optimize.trained import Trained

REFRESH_S = 2.0
HEIGHT = 340  # pixels of a chart


def draw(view: StudyView, running: bool) -> None:
    """Nothing of a study that trains nothing."""
    if view.study.spec.method != "lora":
        return
    st.header("Training")
    st.fragment(_training, run_every=REFRESH_S if running else None)(view.study.id)


def _training(study_id: str) -> None:
    study, found = loaded.load(study_id).study, trained.load(study_id)
    if not found.points:
        st.text("The curves begin with the first step: the model is loaded, and draws its first samples.")
        return
    _warned(study, found)
    _standing(study, found.points)
    _charts(found)
    with st.expander("More figures", icon=":material/monitoring:", key="training-more"):
        shown = found.once("tiles", None, lambda: training_figures.tiles(found.points))
        step = trained.chosen(found).step
        tiles(shown, key=f"tiles-{study_id}", label="Figures of the training", selected=step)
    samples.draw(found)


def _warned(study: Study, found: Trained) -> None:
    """Why it ended before its time, or what goes wrong while it goes on."""
    ending = found.points[-1].ending
    shown = [] if study.stop else found.once("signs", None, lambda: signs(found.points))
    said = [(sign.title, sign.message) for sign in shown]
    if ending:
        said = [(f"The training ended early, with step {found.points[-1].step}", ending)]
    if said:
        with st.container(border=True, key="training-warnings", gap="small"):
            for title, message in said:
                st.markdown(f":material/warning: **{title}**")
                st.text(message)


def _standing(study: Study, points: list[TrainingPoint]) -> None:
    """The last step in five figures, each with how far it came since the first."""
    first, last = points[0], points[-1]
    with st.container(horizontal=True, key="training-standing"):
        gained = last.figures.reward_mean - first.figures.reward_mean
        _metric(
            "Mean reward", number(last.figures.reward_mean), number(gained), "Of the samples of the last step.", last
        )
        for name, words, now, then in (
            ("Without errors", "Share of samples that parse and pass the checker.", last.sound, first.sound),
            ("Count", "Share that has no errors and is more than a copy of the example.", last.counts, first.counts),
            ("Run to an end", "Share that comes to a usable answer, over its runs.", last.runs, first.runs),
        ):
            change = "" if now is None or then is None else f"{100 * (now - then):.0f} points".replace("-", "−")
            _metric(name, percent(now), change, words, last)
        earlier = next((p.score for p in points if p.score is not None), None)
        change = "" if last.score is None or earlier is None else number(last.score - earlier)
        _metric("Score", number(last.score), change, "Mean on the train tasks, of the samples that ran.", last)
    st.caption(_facts(study, points))


def _metric(name: str, value: str, change: str, words: str, last: TrainingPoint) -> None:
    shown = change.replace("−", "-") if last.step > 1 else ""  # Streamlit reads the sign
    st.metric(name, value, shown or None, help=words, width=150)


def _facts(study: Study, points: list[TrainingPoint]) -> str:
    """`Step 34 of 100 · 42 s a step: ... · 8 samples a step · memory at most 2.4 GB · 140 MB on disk`."""
    last, best = points[-1], best_step(points)
    disk = None if study.recorded else _disk(study.id)
    parts = (
        f"Step {last.step} of {max(last.step, study.spec.budget.max_rounds)}", training_figures.took(last.figures),
        f"{plural(last.samples, 'sample')} a step",
        f"most was earned in step {best.step}: {number(best.figures.reward_mean)}" if best else "",
        f"memory at most {size(max(p.figures.peak_memory_bytes for p in points))}",
        f"{size(disk)} on disk" if disk else "", "arrows: since the first step" if len(points) > 1 else "",
    )  # fmt: skip
    return " · ".join(filter(None, parts))


@st.cache_data(max_entries=100, ttl=10, show_spinner=False)
def _disk(study_id: str) -> int:
    """Bytes of its checkpoints; 0 where none are on this machine, or they change just now."""
    try:
        return disk_use(settings().trainings / study_id)
    except OSError:
        return 0


def _charts(found: Trained) -> None:
    points, step = found.points, trained.chosen(found).step
    study_id, count = found.study_id, plural(len(found.points), "step")
    left, right = st.columns(2, gap="medium")
    with left:
        curves(
            study_id, found.once("rewards", None, lambda: training_figures.rewards(points)),
            key=f"rewards-{study_id}", axes=Axes(x="Step", y="Reward", upright=True), selected=step, height=HEIGHT,
            label=f"Rewards over {count}; the figures above say where they stand", on_select=trained.choose,
        )  # fmt: skip
    with right:
        curves(
            study_id, found.once("shares", None, lambda: training_figures.shares(points)), key=f"shares-{study_id}",
            axes=Axes(x="Step", y="Share of samples; score", percent=True, upright=True), selected=step,
            height=HEIGHT, label=f"How far samples get, over {count}", on_select=trained.choose,
        )  # fmt: skip
