"""What can be compared, and how it is named: a version of a workflow, a candidate of a study, what a suite brings, or a
given text."""

from __future__ import annotations

from dataclasses import dataclass

from autoflow.errors import NotFound
from autoflow.records import is_id
from autoflow.report.compare import name_of
from autoflow.store import SqlStore
from autoflow.study import MANUAL, PLAIN
from autoflow.suites.base import Suite

GIVEN_REF = "text"  # a text that no record holds
MANUAL_REF, PLAIN_REF = "manual", "plain"  # what the suite brings itself
OF_SUITE = {MANUAL_REF: MANUAL, PLAIN_REF: PLAIN}


@dataclass(frozen=True, slots=True)
class Text:
    """A workflow's text, with where it is from."""

    ref: str  # wf_...:3, st_...:7, one of OF_SUITE, or GIVEN_REF
    name: str
    text: str
    workflow_id: str | None = None
    study_id: str | None = None
    number: int = 0  # of the version or the candidate; 0 of a workflow is its draft

    @property
    def candidate(self) -> tuple[str, int] | None:
        """Study and number, where it is a candidate."""
        return (self.study_id, self.number) if self.study_id else None


def looks_like_a_ref(text: str) -> bool:
    """Whether it begins with the id of a workflow or a study, so that it is no file."""
    head = _parts(text)[0]
    return is_id(head, "wf") or is_id(head, "st")


def _parts(ref: str) -> tuple[str, str, str]:
    """Id, mark, number; `@` may stand for `:`."""
    return ref.replace("@", ":", 1).partition(":")


def text_of_suite(suite: Suite, ref: str) -> Text:
    """The manual workflow of a suite, or its plain prompt. Raises NotFound: it has none, or `ref` means neither."""
    if ref not in OF_SUITE:
        raise NotFound(f"`{ref[:60]}` is not brought by a suite.", f"Write {MANUAL_REF} or {PLAIN_REF}.")
    text = suite.baseline if ref == MANUAL_REF else suite.plain
    if not text.strip():
        raise NotFound(f"The suite {suite.name} has no manual workflow.", "Name a version of a workflow instead.")
    return Text(ref, OF_SUITE[ref], text)


def text_of(store: SqlStore, ref: str) -> Text:
    """The text that `wf_...`, `wf_...:VERSION` (or `wf_...@VERSION`) or `st_...:CANDIDATE` means.

    A workflow without a number means its latest version, or its draft where it has none; a study its best candidate.
    Raises NotFound: no such thing.
    """
    head, colon, tail = _parts(ref)
    if not looks_like_a_ref(ref) or (colon and not (tail.isascii() and tail.isdecimal() and len(tail) < 9)):
        raise NotFound(
            f"`{ref[:60]}` is neither a version of a workflow nor a candidate of a study.",
            "Write wf_8k2m1x0c9d7e:3 or st_8k2m1x0c9d7e:7.",
        )
    number = int(tail) if tail else None
    return _version(store, head, number) if is_id(head, "wf") else _candidate(store, head, number)


def _version(store: SqlStore, workflow_id: str, number: int | None) -> Text:
    record = store.get_workflow(workflow_id)
    if number is None:
        number = record.version
    if number == 0:
        return Text(f"{record.id}:0", f"{record.name} draft", record.text, workflow_id=record.id)
    text = store.get_version(workflow_id, number).text
    return Text(f"{record.id}:{number}", f"{record.name} v{number}", text, workflow_id=record.id, number=number)


def _candidate(store: SqlStore, study_id: str, number: int | None) -> Text:
    study, candidates = store.get_study(study_id), store.study_candidates(study_id)
    if number is None:
        number = study.best
    if number is None:
        raise NotFound(
            f"The study {study_id} has not chosen a best candidate.", f"Say which one, such as {study_id}:0."
        )
    if number >= len(candidates):
        raise NotFound(f"The study {study_id} has no candidate {number}.", f"It has {len(candidates)}, counted from 0.")
    name = name_of(study, candidates[number])
    return Text(f"{study_id}:{number}", name, candidates[number].text, study.workflow_id, study_id, number)
