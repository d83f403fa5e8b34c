"""What a training must remember from step to step, besides weights, optimizer and chance; and when it has collapsed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from autoflow.records import Record
from autoflow.train.figures import StepFigures
from autoflow.train.settings import TrainSettings


class TrainState(Record):
    """After `step` steps."""

    step: int = 0
    running: float | None = None  # mean of the rewards so far, recent ones weighing more; None before the first
    recent: tuple[str, ...] = ()  # of the last steps: the hash of their text where they had one only, else ""

    def after(self, settings: TrainSettings, texts: Sequence[str], reward_mean: float) -> TrainState:
        """The state one step on."""
        decay = settings.baseline_decay
        running = reward_mean if self.running is None else decay * self.running + (1 - decay) * reward_mean
        only = hashlib.sha256(texts[0].encode("utf-8", "surrogatepass")).hexdigest() if len(set(texts)) == 1 else ""
        return TrainState(step=self.step + 1, running=running, recent=(*self.recent, only)[-settings.collapse_steps :])


def collapse(settings: TrainSettings, state: TrainState, figures: StepFigures) -> str | None:
    """Why it is of no use to go on, and what to change; None while it is."""
    if not math.isfinite(figures.kl) or figures.kl > settings.kl_limit:
        return (
            f"The model has run away from the base model: {figures.kl:.2f} nats a token in step {figures.step}, where "
            f"{settings.kl_limit:g} are allowed. Lower the learning rate ({settings.learning_rate:g}) or raise the "
            f"weight of KL ({settings.kl_weight:g})."
        )
    if len(state.recent) == settings.collapse_steps and state.recent[0] and len(set(state.recent)) == 1:
        return (
            f"Every sample of the last {settings.collapse_steps} steps is the same text, so that nothing more can be "
            f"learned. Go back to an earlier adapter, and raise the temperature ({settings.sampling.temperature:g}) or "
            f"the weight of KL ({settings.kl_weight:g}), or lower the learning rate ({settings.learning_rate:g})."
        )
    return None
