"""A recorded benchmark: what comes out is what went in; a wrong file is refused in words, and nothing is written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import NotFound, SettingsError
from autoflow.optimize.benchmarking import start_benchmark
from autoflow.report.benchmark_recording import is_benchmark, load_benchmark, save_benchmark
from autoflow.report.grid_read import read_grid
from autoflow.report.recording import load_recording, save_recording
from autoflow.store import SqlStore, open_store
from autoflow.study import SuiteSpec
from tests.grids import carried_out, script, spec, written
from tests.studies import finished_study

WORDS = "Made on 2026-11-25 with scripted models."
Lines = list[dict[str, Any]]


@pytest.fixture
def there(tmp_path: Path) -> SqlStore:
    """Another store."""
    return open_store(f"sqlite:///{tmp_path / 'there.db'}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    store, path = open_store(), tmp_path / "grid.json.gz"
    save_benchmark(
        store, written(store, generators=("openai:a",), interpreters=("openai:a", "openai:b")).id, path, WORDS
    )
    return path


def test_a_grid_that_was_carried_out_comes_out_as_it_went_in(there: SqlStore, tmp_path: Path) -> None:
    here = open_store()
    models = [script(tmp_path / "a.jsonl"), script(tmp_path / "b.jsonl", "Image Denoising")]
    made = start_benchmark(here, "Ours", spec(models, models))
    assert {job.state for job in carried_out(here, made)} == {"done"}
    path = tmp_path / "folder" / "grid.json.gz"
    save_benchmark(here, made.id, path, WORDS)
    assert is_benchmark(path)
    found = load_benchmark(there, path)
    assert (found.name, found.recorded, found.id != made.id) == ("Ours", WORDS, True)
    assert str(tmp_path) not in gzip.decompress(path.read_bytes()).decode()
    assert found.spec.generators == ("scripted:a.jsonl", "scripted:b.jsonl")
    before, after = read_grid(here, made), read_grid(there, found)
    assert [one.measured for one in after.cells] == [one.measured for one in before.cells]
    assert [one.difference for one in after.synergies] == [one.difference for one in before.synergies]
    for key, study_id in made.studies.items():
        one = next(o for _, o in here.study_outcomes(study_id))
        kinds = [event.kind for event in here.outcome_events(study_id, one.candidate, one.task)]
        assert [event.kind for event in there.outcome_events(found.studies[key], one.candidate, one.task)] == kinds
    again = tmp_path / "again.json.gz"
    save_benchmark(here, made.id, again, WORDS)
    assert again.read_bytes() == path.read_bytes()


def test_a_table_comes_along_once_under_an_id_of_its_own(there: SqlStore, tmp_path: Path) -> None:
    here = open_store()
    saved = here.save_suite("mails", {"anything": "that a table holds"})
    made = written(here)
    table = SuiteSpec(name="table", options={"suite": saved.id})
    studies = {}
    for key, study_id in made.studies.items():
        one = here.get_study(study_id)
        told = one.spec.model_copy(update={"suite": table})
        copy = here.create_study(one.name, told, one.splits)
        _copy(here, study_id, copy.id)
        studies[key] = copy.id
    ours = here.create_benchmark("Mails", made.spec.model_copy(update={"suites": (table,)}), studies)
    save_benchmark(here, ours.id, tmp_path / "x.json.gz", WORDS)
    found = load_benchmark(there, tmp_path / "x.json.gz")
    (suite,) = there.list_suites()
    assert suite.body == saved.body
    assert found.spec.suites[0].options == {"suite": suite.id}
    assert {there.get_study(s).spec.suite.options["suite"] for s in found.studies.values()} == {suite.id}


def _copy(store: SqlStore, study_id: str, to: str) -> None:
    from autoflow.study import StudyBatch

    one = store.get_study(study_id)
    outcomes = [(outcome, ()) for _, outcome in store.study_outcomes(study_id)]
    store.add_to_study(
        StudyBatch(to, store.study_candidates(study_id), outcomes, stop=one.stop, best=one.best, rounds=1)
    )


def test_only_what_has_ended_is_recorded_and_it_says_with_what(tmp_path: Path) -> None:
    store, path = open_store(), tmp_path / "x"
    for state in ("waiting", "failed", "paused", "deleted"):
        made = written(store, generators=("openai:a",), states={"0-0-1-0": state})
        with pytest.raises(SettingsError, match=r"1 of 2 cells .* have not ended, or are gone"):
            save_benchmark(store, made.id, path, WORDS)
    with pytest.raises(SettingsError, match="must say"):
        save_benchmark(store, written(store).id, path, " ")
    with pytest.raises(NotFound):
        save_benchmark(store, "bm_000000000000", path, WORDS)
    assert not path.exists()


def changed(change: Callable[[Lines], Any]) -> Callable[[Lines], Lines]:
    def made(lines: Lines) -> Lines:
        change(lines)
        return lines

    return made


BROKEN: list[tuple[str, Callable[[Lines], Lines], str]] = [
    ("cut off in a study", lambda lines: lines[:-5], "it was cut off"),
    ("cut off after a study", lambda lines: lines[:-1], "it was cut off"),
    ("a study less", lambda lines: lines[: 1 + next(n for n, x in enumerate(lines) if "end" in x)], "does not say so"),
    ("more after the end", lambda lines: [*lines, lines[-1]], "something comes after the end"),
    ("a study", lambda lines: lines[1:], "its first line does not say so"),
    ("empty", lambda lines: [], "its first line does not say so"),
    ("newer", changed(lambda lines: lines[0].update(version=2)), "it has version 2"),
    ("no words", changed(lambda lines: lines[0].update(words="")), "line 1, `words`"),
    (
        "a foreign cell",
        changed(lambda lines: lines[0].update(cells=["0-0-0-0", "9-9-9-9"])),
        "are not those of its grid",
    ),
    ("a cell twice", changed(lambda lines: lines[0].update(cells=["0-0-0-0", "0-0-0-0"])), "is there twice"),
    ("a cell less", changed(lambda lines: lines[0].update(cells=["0-0-0-0"])), "one is missing"),
    (
        "a grid without an end",
        changed(
            lambda lines: lines[0]["spec"].update(
                generators=[f"g{n}" for n in range(30_000)], interpreters=[f"i{n}" for n in range(30_000)]
            )
        ),
        "its grid has 900,000,000 cells",
    ),
    (
        "another generator",
        changed(lambda lines: lines[0]["spec"].update(generators=["openai:x"])),
        "has another generator",
    ),
    (
        "models the other way round",
        changed(lambda lines: lines[0]["spec"]["interpreters"].reverse()),
        "the study of its cell 0-0-0-0 has another interpreter",
    ),
    ("another suite", changed(lambda lines: lines[0]["spec"]["suites"][0].update(seed=7)), "has another suite"),
    ("no cells", changed(lambda lines: lines[0].update(cells=[])), "line 1, `cells`"),
    ("a score of 2", changed(lambda lines: lines[-3]["outcome"].update(score=2)), "`outcome.score`"),
]


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_file_that_is_wrong_is_refused_and_nothing_is_written(
    there: SqlStore, file: Path, change: Callable[[Lines], Lines], said: str
) -> None:
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in change(lines)).encode()))
    with pytest.raises(SettingsError) as caught:
        load_benchmark(there, file)
    assert said in str(caught.value)
    assert "is no recording of a benchmark" in str(caught.value)
    assert there.list_studies() == there.list_benchmarks() == []


def test_the_two_kinds_of_recordings_are_told_apart(there: SqlStore, file: Path, tmp_path: Path) -> None:
    here, study = open_store(), tmp_path / "study.json.gz"
    save_recording(here, finished_study(here, rounds=0).id, study, WORDS)
    assert (is_benchmark(file), is_benchmark(study)) == (True, False)
    with pytest.raises(SettingsError, match="no recording of a study"):
        load_recording(there, file)
    with pytest.raises(SettingsError, match="no recording of a benchmark"):
        load_benchmark(there, study)
    (tmp_path / "text").write_text("x")
    with pytest.raises(SettingsError, match="no recording"):
        is_benchmark(tmp_path / "text")
