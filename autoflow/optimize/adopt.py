"""What a study found becomes a version of a workflow, with a note that says where it comes from."""

from __future__ import annotations

from typing import Protocol

from autoflow.errors import NotFound, SettingsError
from autoflow.optimize.view import StudyView
from autoflow.records import Version, WorkflowRecord
from autoflow.store.base import Store, StudyStore
from autoflow.study import GIVEN, MANUAL, PERSON, PLAIN, Candidate, Study

_NO_MODEL = (MANUAL, PLAIN, GIVEN, PERSON)


class Records(Store, StudyStore, Protocol):
    """The parts of the store that are needed here."""


def adopt(store: Records, study_id: str, candidate: int | None = None, workflow_id: str | None = None) -> Version:
    """Save a candidate's text as the next version, origin `optimized`. Adopting it again returns that version.

    Args:
        candidate: its number; None: the best, which a study names when it has ended.
        workflow_id: where; None: in the workflow that the study began with, else in a new one named after the study.
    Raises NotFound: no such study, candidate or workflow, or no best one yet. SettingsError: the text has errors.
    """
    study = store.get_study(study_id)
    view = StudyView(study, store.study_candidates(study_id), [o for _, o in store.study_outcomes(study_id)])
    chosen = _chosen(study, view, candidate)
    workflow = _workflow(store, study, workflow_id)
    if earlier := _earlier(store, workflow, study, chosen):
        return earlier
    model = study.spec.generator if study.spec.generator and chosen.operator not in _NO_MODEL else None
    return store.save_version(
        workflow.id, origin="optimized", text=chosen.text, model=model, note=_note(study, view, chosen)
    )


def _chosen(study: Study, view: StudyView, number: int | None) -> Candidate:
    if number is None:
        number = study.best
    if number is None:
        raise NotFound(f"The study {study.id} has not chosen a best candidate.", "Say which one: by its number.")
    if not 0 <= number < len(view.candidates):
        raise NotFound(
            f"The study {study.id} has no candidate {number}.", f"It has {len(view.candidates)}, counted from 0."
        )
    if error := view.candidates[number].error:
        raise SettingsError(f"Candidate {number} of {study.id} cannot run: {error}", "Adopt one without errors.")
    return view.candidates[number]


def _workflow(store: Records, study: Study, workflow_id: str | None) -> WorkflowRecord:
    """Where it is adopted. One that was put away is brought back, or nobody would see the version."""
    known = workflow_id or study.workflow_id
    if known is None:
        made = store.create_workflow(study.name or "Optimized workflow", origin="optimized")
        store.set_study_workflow(study.id, made.id)
        return made
    found = store.get_workflow(known)
    return store.restore_workflow(known) if found.deleted else found


def _earlier(store: Records, workflow: WorkflowRecord, study: Study, chosen: Candidate) -> Version | None:
    mark = _mark(study, chosen)
    kept = (v for v in store.list_versions(workflow.id) if v.origin == "optimized" and v.text == chosen.text)
    return next((version for version in kept if version.note.startswith(mark)), None)


def _mark(study: Study, chosen: Candidate) -> str:
    return f"Candidate {chosen.number} of {study.id}, "


def _note(study: Study, view: StudyView, chosen: Candidate) -> str:
    """`Candidate 7 of st_..., study Refund mail: validation 0.81, test 0.62`, with the scores that were measured."""
    measured = (("validation", view.score(chosen.number, "val")), ("test", view.score(chosen.number, "test")))
    scores = ", ".join(f"{split} {score:.2f}" for split, score in measured if score is not None)
    return f"{_mark(study, chosen)}study {study.name}" + (f": {scores}" if scores else "")
