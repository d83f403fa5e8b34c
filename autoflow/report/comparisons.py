"""Comparisons as studies: finding the one that was made before, and beginning one."""

from __future__ import annotations

from autoflow.errors import SettingsError
from autoflow.records import Record, RunPolicy
from autoflow.report.compare import NAMES
from autoflow.report.sides import Text
from autoflow.store import SqlStore
from autoflow.study import Split, Study, StudySpec, SuiteSpec

REFS = "refs"  # in the options of a study that compares two texts: where they are from
LOOKED_AT = 300  # the latest comparisons


class Setting(Record):
    """On what two texts are compared, and by which model."""

    suite: SuiteSpec
    model: str
    split: Split = "val"
    repeats: int = 1
    judge: str = ""
    policy: RunPolicy = StudySpec.model_fields["policy"].get_default(call_default_factory=True)  # that of studies

    @classmethod
    def of(cls, study: Study, split: Split | None = None) -> Setting:
        """What a study was run with."""
        spec = study.spec
        return cls(
            suite=spec.suite, model=spec.interpreter, split=split or spec.split, repeats=spec.repeats, judge=spec.judge,
            policy=spec.policy,
        )  # fmt: skip

    def spec(self, a: Text, b: Text) -> StudySpec:
        """The study that compares the two, with their names and where they are from."""
        name_a, name_b = names(a, b)
        return StudySpec(
            method="evaluate", suite=self.suite, interpreter=self.model, judge=self.judge, split=self.split,
            repeats=self.repeats, policy=self.policy, options={NAMES: [name_a, name_b], REFS: [a.ref, b.ref]},
        )  # fmt: skip


def names(a: Text, b: Text) -> tuple[str, str]:
    """How the two are called; never alike, or no sentence could tell them apart."""
    return (a.name, b.name) if a.name != b.name else (f"{a.name} (A)", f"{b.name} (B)")


def find_comparison(store: SqlStore, a: Text, b: Text, setting: Setting) -> tuple[Study, int, int] | None:
    """The latest comparison of these two texts on this setting, with their numbers in it; recordings are left out."""
    wanted = setting.spec(a, b)
    for study in store.list_studies(LOOKED_AT, methods=["evaluate"]):
        if not study.recorded and _same(study.spec, wanted):
            texts = [candidate.text for candidate in store.study_candidates(study.id)]
            if a.text in texts and b.text in texts:
                return study, texts.index(a.text), texts.index(b.text)
    return None


def begin_comparison(store: SqlStore, a: Text, b: Text, setting: Setting) -> Study:
    """A new study that compares the two; its job is still to be submitted.

    Raises SettingsError: both say the same, one cannot run, the suite cannot be opened, or its judge is missing.
    """
    from autoflow.optimize.start import first_error, start_study
    from autoflow.suites.registry import scorer_of

    if a.text == b.text:
        raise SettingsError(f"{a.name} and {b.name} are the same text.", "Choose two that differ.")
    for text in (a, b):
        if error := first_error(text.text):
            raise SettingsError(f"{text.name} cannot run: {error}", "Mend it first; its errors would be all it scores.")
    scorer = scorer_of(setting.suite, store.get_suite)
    if scorer is not None and scorer.needs_judge and not setting.judge:
        raise SettingsError("The answers of this suite are scored by a model.", "Say which one judges: --judge MODEL")
    spec = setting.spec(a, b)
    title = " and ".join(names(a, b))
    workflow_id = a.workflow_id if a.workflow_id == b.workflow_id else None
    return start_study(store, title, spec, workflow_id=workflow_id, given=[a.text, b.text])


def _same(one: StudySpec, other: StudySpec) -> bool:
    """Whether both ask for the same runs; names are no part of it."""
    return one.model_copy(update={"options": {}}) == other.model_copy(update={"options": {}})
