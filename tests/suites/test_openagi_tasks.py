"""The grammar of the 185 objectives against the official list, where one is at hand."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from autoflow.metrics.plan import gold_plan
from autoflow.suites.openagi_tasks import openagi_tasks

DATA = os.environ.get("AUTOFLOW_OPENAGI_DATA", "")


def test_there_are_185_of_six_kinds() -> None:
    assert len({task.objective for task in openagi_tasks()}) == 185
    assert Counter(task.kind for task in openagi_tasks()) == {
        "image-image": 15, "image-text": 90, "text-image": 2, "text-text": 10, "image-query-text": 60,
        "document-query-text": 8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "objective", "gold"),
    [
        (1, "Given noisy blurry grayscale image, how to return the regular image step by step?",
         ("Image Denoising", "Image Deblurring", "Colorization")),
        (107, "Given clozed English text, how to return the summarization in German step by step?",
         ("Fill Mask", "Text Summarization", "Machine Translation")),
        (177, "Given clozed English document and clozed English query, how to answer the question in German step by "
         "step?", ("Fill Mask", "Fill Mask", "Question Answering", "Machine Translation")),
    ],
)  # fmt: skip
def test_objectives_and_their_gold_plans(number: int, objective: str, gold: tuple[str, ...]) -> None:
    task = openagi_tasks()[number]
    assert (task.number, task.objective, gold_plan(task.plan)) == (number, objective, gold)


@pytest.mark.skipif(not DATA, reason="AUTOFLOW_OPENAGI_DATA does not name the official data")
def test_the_sentences_are_the_official_ones_in_their_order() -> None:
    path = Path(DATA)
    lines = (path if path.is_file() else path / "task_description.txt").read_text("utf-8").splitlines()
    assert [task.objective for task in openagi_tasks()] == [line.strip() for line in lines if line.strip()]
