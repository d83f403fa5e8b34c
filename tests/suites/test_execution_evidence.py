"""The evidence of execution: which orders are wrong, and that its report lists what speaks against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
