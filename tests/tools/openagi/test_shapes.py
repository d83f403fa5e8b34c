"""Questions about coloured shapes: the weights that are shipped reach what is said of them, and the tool answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from easy_vqa import get_test_image_paths, get_test_questions
from PIL import Image
from safetensors import safe_open

from autoflow.errors import ToolFailed
from autoflow.tools.openagi import shapes
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.images import Picture, as_shown

SAID = 0.997  # of the test questions, as `shapes.py` says
SAMPLE = 40  # pictures, every 25th of the test pictures


def sample() -> tuple[list[tuple[Picture, str]], list[str]]:
    """All test questions about some test pictures, as the benchmark shows these; and the right answers."""
    paths = get_test_image_paths()
    pictures = {name: as_shown(Image.open(paths[name]).convert("RGB")) for name in sorted(paths)[:: 1000 // SAMPLE]}
    found = [(q, a, name) for q, a, name in zip(*get_test_questions(), strict=True) if name in pictures]
    return [(pictures[name], question) for question, _, name in found], [answer for _, answer, _ in found]


def test_the_shipped_weights_reach_what_is_said_of_them() -> None:
    asked, right = sample()
    assert len(asked) > 300
    answers = shapes._network().answers(asked)
    share = sum(a == b for a, b in zip(answers, right, strict=True)) / len(right)
    assert share > SAID - 0.01, f"{share:.3f} of {len(right)}"
    assert len(set(answers)) == 13, "every kind of answer is given"


def test_the_docstring_says_what_was_measured_when_they_were_made() -> None:
    with safe_open(shapes.FILE, framework="pt") as file:
        about = json.loads(file.metadata()["about"])
    assert about["test"] == pytest.approx(SAID, abs=5e-4)
    assert f"{about['test']:.1%}".replace("%", " %") in " ".join((shapes.__doc__ or "").split())
    assert shapes.FILE.stat().st_size < 3_000_000


async def test_the_tool_answers_each_question_by_its_picture() -> None:
    """One batch gives what one by one gives: an answer depends on its own picture alone."""
    asked, right = sample()
    colours = [(pair, answer) for pair, answer in zip(asked, right, strict=True) if "color is the shape" in pair[1]][:6]
    assert len({answer for _, answer in colours}) > 2
    expert = OpenAGIExperts("offline").find("Visual Question Answering")
    assert await expert.run([pair for pair, _ in colours]) == [answer for _, answer in colours]
    assert [(await expert.run([pair]))[0] for pair, _ in colours] == [answer for _, answer in colours]


async def test_other_questions_and_pictures_get_one_of_its_answers() -> None:
    expert = OpenAGIExperts("offline").find("Visual Question Answering")
    made = await expert.run([(Image.new("RGB", (1, 1)), ""), (Image.new("RGB", (700, 20)), "Wer? 何? " * 1000)])
    _, right = sample()
    assert set(made) <= set(right)


async def test_without_its_weights_the_tool_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "FILE", tmp_path / "shapes.safetensors")
    shapes._network.cache_clear()
    try:
        with pytest.raises(ToolFailed, match=r"easy-vqa network, whose weights shapes\.safetensors are missing"):
            await OpenAGIExperts("offline").find("Visual Question Answering").run([(Image.new("RGB", (9, 9)), "what?")])
    finally:
        shapes._network.cache_clear()
