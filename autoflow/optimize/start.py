"""Beginning a study: its suite opened, its splits dealt, its first candidates written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autoflow.errors import SettingsError
from autoflow.lang import has_errors, parse
from autoflow.optimize.limits import least_calls
from autoflow.optimize.methods import open_optimizer
from autoflow.store.base import StudyStore
from autoflow.study import (
    GIVEN,
    MANUAL,
    PERSON,
    PLAIN,
    SPLITS,
    Candidate,
    SavedSuite,
    Split,
    Study,
    StudyBatch,
    StudySpec,
)
from autoflow.suites.base import Suite
from autoflow.suites.registry import dealt_suite


def start_study(
    store: StudyStore, name: str, spec: StudySpec, *, workflow_id: str | None = None, parent_id: str | None = None,
    given: Sequence[str] = (),
) -> Study:  # fmt: skip
    """A new study with the candidates it begins with. It is carried out by a job of kind `study`.

    Args:
        given: texts that are scored (`evaluate`), or that a search begins from besides the manual workflow and the
            plain prompt (a branch from an edited candidate).
    Raises SettingsError: the suite cannot be opened, the budget is too small for one candidate, nothing to score, an
        option that the method does not have.
    """
    splits, first = check_study(store, spec, given, branched=parent_id is not None)
    return write_study(store, name, spec, splits, first, workflow_id=workflow_id, parent_id=parent_id)


def write_study(
    store: StudyStore, name: str, spec: StudySpec, splits: Mapping[Split, Sequence[str]], first: Sequence[Candidate], *,
    workflow_id: str | None = None, parent_id: str | None = None,
) -> Study:  # fmt: skip
    """What `check_study` has found good, written down."""
    study = store.create_study(name, spec, splits, workflow_id=workflow_id, parent_id=parent_id)
    store.add_to_study(StudyBatch(study.id, candidates=first))
    return study


def check_study(
    store: StudyStore, spec: StudySpec, given: Sequence[str] = (), *, branched: bool = False
) -> tuple[dict[Split, tuple[str, ...]], list[Candidate]]:
    """The splits and first candidates of a study that could begin; nothing is written. Raises as `start_study`."""
    suite = _opened(spec, store.get_suite)
    splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
    first = first_candidates(spec, suite, given, branched=branched)
    _check(spec, splits, first)
    return splits, first


def check_generator(spec: StudySpec) -> None:
    """Raises SettingsError, ModelNotFound: there is none, the method cannot use it, or an option means nothing."""
    if spec.method == "evaluate":
        return
    if not spec.generator:
        raise SettingsError("A search needs a generator.", "Choose the model that proposes workflows.")
    open_optimizer(spec)


def first_candidates(spec: StudySpec, suite: Suite, given: Sequence[str], *, branched: bool = False) -> list[Candidate]:
    """What is there before anything is proposed: manual workflow (where there is one), plain prompt, what was given."""
    texts: list[tuple[str, str]] = []
    if spec.method != "evaluate":
        manual = suite.baseline if spec.baseline is None else spec.baseline
        texts += [(MANUAL, manual)] if manual.strip() else []
        texts += [(PLAIN, suite.plain)]
    texts += [(PERSON if branched else GIVEN, text) for text in given]
    return [_candidate(number, operator, text) for number, (operator, text) in enumerate(texts)]


def _candidate(number: int, operator: str, text: str) -> Candidate:
    return Candidate(number=number, text=text, operator=operator, error=first_error(text))


def first_error(text: str) -> str:
    """The first error of a text, empty where it can run."""
    parsed = parse(text)
    return parsed.errors[0].message if has_errors(parsed.diagnostics) else ""


def _opened(spec: StudySpec, saved: Callable[[str], SavedSuite]) -> Suite:
    return dealt_suite(spec.suite, spec.judge, saved=saved)


def _check(spec: StudySpec, splits: Mapping[Split, tuple[str, ...]], first: Sequence[Candidate]) -> None:
    if spec.method == "evaluate":
        if not first:
            raise SettingsError("There is no workflow to score.", "Give at least one.")
        if not splits[spec.split]:
            raise SettingsError(f"The split `{spec.split}` has no tasks.", "Choose another, or make it larger.")
        return
    check_generator(spec)
    for split in ("train", "val"):
        if not splits[split]:
            raise SettingsError(
                f"A search needs tasks to {'learn from' if split == 'train' else 'select by'}; `{split}` has none.",
                "Give each of train and val at least one task.",
            )
    least, limit = least_calls(spec, splits, len(first)), spec.budget.max_calls
    if limit is not None and limit < least:
        raise SettingsError(
            f"{limit:,} calls are too few: scoring what there is and one new candidate takes at least {least:,}.",
            f"Allow at least {least:,} calls, or make the splits smaller.",
        )
