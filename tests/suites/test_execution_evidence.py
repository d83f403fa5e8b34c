"""The evidence of execution: which orders are wrong, and that its report lists what speaks against it."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autoflow.suites.openagi_tasks import openagi_tasks
from bench.real.execution_report import report

LINES = Path(__file__).parents[2] / "docs" / "evidence" / "execution.jsonl"


def line(role: str, plan: list[str], score: float, psnr: float, task: int = 9) -> dict[str, Any]:
    figures = {"score": [score, score + 0.01], "psnr": [psnr, psnr + 1], "ssim": [0.5, 0.6]}
    return {"task": task, "kind": "image-image", "role": role, "plan": plan, "failed": "", "asks": False,
            "date": "2026-01-01", **figures}  # fmt: skip


RIGHT = line("right", ["Image Denoising", "Image Deblurring"], 0.8, 30)


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ")[0]


def test_cells_in_which_the_score_prefers_the_worse_picture_are_listed() -> None:
    empty, wrong = line("empty", [], 0.9, 25), line("wrong", ["Image Deblurring", "Image Denoising"], 0.7, 28)
    text = report([RIGHT, empty, wrong], "m", "model")
    disagreeing = section(text, "Where the score prefers the worse picture")
    assert "prefer different plans: 1." in disagreeing
    assert "| none | -0.100 [-0.100, -0.100] | +5.0 [+5.0, +5.0] |" in disagreeing
    assert "Image Deblurring, Image Denoising" not in disagreeing
    assert "Of 2 comparisons: 1." in section(text, "Where the right plan scores below the other")


def test_where_nothing_speaks_against_it_the_report_says_none() -> None:
    text = report([RIGHT, line("empty", [], 0.5, 25)], "m", "model")
    assert section(text, "Where the score prefers the worse picture").rstrip().endswith("None.")


def test_the_report_is_made_of_the_lines_that_are_kept() -> None:
    """Of every task the right plan and the empty one; of every plan a figure a sample."""
    lines = [json.loads(text) for text in LINES.read_text("utf-8").splitlines()]
    text = report(lines, lines[0]["mark"], "qwen2.5-coder-1.5b")
    assert text == LINES.with_suffix(".md").read_text("utf-8"), "run: python bench/evidence_execution.py --report"
    roles = {(line["task"], line["role"]) for line in lines}
    assert {task for task, role in roles if role == "right"} == {task for task, role in roles if role == "empty"}
    assert len({task for task, _ in roles}) == 36


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, which changes the environment where it is imported."""
    for name in ("AUTOFLOW_MODELS_DIR", "AUTOFLOW_SERVER_DIR", "AUTOFLOW_HOME"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.syspath_prepend(str(LINES.parents[2]))
    return importlib.import_module("bench.evidence_execution")


def test_the_mark_knows_all_that_the_results_depend_on(bench: ModuleType) -> None:
    root = LINES.parents[2]
    named = {str(file.relative_to(root)) for pattern in bench.CODE for file in root.glob(pattern)}
    assert {"autoflow/tools/openagi/experts.py", "autoflow/metrics/plan.py", "autoflow/suites/openagi_run.py"} <= named
    assert all(any(root.glob(pattern)) for pattern in bench.CODE)


def test_a_plan_that_was_carried_out_is_known_at_once_and_afterwards(
    bench: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    work, log = bench.Work(openagi_tasks()[9], "wrong", ("Image Deblurring",)), bench.Log()
    assert not log.has(work)
    log.add({"task": 9, "plan": work.plan, "role": "wrong"})
    assert log.has(work)
    assert bench.Log().has(work)
