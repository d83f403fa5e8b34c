"""A training: steps, a checkpoint after each, the best adapters kept, an end when it has collapsed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from autoflow.train.checkpoint import Best, keep_best, load, save
from autoflow.train.policy import Policy
from autoflow.train.settings import TrainSettings
from autoflow.train.state import TrainState, collapse
from autoflow.train.step import StepResult, Work, draw, learn

OnStep = Callable[[StepResult], None]


class Trainer:
    """One training, taken up where an earlier process left it.

    Resuming is bit-equal on CPU with the same number of threads: a step depends on the checkpoint before it alone. All
    chance comes from two generators of its own, so that nothing else in the process can shift it.

    Args:
        folder: of the checkpoints; None: none is written, and the training is gone with its process.
    Raises TrainingError: what is in the folder is damaged, or of other settings.
    """

    def __init__(self, policy: Policy, work: Work, settings: TrainSettings, folder: Path | None = None) -> None:
        self.policy, self.work, self.settings, self.folder = policy, work, settings, folder
        self.optimizer = torch.optim.AdamW(
            policy.trainable().values(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._chance = {
            "sampling": torch.Generator(policy.device).manual_seed(settings.seed),
            "dropout": torch.Generator().manual_seed(settings.seed + 1),
        }
        saved = load(folder, policy, self.optimizer, self._chance, settings) if folder else None
        self.state = saved or TrainState()

    def step(self) -> StepResult:
        """Draw, reward, update; then the checkpoint. An error on the way leaves the last checkpoint as it is."""
        at = self.state
        with self.policy.thinned(self._chance["dropout"]):
            drawn = draw(self.policy, self.work, self.settings, at.step, self._chance["sampling"])
            if self.folder:  # now, as these are the weights that earned the reward
                keep_best(self.folder, self.policy, Best(step=at.step, score=drawn.mean), limit=self.settings.keep_best)
            result = learn(self.policy, self.optimizer, self.settings, at.step, drawn, at.running or 0.0)
        self.state = at.after(self.settings, drawn.texts, drawn.mean)
        if self.folder:
            save(self.folder, self.policy, self.optimizer, self._chance, self.settings, self.state)
        return result

    def train(self, on_step: OnStep = lambda result: None) -> str | None:
        """The steps that are left. Returns why it ended early, and what to change; None where all were done."""
        while self.state.step < self.settings.steps:
            result = self.step()
            on_step(result)
            if reason := collapse(self.settings, self.state, result.figures):
                return reason
        return None
