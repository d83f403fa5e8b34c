"""`autoflow benchmark`: a grid from the command line, its files, and what it says where it cannot begin or go on."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoflow.cli.cells import carry_out_cells
from autoflow.optimize.benchmarking import start_benchmark
from autoflow.store import SqlStore, open_store
from tests import grids
from tests.cli.conftest import Cli, Result

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--method", "paper", "--rounds", "1", "--train", "2", "--val", "3", "--test", "4")
PATIENCE_S = 60.0


@pytest.fixture
def models(tmp_path: Path) -> tuple[str, str]:
    """Both propose the same workflow; the first carries it out better."""
    return grids.script(tmp_path / "a.jsonl"), grids.script(tmp_path / "b.jsonl", "Image Denoising")


@pytest.fixture
def measure(cli: Cli, models: tuple[str, str]) -> Callable[..., Result]:
    """`autoflow benchmark` on a small grid of both models on both sides."""
    both = [part for model in models for part in ("--generator", model, "--interpreter", model)]
    return lambda *more: cli("benchmark", *both, *SMALL, *more)


def the_one(store: SqlStore) -> str:
    (found,) = store.list_benchmarks()
    return found.id


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))


def test_a_grid_is_measured_and_told(measure: Callable[..., Result], models: tuple[str, str]) -> None:
    told = measure("--json", "--name", "Ours  \n and theirs")
    assert told.code == 0, told.err
    found = told.json
    assert (found["name"], found["done"], len(found["cells"])) == ("Ours and theirs", 4, 4)
    assert {cell["state"] for cell in found["cells"]} == {"done"}
    pairs = [(line["interpreter"], line["generator"]) for line in found["lines"] if line["workflow"] == "generated"]
    assert pairs == [(a, b) for a in models for b in models]
    manual = [line["interpreter"] for line in found["lines"] if line["workflow"] == "manual"]
    assert manual == list(models), "no generator has part in the manual workflow: it is told once an interpreter"
    best, other = (line["average"]["mean"] for line in found["lines"] if line["generator"] == models[0])
    assert best > other > 0
    (mixed,) = found["synergy"]
    assert mixed["low"] <= mixed["mean"] <= mixed["high"]
    assert found["answers"][0].startswith("Best mixed pair (")
    assert found["published"][1]["manual"] == 0.6104


def test_the_table_says_what_is_measured_and_what_was_published(measure: Callable[..., Result]) -> None:
    told = measure()
    assert told.code == 0, told.err
    assert re.search(r"generated +openagi-plan", told.out)
    assert "Published, not measured here: GPT-4 (1106-preview): manual 0.6104, generated 0.6501" in told.err
    assert "0.6104" not in told.out
    assert "Plans are scored by rule and not carried out" in told.err


def test_files_hold_every_cell_and_every_task(measure: Callable[..., Result], tmp_path: Path) -> None:
    names = {name: tmp_path / f"out.{name}" for name in ("html", "csv", "csv-tasks", "latex")}
    told = measure(*(part for name, path in names.items() for part in (f"--{name}", str(path))))
    assert told.code == 0, told.err
    lines, tasks = rows(names["csv"]), rows(names["csv-tasks"])
    assert len(lines) == 8, "manual and plain prompt of two interpreters, and four cells"
    assert len(tasks) == 8 * 4
    for line in lines:
        same = ("interpreter", "generator", "workflow")
        scores = [float(t["score"]) for t in tasks if all(t[key] == line[key] for key in same)]
        assert sum(scores) / len(scores) == pytest.approx(float(line["average"]))
    tex = names["latex"].read_text("utf-8")
    assert tex.count(r"\\") >= 8
    assert "not measured here" in tex
    page = names["html"].read_text("utf-8")
    assert "Published, not measured" in page
    assert not re.search(r"(src|href)=", page)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--preset", "qick"), "no preset `qick`"),
        (("--generator", "nobody"), "nobody"),
        (("--suite", "nowhere"), "no suite `nowhere`"),
        (("--max-calls", "2"), "cannot begin: 2 calls are too few"),
        (("--train", "0"), "tasks to learn from"),
        (("--test", "500"), "the splits ask for"),
        (("--provider", "hub"), "No suite of the grid is `openagi`"),
        (("--suite", "openagi", "--data", "/nowhere/at/all"), "/nowhere/at/all"),
        (("--suite", "openagi-plan", "--suite", "openagi-plan"), "stands in the grid twice"),
        (("--resume", "bm_000000000000"), "--generator means nothing"),
        (("--show", "bm_000000000000", "--resume", "bm_000000000000"), "--generator means nothing"),
    ],
)  # fmt: skip
def test_what_cannot_begin_is_told_before_anything_is_kept(
    measure: Callable[..., Result], more: tuple[str, ...], words: str
) -> None:
    told = measure(*more)
    assert told.code == 2
    assert words.casefold() in told.err.casefold()
    store = open_store()
    assert store.list_benchmarks() == store.list_studies() == store.list_jobs() == []


@pytest.mark.parametrize("option", ["--resume", "--show"])
@pytest.mark.parametrize("named", ["bm_000000000000", "st_000000000000", "../x"])
def test_a_benchmark_that_is_not_there_is_not_found(cli: Cli, option: str, named: str) -> None:
    told = cli("benchmark", option, named)
    assert told.code == 2
    assert "There is no benchmark" in told.err
    assert cli("benchmark", option, named, "--json").json["error"]["type"] == "NotFound"


def test_too_many_cells_are_refused(cli: Cli, tmp_path: Path) -> None:
    names = [grids.script(tmp_path / f"{n}.jsonl") for n in range(21)]
    both = [part for name in names for part in ("--generator", name, "--interpreter", name)]
    told = cli("benchmark", *both)
    assert (told.code, "The grid has 441 cells; up to 400" in told.err) == (2, True)
    assert open_store().list_studies() == []


def test_without_rounds_nothing_is_searched_and_nothing_is_called_generated(measure: Callable[..., Result]) -> None:
    found = measure("--rounds", "0", "--json").json
    assert {line["workflow"] for line in found["lines"]} == {"manual", "plain prompt"}
    assert found["synergy"] == []
    assert all("generated" not in answer for answer in found["answers"])


def test_ablations_are_told_against_their_first_variant(measure: Callable[..., Result]) -> None:
    found = measure("--preset", "memory", "--json").json
    assert len(found["cells"]) == 4 * 5
    assert [one["variant"] for one in found["variants"]] == [
        "memory embedding",
        "memory none",
        "memory direct",
        "memory traverse",
    ]
    assert all((one["against"], one["pairs"], one["tasks"]) == ("memory all", 4, 4) for one in found["variants"])


def test_detached_it_is_left_to_workers_and_taken_up_with_resume(measure: Callable[..., Result], cli: Cli) -> None:
    left = measure("--detach", "--json")
    assert (left.code, left.json["done"]) == (0, 0)
    assert {cell["state"] for cell in left.json["cells"]} == {"waiting"}
    store, named = open_store(), left.json["benchmark"]
    assert cli("benchmark", "--show", named, "--json").json["done"] == 0
    done = cli("benchmark", "--resume", named, "--json")
    assert (done.code, done.json["done"]) == (0, 4), done.err
    outcomes = [len(store.study_outcomes(study_id)) for study_id in store.get_benchmark(named).studies.values()]
    again = cli("benchmark", "--resume", named, "--json")
    assert again.json == done.json
    assert [len(store.study_outcomes(s)) for s in store.get_benchmark(named).studies.values()] == outcomes


def test_a_cell_that_fails_is_told_and_the_others_go_on(cli: Cli, models: tuple[str, str], tmp_path: Path) -> None:
    gone = tmp_path / "gone.jsonl"
    gone.write_text('{"match": "", "error": "the server is down"}\n')
    asked = ("--generator", models[0], "--interpreter", f"scripted:{gone}", "--interpreter", models[0], *SMALL)
    told = cli("benchmark", *asked, "--json")
    assert told.code == 1
    assert [cell["state"] for cell in told.json["cells"]] == ["failed", "done"]
    assert "the server is down" in told.json["cells"][0]["words"]
    grids.script(gone)  # it is mended
    mended = cli("benchmark", "--resume", told.json["benchmark"], "--json")
    assert (mended.code, [cell["state"] for cell in mended.json["cells"]]) == (0, ["done", "done"])


def test_a_cell_whose_study_was_deleted_is_left_out(measure: Callable[..., Result], cli: Cli) -> None:
    measure("--detach")
    store = open_store()
    named = the_one(store)
    store.delete_study(next(iter(store.get_benchmark(named).studies.values())))
    told = cli("benchmark", "--resume", named, "--json")
    assert (told.code, [cell["state"] for cell in told.json["cells"]]) == (0, ["deleted", *["done"] * 3])
    assert "its study was deleted" in told.err
    assert cli("benchmark", "--show", named).code == 0


def test_a_recording_is_shown_and_not_carried_out(cli: Cli) -> None:
    made = grids.written(open_store(), recorded="Made up.", states={"0-0-0-0": "deleted"})
    told = cli("benchmark", "--resume", made.id)
    assert told.code == 0
    assert "This is a recording" in told.err
    assert "Made up." in told.err


def test_names_that_steer_are_shown_harmless(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    made = grids.written(
        open_store(), "x\x1b[2J</script>", generators=("openai:a\x1b[31m", "=1+1"), interpreters=("openai:<b>",)
    )
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    told = cli("benchmark", "--show", made.id)
    assert told.code == 0
    assert "\x1b" not in told.err
    assert "\x1b" not in told.out


def test_ctrl_c_pauses_all_cells_and_resume_ends_with_the_same(tmp_path: Path, home: Path) -> None:
    """In a process of its own, which gets a real signal."""
    slow = tmp_path / "slow.jsonl"
    slow.write_text('{"match": "Provide a new workflow", "reply": "' + grids.BETTER.strip() + '"}\n'
                    '{"match": "", "reply": "Image Denoising", "latency_s": 1.5}\n')  # fmt: skip
    other = grids.script(tmp_path / "b.jsonl")
    store = open_store()
    made = start_benchmark(store, "Slow", grids.spec([f"scripted:{slow}", other], [f"scripted:{slow}"]))
    command = [sys.executable, "-m", "autoflow.cli", "benchmark", "--resume", made.id]
    first = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "AUTOFLOW_HOME": str(home)}, stderr=subprocess.PIPE, text=True
    )
    study = next(iter(made.studies.values()))
    wait_until(lambda: len(store.study_outcomes(study)) > 1)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 0, told
    assert f"Paused. Go on: autoflow benchmark --resume {made.id}" in told
    assert {job.state for job in store.benchmark_jobs(made.id).values()} == {"paused"}
    slow.write_text(slow.read_text().replace("1.5", "0.0"))
    assert carry_out_cells(store, made, None) == 0
    assert {s.stop for s in store.benchmark_studies(made.id).values()} == {"rounds"}
    outcomes = [o for _, o in store.study_outcomes(study)]
    assert len({(o.candidate, o.task, o.repeat) for o in outcomes}) == len(outcomes)


def test_cells_that_workers_have_keep_no_free_one_waiting_and_ctrl_c_pauses_all(tmp_path: Path, home: Path) -> None:
    """The first cell is a worker's, and stays so: the second is done meanwhile, and Ctrl-C ends the waiting."""
    model = grids.script(tmp_path / "a.jsonl")
    other = grids.script(tmp_path / "b.jsonl")
    store = open_store()
    made = start_benchmark(store, "Shared", grids.spec([model, other], [model]))
    first, second = made.studies.values()
    jobs = store.benchmark_jobs(made.id)
    lease = store.claim("a worker elsewhere", lease_s=3600, job_id=jobs[first].id)
    assert lease is not None
    command = [sys.executable, "-m", "autoflow.cli", "benchmark", "--resume", made.id]
    here = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "AUTOFLOW_HOME": str(home)}, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: store.get_job(jobs[second].id).state == "done")
        assert here.stderr is not None
        said = []
        while not (said and "Waiting for workers, who have 1 cell." in said[-1]):
            said.append(here.stderr.readline())
            assert said[-1], said
        here.send_signal(signal.SIGINT)
        _, told = here.communicate(timeout=PATIENCE_S)
    finally:
        here.kill()
    assert here.returncode == 0, told
    assert f"Paused. Go on: autoflow benchmark --resume {made.id}" in told
    assert store.get_job(jobs[first].id).state == "pausing", "its worker was asked"


def wait_until(found: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
