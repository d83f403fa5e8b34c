"""The evidence of trainings that are studies: lines that grow with the study, and a report that is made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from autoflow.optimize.view import StudyView
from autoflow.store import SqlStore, open_store
from bench.real.scores_file import ScoresFile
from bench.real.scores_report import write_report
from tests.training import trained
from tests.trainings import new_training, trained_study

STEP = {"sound": 1.0, "score": None, "distinct_that_count": 2, "texts": []}
FIGURES = {"reward_mean": -0.5, "kl": 0.01, "entropy": 0.3, "seconds": 60.0, "reward_s": 30.0}
SPEC = {
    "generator": "local:a", "interpreter": "embedded:b", "baseline": None, "options": {"group": 8},
    "suite": {"name": "tiny", "train": 1, "val": 1, "test": 1}, "policy": {"max_steps": 8, "answer_tokens": 48},
    "reward": {"valid": 0.25},
}  # fmt: skip


@pytest.fixture
def store() -> SqlStore:
    return open_store()


def view_of(store: SqlStore, study_id: str) -> StudyView:
    outcomes = [outcome for _, outcome in store.study_outcomes(study_id)]
    return StudyView(store.get_study(study_id), store.study_candidates(study_id), outcomes)


def test_lines_grow_with_the_training_and_none_is_written_twice(store: SqlStore, tmp_path: Path) -> None:
    file, writer = ScoresFile(tmp_path / "scores.jsonl", "one"), new_training(store)
    for step in (1, 2, 3):
        writer.train(step)
        for _ in range(2):
            file.write(view_of(store, writer.study.id), store.training_steps(writer.study.id))
        assert [line["step"] for line in file.steps] == list(range(1, step + 1))
    assert [bool(line["texts"]) for line in file.steps] == [True, False, False]
    assert not file.ended
    writer.end()
    for _ in range(2):
        file.write(view_of(store, writer.study.id), store.training_steps(writer.study.id))
    assert file.ended
    assert sum("stop" in line for line in file.lines()) == sum("begun" in line for line in file.lines()) == 1
    assert ScoresFile(tmp_path / "scores.jsonl", "other").lines() == []


def test_steps_of_another_training_are_not_put_behind_those_that_are_there(store: SqlStore, tmp_path: Path) -> None:
    file, study = ScoresFile(tmp_path / "scores.jsonl", "one"), trained_study(store, steps=2)
    file.write(view_of(store, study.id), store.training_steps(study.id))
    there = file.lines()
    other = [trained(step) for step in (1, 2, 3)]
    with pytest.raises(ValueError, match="holds another training as one: step 1 differs"):
        file.write(view_of(store, study.id), other)
    assert file.lines() == there


def test_the_report_tells_of_trainings_that_ended_and_of_those_that_go_on(store: SqlStore, tmp_path: Path) -> None:
    path, ended, begun = (
        tmp_path / "scores.jsonl",
        trained_study(store, steps=7, group=8),
        new_training(store, seed=1, group=8),
    )
    begun.train(1)
    for name, study_id in (("seed-0", ended.id), ("seed-1", begun.study.id)):
        ScoresFile(path, name).write(view_of(store, study_id), store.training_steps(study_id))
    write_report(path, ["seed-0", "seed-1", "seed-2"], tmp_path / "scores.md", tmp_path / "scores.svg", "## Before")
    text = (tmp_path / "scores.md").read_text("utf-8")
    together, first, second = re.split("## Seed [01]", text)
    assert "| Seed 0 | 7 |" in together
    assert "| Seed 1 | 1 |" in together
    assert "differences" not in together
    assert "| 1 to 5 |" in first
    assert "| 6 to 7 |" in first
    assert "and 7 steps. On the sealed test" in first
    assert "| manual workflow, candidate 0 |" in first
    assert "It has not ended yet." not in first
    assert "It has not ended yet." in second
    assert text.rstrip().endswith("## Before")
    assert (tmp_path / "scores.svg").read_text("utf-8").count("<polyline") == 4


def test_there_is_no_report_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no training yet"):
        write_report(tmp_path / "none.jsonl", ["seed-0"], tmp_path / "a.md", tmp_path / "a.svg", "")


def test_what_all_trainings_gained_on_the_test_stands_together(tmp_path: Path) -> None:
    lines = []
    for name, base, trained_ in (("seed-0", 0.1, 0.4), ("seed-1", 0.3, 0.2)):
        means = {"base": base, "trained": trained_, "difference": trained_ - base}
        gain = {key: {"mean": mean, "low": mean - 0.05, "high": mean + 0.05} for key, mean in means.items()}
        lines += [
            {"run": name, "begun": "2026-11-26", "spec": SPEC, "versions": {"torch": "2"}},
            *({"run": name, "step": n, "figures": FIGURES, "counts": n / 10, "runs": 0.0} | STEP for n in range(1, 11)),
            {"run": name, "stop": "time", "minutes": 60.0, "rounds": 10, "scores": {}, "best": "A:::terminal:::B:::",
             "gain": gain | {"samples": 6, "base_runnable": 0.5, "trained_runnable": 1.0, "p": None}},
        ]  # fmt: skip
    path = tmp_path / "scores.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    write_report(path, ["seed-0", "seed-1"], tmp_path / "scores.md", tmp_path / "scores.svg", "")
    text = (tmp_path / "scores.md").read_text("utf-8")
    row = "0.30 to 0.80 | 0.00 to 0.00 | -0.50 to -0.50"
    assert f"| Seed 0 | 10 | {row} | 0.100 | 0.400 | 0.300 [0.250, 0.350] |" in text
    assert f"| Seed 1 | 10 | {row} | 0.300 | 0.200 | -0.100 [-0.150, -0.050] |" in text
    assert "Mean of the 2 differences: +0.100, from -0.100 to +0.300." in text
