"""One study, from its name to the traces of its tasks."""

from __future__ import annotations

from pages.ui.optimize import (
    adopting,
    candidate,
    gained,
    header,
    live,
    loaded,
    rating,
    results,
    state,
    training,
    warned,
    worst,
)


def draw(study_id: str) -> None:
    """Raises NotFound, which the shell tells."""
    view = loaded.load(study_id)
    job = loaded.job_of(view.study)
    running = loaded.under_way(view.study, job)
    header.draw(view.study)
    state.draw(view, job)
    adopting.said(view.study)
    warned.draw(view)
    gained.draw(view)
    results.draw(view)
    rating.draw(view, job)
    training.draw(view, running)
    live.draw_curves(study_id, running)
    live.draw_candidates(study_id, running)
    chosen = loaded.selected(view)
    if chosen is not None:
        candidate.draw(view, chosen)
    live.draw_map(study_id, running)
    if chosen is not None:
        worst.draw(view, chosen)
