"""A candidate as a workflow of its own, so that Write and Run can open it. What the study holds never changes."""

from __future__ import annotations

from autoflow.optimize.view import StudyView
from autoflow.records import Task, WorkflowRecord
from autoflow.study import Candidate
from pages.ui import services
from pages.ui.optimize import loaded, tasks

_LOOKED_AT = 200  # workflows, the latest first


def workflow_of(view: StudyView, candidate: Candidate) -> WorkflowRecord:
    """The one that was made of this candidate before and is as it was, else a new one."""
    store, name = services.store(), f"{view.study.name or 'Study'}, candidate {candidate.number}"[:200]
    task = _task(view, candidate)
    for known in store.list_workflows(limit=_LOOKED_AT):
        if known.name == name and known.text == candidate.text:
            return known if task is None else store.set_workflow_task(known.id, task)
    return store.create_workflow(name, candidate.text, task=task, origin="optimized")


def _task(view: StudyView, candidate: Candidate) -> Task | None:
    """The task whose trace is open, else the one it did worst; None where the suite's tasks are not known."""
    known = tasks.tasks_of(view.study)
    named = loaded.task_named(view)
    scores = view.task_scores(candidate.number)
    ids = ([named] if named else []) + sorted(scores, key=lambda task: scores[task]) + list(known)
    found = next((known[id].task for id in ids if id in known), None)
    if found is None:
        return None
    return services.store().add_task(found.objective, found.inputs, found.tools, found.listed_tools)
