"""A study as one file to show around: written from a store, and put into another, labelled as a recording."""

from __future__ import annotations

import os
from collections.abc import Iterator

from autoflow.benchmark import without_folder
from autoflow.errors import AutoFlowError, NotFound, SettingsError
from autoflow.records import Event, Json
from autoflow.report.recording_file import (
    FORMAT,
    VERSION,
    Head,
    RecordedSuite,
    RecordedVersion,
    RecordedWorkflow,
    Recording,
    ending,
    read_recording,
    write_lines,
)
from autoflow.store import SqlStore
from autoflow.study import Study, StudyBatch, StudySpec, SuiteSpec
from autoflow.suites.registry import TABLE
from autoflow.suites.table_add import save_once

PATHS = ("data", "queries")  # options of suites that are paths, relative ones as well
AT_ONCE = 200  # runs in one transaction


def save_recording(store: SqlStore, study_id: str, path: str | os.PathLike[str], words: str) -> None:
    """Write a study that has ended, with its candidates, runs, traces, workflow and table, into a file.

    Args:
        words: when and with what it was made; pages show them with the label.
    Raises NotFound: no such study. SettingsError: it has not ended, `words` is empty, or the file cannot be written.
    """
    study = store.get_study(study_id)
    if study.stop is None:
        raise SettingsError(f"The study {study_id} has not ended.", "Let it come to its end, then record it.")
    if not words.strip():
        raise SettingsError("A recording must say when and with what it was made.", "Write a sentence.")
    write_lines(path, study_lines(store, study, " ".join(words.split())))


def load_recording(store: SqlStore, path: str | os.PathLike[str]) -> Study:
    """Put a recorded study into a store, under a new id; loaded again it is there twice.

    Raises SettingsError: it is no recording, is cut off, or does not fit together; nothing is written then.
    """
    return write_recording(store, read_recording(path))


def study_lines(store: SqlStore, study: Study, words: str) -> Iterator[Json]:
    """What stands in the file of a study, line by line."""
    spec = _without_folders(study.spec)
    head = Head(
        format=FORMAT, version=VERSION, words=words, study=study.model_copy(update={"spec": spec}),
        workflow=_workflow(store, study), suite=_suite(store, study.spec),
    )  # fmt: skip
    yield head.model_dump(mode="json")
    candidates = store.study_candidates(study.id)
    for candidate in candidates:
        yield {"candidate": candidate.model_dump(mode="json")}
    outcomes = [outcome for _, outcome in store.study_outcomes(study.id)]
    for outcome in outcomes:
        events = store.outcome_events(study.id, outcome.candidate, outcome.task, outcome.repeat)
        yield {
            "outcome": outcome.model_dump(mode="json"),
            "events": [_told(event) for event in events],
        }
    steps = store.training_steps(study.id)
    for step in steps:
        yield {"training": step.model_dump(mode="json")}
    yield {"end": ending(len(candidates), len(outcomes), len(steps))}


def _told(event: Event) -> Json:
    told = event.model_dump(mode="json")
    if isinstance(model := told["data"].get("model"), str):
        told["data"]["model"] = without_folder(model)
    return told


def _without_folders(spec: StudySpec) -> StudySpec:
    """Models and data that are files are named by the file alone: nobody else has this machine's folders."""
    names = {role: without_folder(getattr(spec, role)) for role in ("generator", "interpreter", "judge")}
    return spec.model_copy(update={**names, "suite": suite_without_folder(spec.suite)})


def suite_without_folder(suite: SuiteSpec) -> SuiteSpec:
    """The same with the last part alone of every option that names a file or a folder."""
    options = {
        name: os.path.basename(os.path.normpath(value)) if isinstance(value, str) and _is_path(name, value) else value
        for name, value in suite.options.items()
    }
    return suite.model_copy(update={"options": options})


def _is_path(name: str, value: str) -> bool:
    """Options that are known to be paths, and whatever else names a place on this machine."""
    return bool(value) and (name in PATHS or os.path.isabs(value) or value.startswith("~"))


def _workflow(store: SqlStore, study: Study) -> RecordedWorkflow | None:
    if study.workflow_id is None:
        return None
    try:
        found, versions = store.get_workflow(study.workflow_id), store.list_versions(study.workflow_id)
    except NotFound:
        return None
    kept = [RecordedVersion(text=v.text, origin=v.origin, model=v.model, note=v.note) for v in reversed(versions)]
    return RecordedWorkflow(name=found.name, versions=tuple(kept))


def _suite(store: SqlStore, spec: StudySpec) -> RecordedSuite | None:
    if spec.suite.name != TABLE:
        return None
    try:
        found = store.get_suite(str(spec.suite.options.get("suite")))
    except AutoFlowError:
        return None
    return RecordedSuite(name=found.name, body=found.body)


def write_recording(store: SqlStore, recording: Recording) -> Study:
    """Put a study that was read into a store, under a new id."""
    head, study = recording.head, recording.head.study
    spec = study.spec
    if head.suite is not None:
        saved = save_once(store, head.suite.name, head.suite.body)
        spec = spec.model_copy(update={"suite": spec.suite.model_copy(update={"options": {"suite": saved.id}})})
    workflow_id = _write_workflow(store, head.workflow) if head.workflow else None
    made = store.create_study(study.name, spec, study.splits, workflow_id=workflow_id, recorded=head.words)
    store.add_to_study(StudyBatch(made.id, candidates=recording.candidates))
    for start in range(0, len(recording.runs), AT_ONCE):
        runs = recording.runs[start : start + AT_ONCE]
        store.add_to_study(StudyBatch(made.id, outcomes=[(run.outcome, run.events) for run in runs]))
    store.add_to_study(
        StudyBatch(
            made.id, rounds=study.rounds, stop=study.stop, best=study.best, test_uses=study.test_uses,
            seconds=study.seconds, steps=recording.steps,
        )
    )  # fmt: skip
    return store.get_study(made.id)


def _write_workflow(store: SqlStore, recorded: RecordedWorkflow) -> str:
    made = store.create_workflow(recorded.name)
    for version in recorded.versions:
        store.save_version(made.id, origin=version.origin, text=version.text, model=version.model, note=version.note)
    return made.id
