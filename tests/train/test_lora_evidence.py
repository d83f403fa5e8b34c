"""The evidence of trainings: what a sample is worth there, and that the report is made of the lines that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoflow.suites.openagi import MANUAL
from autoflow.train.figures import StepFigures
from autoflow.train.settings import TrainSettings
from bench.real.lora_file import LoraFile, mark
from bench.real.lora_report import write_report

EXAMPLE = "\n".join(line for line in MANUAL.read_text("utf-8").splitlines() if not line.startswith("#"))
OTHER = "Step 1:::process:::Say what is seen.:::next::Step 2\nStep 2:::terminal:::Give a name to it.:::"


def test_prose_errors_copies_changed_copies_and_new_texts_earn_more_in_this_order() -> None:
    changed = EXAMPLE.replace("no::Step 3", "no::Step 2")
    texts = ["I would be glad to help.", OTHER.replace("Step 2\n", "Step 9\n"), EXAMPLE, changed, OTHER]
    marked = [mark(text, EXAMPLE, ended=True) for text in texts]
    assert [m.counts for m in marked] == [False, False, False, True, True]
    rewards = [m.reward for m in marked]
    assert rewards == sorted(set(rewards))
    assert rewards[0] == -1
    assert rewards[3:] == pytest.approx([0.5, 1.0])
    assert marked[3].distance == 0
    assert marked[4].distance > 0.3


def test_a_text_that_was_cut_off_does_not_count() -> None:
    assert not mark(OTHER, EXAMPLE, ended=False).counts


def test_a_step_is_kept_once_and_trainings_do_not_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lora.jsonl"
    one, other = LoraFile(path, "one"), LoraFile(path, "other")
    for _ in range(2):
        one.add({"step": 1}, [OTHER, EXAMPLE], [mark(text, EXAMPLE, ended=True) for text in (OTHER, EXAMPLE)])
    (line,) = one.steps
    assert (line["counts"], line["copies"], line["errors"], line["distinct_that_count"]) == (0.5, 0.5, 0, 1)
    assert other.steps == []


def test_a_report_tells_of_trainings_on_the_cpu_and_beside_them_of_those_on_a_gpu(tmp_path: Path) -> None:
    figures = StepFigures.model_construct(**dict.fromkeys(StepFigures.model_fields, 1)).model_dump()
    told = {"model": "local:m", "date": "2026-01-01 00:00", "settings": TrainSettings().model_dump(mode="json"),
            "messages": ["Write."], "threads": 1, "versions": {"torch": "2"}}  # fmt: skip
    marked = [mark(text, EXAMPLE, ended=True) for text in (OTHER, EXAMPLE)]
    for path, device in ((tmp_path / "lora.jsonl", "CPU"), (tmp_path / "gpu.jsonl", "Fast one")):
        LoraFile(path, "one").begin({**told, "device": device})
        for step in (1, 2):
            LoraFile(path, "one").add({**figures, "step": step}, [OTHER, EXAMPLE], marked)
    files = tmp_path / "lora.jsonl", ["one", "two"], tmp_path / "lora.md", tmp_path / "lora.svg", "## Before"
    write_report(*files, gpu=tmp_path / "gpu.jsonl")
    text = (tmp_path / "lora.md").read_text("utf-8")
    assert text.count("| one | 2 | 0.50 → 0.50 |") == 2
    assert text.index("on the CPU") < text.index("on one Fast one") < text.index("## Before")
    write_report(*files, gpu=tmp_path / "nowhere.jsonl")
    assert "On a GPU" not in (tmp_path / "lora.md").read_text("utf-8")


def test_there_is_no_report_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none of seed-0"):
        write_report(tmp_path / "lora.jsonl", ["seed-0"], tmp_path / "lora.md", tmp_path / "lora.svg", "")
