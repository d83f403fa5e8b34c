"""A training of the tiny model, in the test's process or, run as a script, in one of its own that can be killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from autoflow.train import checkpoint
from autoflow.train.settings import SamplingSettings, TrainSettings
from autoflow.train.step import Reward, Work
from autoflow.train.trainer import Trainer
from tests.train.tiny import ENDS, decode, policy

SETTINGS = TrainSettings(
    sampling=SamplingSettings(top_k=6, top_p=0.95, max_new_tokens=6),
    steps=7, group=3, accumulate=2, micro_batch=4, learning_rate=0.01, warmup=3, keep_best=2, kl_limit=50.0,
)  # fmt: skip
PROMPTS = [[1, 2], [3], [4, 5, 6]]


def share_of_b(texts: Sequence[str]) -> list[float]:
    return [text.count("b") / max(1, len(text)) for text in texts]


def trainer(
    folder: Path | None = None, settings: TrainSettings = SETTINGS, reward: Reward = share_of_b, device: str = "cpu"
) -> Trainer:
    ours = policy(9, dropout=settings.adapter.dropout, moved=False, device=device)
    return Trainer(ours, Work(PROMPTS, reward, decode, ENDS), settings, folder)


def dying_at(call: int) -> Reward:
    """A reward in whose given call the process is killed."""
    calls = iter(range(1, 1000))

    def reward(texts: Sequence[str]) -> list[float]:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return share_of_b(texts)

    return reward


def die_while_saving(call: int) -> None:
    """The process is killed in the midst of a checkpoint: weights are written, the rest is not."""
    calls, real = iter(range(1, 1000)), checkpoint.save_file

    def save_file(tensors: dict[str, torch.Tensor], path: Path) -> None:
        real(tensors, path)
        if path.name == checkpoint.OPTIMIZER and next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.save_file = save_file


def main(folder: str, where: str, call: str) -> None:
    torch.set_num_threads(1)
    reward: Callable[[Sequence[str]], Sequence[float]] = share_of_b
    if where == "reward":
        reward = dying_at(int(call))
    elif where == "saving":
        die_while_saving(int(call))
    trainer(Path(folder), reward=reward).train()


if __name__ == "__main__":
    main(*sys.argv[1:])
