"""A recorded study: what comes out is what went in; a wrong file is refused in words, and nothing is written."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import NotFound, SettingsError
from autoflow.report.recording import load_recording, save_recording, suite_without_folder
from autoflow.report.recording_file import MOST_BYTES
from autoflow.store import SqlStore, open_store
from autoflow.study import Study, StudyBatch, SuiteSpec
from autoflow.suites.table_add import save_once
from tests.report.reports import report_of
from tests.report.studies import OLD, written
from tests.studies import finished_study, new_study
from tests.training import trained

WORDS = "Made on 2026-11-25 with scripted models."
Lines = list[dict[str, Any]]


@pytest.fixture
def there(tmp_path: Path) -> SqlStore:
    """Another store."""
    return open_store(f"sqlite:///{tmp_path / 'there.db'}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    store = open_store()
    path = tmp_path / "small.json.gz"
    save_recording(store, finished_study(store, rounds=1).id, path, WORDS)
    return path


def contents(store: SqlStore, study: Study) -> Any:
    outcomes = [outcome for _, outcome in store.study_outcomes(study.id)]
    traces = [store.outcome_events(study.id, o.candidate, o.task, o.repeat) for o in outcomes]
    candidates = [c.model_copy(update={"created_at": 0.0}) for c in store.study_candidates(study.id)]
    return candidates, outcomes, traces, store.training_steps(study.id)


def test_what_comes_out_is_what_went_in(there: SqlStore, tmp_path: Path) -> None:
    here = open_store()
    workflow = here.create_workflow("Plans", OLD)
    here.save_version(workflow.id, origin="optimized", text=OLD + "# more\n", model="m", note="why")
    study = finished_study(here, workflow_id=workflow.id)
    here.add_to_study(StudyBatch(study.id, steps=[trained(1), trained(2, ending="All alike.")]))
    path = tmp_path / "folder" / "study.json.gz"
    save_recording(here, study.id, path, WORDS)
    found = load_recording(there, path)
    own = {"id", "created_at", "finished_at", "workflow_id", "recorded"}
    assert found.model_dump(exclude=own) == study.model_dump(exclude=own)
    assert found.recorded == WORDS
    assert contents(there, found) == contents(here, study)
    told = [(v.number, v.text, v.origin, v.model, v.note) for v in there.list_versions(found.workflow_id or "")]
    assert told == [(v.number, v.text, v.origin, v.model, v.note) for v in here.list_versions(workflow.id)]
    assert there.get_workflow(found.workflow_id or "").name == "Plans"
    assert report_of(there, found, 0, 1, "test").verdict == report_of(here, study, 0, 1, "test").verdict
    again = tmp_path / "again.json.gz"
    save_recording(here, study.id, again, WORDS)
    assert again.read_bytes() == path.read_bytes()


def test_a_comparison_says_that_it_is_a_recording(there: SqlStore, file: Path) -> None:
    from autoflow.report.notes import notes

    assert f"This is a recording: {WORDS}" in notes(report_of(there, load_recording(there, file)))


def test_a_table_comes_along_under_an_id_of_its_own(there: SqlStore, tmp_path: Path) -> None:
    here = open_store()
    body = {"anything": "that a table holds"}
    saved = save_once(here, "mails", body)
    study = written(here)
    spec = study.spec.model_copy(
        update={"suite": study.spec.suite.model_copy(update={"name": "table", "options": {"suite": saved.id}})}
    )
    made = here.create_study("Mails", spec, study.splits)
    here.add_to_study(StudyBatch(made.id, candidates=here.study_candidates(study.id), stop="evaluated"))
    save_recording(here, made.id, tmp_path / "t.json.gz", WORDS)
    found = load_recording(there, tmp_path / "t.json.gz")
    suite = there.get_suite(found.spec.suite.options["suite"])
    assert (suite.name, suite.body) == ("mails", body)


def test_folders_of_this_machine_stay_here(there: SqlStore, tmp_path: Path) -> None:
    here = open_store()
    study = finished_study(here, rounds=1)
    spec = study.spec.model_copy(update={"generator": f"scripted:{tmp_path}/writer.jsonl", "interpreter": "openai:a/b"})
    made = here.create_study("x", spec, study.splits)
    here.add_to_study(StudyBatch(made.id, stop="rounds"))
    save_recording(here, made.id, tmp_path / "x.json.gz", WORDS)
    assert str(tmp_path) not in gzip.decompress((tmp_path / "x.json.gz").read_bytes()).decode()
    found = load_recording(there, tmp_path / "x.json.gz")
    assert (found.spec.generator, found.spec.interpreter) == ("scripted:writer.jsonl", "openai:a/b")


def test_every_option_of_a_suite_that_is_a_path_loses_its_folders() -> None:
    options = {
        "data": "private/db", "queries": "/home/somebody/queries.csv", "other": "~/notes/x.txt", "provider": "hub",
        "asks": "left/right", "level": 3, "empty": "",
    }  # fmt: skip
    suite = SuiteSpec(name="travelplanner", options=options)
    assert suite_without_folder(suite).options == options | {"data": "db", "queries": "queries.csv", "other": "x.txt"}


def test_only_what_has_ended_is_recorded_and_it_says_with_what(tmp_path: Path) -> None:
    store = open_store()
    with pytest.raises(SettingsError, match="has not ended"):
        save_recording(store, new_study(store).study.id, tmp_path / "x", WORDS)
    with pytest.raises(SettingsError, match="must say"):
        save_recording(store, finished_study(store, rounds=0).id, tmp_path / "x", "  ")
    with pytest.raises(NotFound):
        save_recording(store, "st_000000000000", tmp_path / "x", WORDS)
    with pytest.raises(SettingsError, match="cannot be written"):
        save_recording(store, finished_study(store, rounds=0).id, "/dev/null/x", WORDS)
    assert not (tmp_path / "x").exists()


class Evil:
    def __reduce__(self) -> Any:
        return (open, ("/tmp/never-made-by-a-recording", "w"))


def changed(change: Callable[[Lines], Any]) -> Callable[[Lines], Lines]:
    def made(lines: Lines) -> Lines:
        change(lines)
        return lines

    return made


BROKEN: list[tuple[str, Callable[[Lines], Lines], str]] = [
    ("cut off", lambda lines: lines[:-3], "it was cut off"),
    ("empty", lambda lines: [], "its first line does not say so"),
    ("another file", lambda lines: [{"format": "autoflow-answers"}, *lines[1:]], "its first line does not say so"),
    ("newer", changed(lambda lines: lines[0].update(version=2)), "it has version 2, and this AutoFlow reads version 1"),
    ("no words", changed(lambda lines: lines[0].update(words="")), "line 1, `words`"),
    ("a field too many", changed(lambda lines: lines[0].update(run="rm -rf /")), "line 1, `run`"),
    ("a hole", lambda lines: [line for n, line in enumerate(lines) if n != 1], "it was cut off"),
    (
        "wrong numbers",
        changed(lambda lines: lines[1]["candidate"].update(number=7)),
        "its candidates are not numbered 0, 1, 2",
    ),
    ("its own parent", changed(lambda lines: lines[1]["candidate"].update(parent=0)), "comes before its parent"),
    ("a best that is none", changed(lambda lines: lines[0]["study"].update(best=99)), "best candidate is none"),
    ("not ended", changed(lambda lines: lines[0]["study"].update(stop=None)), "has not ended"),
    ("a score of 2", changed(lambda lines: lines[-2]["outcome"].update(score=2)), "`outcome.score`"),
    ("no score", changed(lambda lines: lines[-2]["outcome"].update(score=float("nan"))), "`outcome.score`"),
    ("a foreign task", changed(lambda lines: lines[-2]["outcome"].update(task="../x")), "belongs nowhere"),
    ("a foreign candidate", changed(lambda lines: lines[-2]["outcome"].update(candidate=-1)), "belongs nowhere"),
    (
        "twice",
        changed(
            lambda lines: (
                lines.insert(-1, lines[-2]),
                lines[-1]["end"].update(outcomes=lines[-1]["end"]["outcomes"] + 1),
            )
        ),
        "is there twice",
    ),
    ("after the end", lambda lines: [*lines, lines[1]], "comes after the end"),
    ("something else", lambda lines: [lines[0], {"exec": "x"}, *lines[1:]], "line 2 is neither a candidate nor a run"),
    ("a list", lambda lines: [lines[0], [1], *lines[1:]], "line 2 is no JSON object"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_file_that_is_wrong_is_refused_and_nothing_is_written(
    there: SqlStore, file: Path, change: Callable[[Lines], Lines], said: str
) -> None:
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in change(lines)).encode()))
    with pytest.raises(SettingsError) as caught:
        load_recording(there, file)
    assert said in str(caught.value)
    assert there.list_studies() == []
    assert there.list_workflows() == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "its first line does not say so"),
        (b"{}", "Not a gzipped file"),
        (pickle.dumps(Evil()), "Not a gzipped file"),
        (gzip.compress(pickle.dumps(Evil())), "line 1 is no JSON"),
        (gzip.compress(b"[" * 100_000), "line 1 is no JSON"),
        (gzip.compress(b"\xff\xfe\x00"), "line 1 is no JSON"),
        (gzip.compress(b"{}" * 1000)[:-20], "is no recording of a study"),
        (gzip.compress(b'{"a":1}\n' * (MOST_BYTES // 8 // 2)), "its first line does not say so"),
        (gzip.compress(b" " * (64 << 20) + b" {}"), "goes beyond what is read of one"),
    ],
    ids=["nothing", "plain", "pickle", "pickle in gzip", "nested", "bytes", "broken gzip", "many lines", "long line"],
)
def test_no_other_data_is_taken_for_one(there: SqlStore, tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(data)
    with pytest.raises(SettingsError) as caught:
        load_recording(there, path)
    assert said in str(caught.value)
    assert not Path("/tmp/never-made-by-a-recording").exists()


def test_a_path_that_is_none_is_told(there: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no file"):
        load_recording(there, tmp_path / "nowhere.json.gz")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_recording(there, tmp_path)
