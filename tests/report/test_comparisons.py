"""Comparisons as studies: what names a text, which earlier comparison is the same, what cannot be compared."""

from __future__ import annotations

import pytest

from autoflow.errors import NotFound, SettingsError
from autoflow.records import RunPolicy
from autoflow.report.comparisons import REFS, Setting, begin_comparison, find_comparison, names
from autoflow.report.sides import GIVEN_REF, Text, looks_like_a_ref, text_of, text_of_suite
from autoflow.store import SqlStore, open_store
from autoflow.study import Study, StudyBatch
from autoflow.suites.openagi import OpenAGIPlanSuite
from autoflow.suites.reasoning import ReasoningSuite
from tests.report.studies import MODEL, NEW, OLD, suite_of, written
from tests.studies import finished_study


@pytest.fixture
def store() -> SqlStore:
    return open_store()


A, B = Text(GIVEN_REF, "old", OLD), Text(GIVEN_REF, "new", NEW)


def setting(**changed: object) -> Setting:
    return Setting(suite=suite_of()[0], model=MODEL).model_copy(update=changed)


def test_a_text_is_named_by_version_candidate_or_best(store: SqlStore) -> None:
    workflow = store.create_workflow("Plans", OLD)
    store.save_version(workflow.id, origin="edited", text=NEW)
    study = finished_study(store)
    for ref, name, text in (
        (f"{workflow.id}:1", "Plans v1", OLD),
        (f"{workflow.id}@1", "Plans v1", OLD),
        (workflow.id, "Plans v2", NEW),
        (f"{workflow.id}:0", "Plans draft", NEW),
        (f"{study.id}:0", "#0 manual workflow", store.study_candidates(study.id)[0].text),
        (f"{study.id}@0", "#0 manual workflow", store.study_candidates(study.id)[0].text),
    ):
        found = text_of(store, ref)
        assert (found.name, found.text) == (name, text)
        assert looks_like_a_ref(ref)
        assert text_of(store, found.ref) == found
    assert text_of(store, study.id).candidate == (study.id, study.best)


@pytest.mark.parametrize(
    "ref",
    ["", "manual", "wf_1", "wf_8k2m1x0c9d7e:", "wf_8k2m1x0c9d7e:-1", "wf_8k2m1x0c9d7e@1@2", "wf_8k2m1x0c9d7e:²", "x:1"],
)
def test_what_names_nothing_is_refused(store: SqlStore, ref: str) -> None:
    with pytest.raises(NotFound):
        text_of(store, ref)


def test_a_suite_brings_its_manual_workflow_and_its_plain_prompt() -> None:
    spec, suite = suite_of()
    assert text_of_suite(suite, "manual") == Text("manual", "manual workflow", suite.baseline)
    assert text_of_suite(suite, "plain") == Text("plain", "plain prompt", suite.plain)
    empty = OpenAGIPlanSuite(seed=0, sizes={"train": 0, "val": 0, "test": 0})
    assert text_of_suite(empty, "manual") == text_of_suite(suite, "manual")
    with pytest.raises(NotFound, match="is not brought by a suite"):
        text_of_suite(suite, "../manual")
    bare = ReasoningSuite(spec.model_copy(update={"name": "reasoning", "train": 1, "val": 1, "test": 1}))
    if not bare.baseline.strip():
        with pytest.raises(NotFound, match="has no manual workflow"):
            text_of_suite(bare, "manual")


def test_two_of_the_same_name_are_told_apart() -> None:
    assert names(A, B) == ("old", "new")
    assert names(A, Text("x", "old", NEW)) == ("old (A)", "old (B)")


def test_the_same_comparison_is_found_again_either_way_round(store: SqlStore) -> None:
    made = begin_comparison(store, A, B, setting())
    assert [c.text for c in store.study_candidates(made.id)] == [OLD, NEW]
    assert made.spec.options[REFS] == [GIVEN_REF, GIVEN_REF]
    assert find_comparison(store, A, B, setting()) == (made, 0, 1)
    assert find_comparison(store, B, A, setting()) == (made, 1, 0)
    called_otherwise = Text("wf_8k2m1x0c9d7e:1", "renamed", OLD)
    assert find_comparison(store, called_otherwise, B, setting()) == (made, 0, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "scripted:other"}, {"split": "train"}, {"repeats": 2}, {"judge": "scripted:judge"},
        {"policy": RunPolicy(max_steps=7)}, {"suite": suite_of(val=8)[0]},
        {"suite": suite_of()[0].model_copy(update={"seed": 1})},
    ],
)  # fmt: skip
def test_another_setting_is_another_comparison(store: SqlStore, changed: dict[str, object]) -> None:
    begin_comparison(store, A, B, setting())
    assert find_comparison(store, A, B, setting(**changed)) is None


def test_a_recording_is_no_comparison_of_ones_own(store: SqlStore) -> None:
    kept = written(store)
    recorded = store.create_study("shown", kept.spec, kept.splits, recorded="made elsewhere")
    store.add_to_study(StudyBatch(recorded.id, store.study_candidates(kept.id), stop="evaluated"))
    found = find_comparison(store, A, B, Setting.of(kept))
    assert found is not None
    assert found[0].id == kept.id


def test_what_cannot_be_compared_is_refused_and_leaves_no_study(store: SqlStore) -> None:
    broken = Text(GIVEN_REF, "broken", "A:::process:::Go:::next::Nowhere\n")
    for a, b, said in ((A, Text("x", "copy", OLD), "are the same text"), (A, broken, "broken cannot run:")):
        with pytest.raises(SettingsError, match=said):
            begin_comparison(store, a, b, setting())
    with pytest.raises(SettingsError, match="has no tasks"):
        begin_comparison(store, A, B, setting(suite=suite_of(val=0)[0]))
    assert store.list_studies() == []


def test_versions_of_one_workflow_leave_their_mark(store: SqlStore) -> None:
    workflow = store.create_workflow("Plans", OLD)
    store.save_version(workflow.id, origin="edited", text=NEW)
    a, b = (text_of(store, f"{workflow.id}:{n}") for n in (1, 2))
    made: Study = begin_comparison(store, a, b, setting())
    assert (made.workflow_id, made.name) == (workflow.id, "Plans v1 and Plans v2")
    assert begin_comparison(store, a, B, setting(repeats=2)).workflow_id is None
