"""Questions about coloured shapes, answered by a small network that `scripts/train_shapes.py` trained on easy-vqa.

It knows pictures of one shape on a light ground and thirteen answers, and nothing else: the only answering of questions
about pictures that works without the hub.

Of the 9,673 test questions of easy-vqa it answers 99.7 % rightly (by picture 99.7 %, 95 % interval 99.6 to 99.8, over
the 1,000 test pictures, none of which it was trained on): `python scripts/train_shapes.py --seed 0`, 3 minutes on one
core. A network that only reads the question gets 67 %.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from autoflow.errors import ToolNotLoaded
from autoflow.tools.openagi.images import Picture

NAME = "easy-vqa network"
FILE = Path(__file__).resolve().parents[3] / "assets" / "openagi" / "shapes.safetensors"
CURE = "Install AutoFlow anew."
SIDE = 64  # pixels that it looks at
_WORD = re.compile(r"[a-z]+")


def answered(image: Picture, question: str) -> str:
    """The likeliest of its answers. Raises ToolNotLoaded: its weights are missing or damaged."""
    return _network().answers([(image, question)])[0]


def words_of(question: str, words: Sequence[str]) -> list[float]:
    """(W,): how often each known word stands in the question."""
    said = _WORD.findall(question.lower())
    return [float(said.count(word)) for word in words]


def pixels_of(image: Picture) -> Any:
    """(3, 64, 64), in [-0.5, 0.5]."""
    import numpy as np
    import torch

    small = np.asarray(image.convert("RGB").resize((SIDE, SIDE)), dtype=np.float32) / 255 - 0.5
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(small, -1, 0)))


def build(words: int, answers: int) -> Any:
    """The network. Its forward takes pixels (P, 3, 64, 64), words (B, W) and which picture each question is about (B,)
    and gives logits (B, A): many questions about one picture look at it once.
    """
    import torch
    from torch import nn

    def seen(before: int, after: int) -> tuple[nn.Module, ...]:
        return nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)

    class Shapes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.image = nn.Sequential(
                *seen(3, 16), *seen(16, 32), *seen(32, 32), nn.Flatten(), nn.Linear(32 * 8 * 8, 64), nn.BatchNorm1d(64)
            )  # normalized to the end: without it the product with the question starves, and pictures are not learned
            self.question = nn.Sequential(nn.Linear(words, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.answer = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, answers))

        def forward(self, pixels: torch.Tensor, words: torch.Tensor, which: torch.Tensor) -> Any:
            return self.answer(self.image(pixels)[which] * self.question(words))

    return Shapes()


class _Network:
    def __init__(self) -> None:
        from safetensors import safe_open

        if not FILE.is_file():
            raise ToolNotLoaded(f"The weights {FILE.name} of the {NAME} are missing.", CURE)
        with safe_open(FILE, framework="pt") as file:
            told = json.loads(file.metadata()["about"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        self._words, self._answers = told["words"], told["answers"]
        self._lock = threading.Lock()
        self._model = build(len(self._words), len(self._answers))
        self._model.load_state_dict(weights)
        self._model.eval()

    def answers(self, asked: Sequence[tuple[Picture, str]]) -> list[str]:
        import torch

        pixels = torch.stack([pixels_of(image) for image, _ in asked])
        words = torch.tensor([words_of(question, self._words) for _, question in asked])
        with self._lock, torch.inference_mode():
            logits = self._model(pixels, words, torch.arange(len(asked)))
            return [self._answers[int(n)] for n in logits.argmax(-1)]


@cache
def _network() -> _Network:
    try:
        return _Network()
    except ToolNotLoaded:
        raise
    except Exception as error:  # a file may hold anything
        raise ToolNotLoaded(f"The weights {FILE.name} of the {NAME} are damaged.", CURE) from error
