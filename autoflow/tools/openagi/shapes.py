"""Questions about coloured shapes, answered by a small network that `scripts/train_shapes.py` trained on easy-vqa.

It knows pictures of one shape on a light ground and thirteen answers, and nothing else: the only answering of questions
about pictures that works without the hub.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from autoflow.errors import ToolFailed
from autoflow.tools.openagi.images import Picture

NAME = "easy-vqa network"
FILE = Path(__file__).resolve().parents[3] / "assets" / "openagi" / "shapes.safetensors"
CURE = "Install AutoFlow anew."
SIDE = 64  # pixels that it looks at
_WORD = re.compile(r"[a-z]+")


def answered(image: Picture, question: str) -> str:
    """The likeliest of its answers. Raises ToolFailed: its weights are missing."""
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
    """The network. Its forward takes pixels (B, 3, 64, 64) and words (B, W), and gives logits (B, A)."""
    import torch
    from torch import nn

    class Shapes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.image = nn.Sequential(
                nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(16 * 8 * 8, 64), nn.Tanh(),
            )  # fmt: skip
            self.question = nn.Sequential(nn.Linear(words, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.answer = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, answers))

        def forward(self, pixels: torch.Tensor, words: torch.Tensor) -> Any:
            return self.answer(self.image(pixels) * self.question(words))

    return Shapes()


class _Network:
    def __init__(self) -> None:
        from safetensors import safe_open

        if not FILE.is_file():
            raise ToolFailed(f"The weights {FILE.name} of the {NAME} are missing.", CURE)
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
            return [self._answers[int(n)] for n in self._model(pixels, words).argmax(-1)]


@cache
def _network() -> _Network:
    return _Network()
