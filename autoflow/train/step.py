"""One step of a training: draw, have it rewarded, update."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import torch

from autoflow.errors import TrainingError
from autoflow.train.figures import StepFigures, TrainSample
from autoflow.train.loss import Sums, add_gradients, advantages
from autoflow.train.policy import Policy
from autoflow.train.sampling import Constraint, Samples, sample
from autoflow.train.settings import TrainSettings

Reward = Callable[[Sequence[str]], Sequence[float]]  # of texts as they were drawn, unrepaired; higher is better
Decode = Callable[[Sequence[int]], str]  # drawn tokens to their text, special tokens left out


@dataclass(frozen=True, slots=True)
class Work:
    """What a training works on."""

    prompts: Sequence[Sequence[int]]  # token ids, as the chat template made them
    reward: Reward
    decode: Decode
    ends: frozenset[int]  # tokens that end a completion
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The samples of a step and what they earned."""

    samples: Samples
    texts: list[str]
    rewards: list[float]
    sampling_s: float
    reward_s: float

    @property
    def mean(self) -> float:
        return fmean(self.rewards)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step leaves to be read."""

    figures: StepFigures
    samples: list[TrainSample]


def draw(policy: Policy, work: Work, settings: TrainSettings, step: int, generator: torch.Generator) -> Drawn:
    """Groups of completions, rewarded. `step` (0-based) says whose prompts' turn it is.

    Raises TrainingError: the reward gave too few numbers, or something that is no number.
    """
    began = time.perf_counter()
    turns = range(step * settings.accumulate, (step + 1) * settings.accumulate)
    samples = sample(
        policy,
        [work.prompts[turn % len(work.prompts)] for turn in turns],
        group=settings.group,
        settings=settings.sampling,
        ends=work.ends,
        generator=generator,
        constraint=work.constraint,
    )
    texts = [work.decode([t for t in samples.tokens(row) if t not in work.ends]) for row in range(len(samples))]
    drawn_at = time.perf_counter()
    rewards = [float(reward) for reward in work.reward(texts)]
    if len(rewards) != len(texts) or not all(map(math.isfinite, rewards)):
        raise TrainingError(
            f"The reward of step {step + 1} must be {len(texts)} finite numbers, but was {rewards}.",
            "Give a text that cannot be scored a penalty.",
        )
    return Drawn(samples, texts, rewards, drawn_at - began, time.perf_counter() - drawn_at)


def rate(settings: TrainSettings, step: int) -> float:
    """Learning rate of a step (0-based): a linear rise, then level."""
    return settings.learning_rate * min(1.0, (step + 1) / max(1, settings.warmup))


def learn(
    policy: Policy, optimizer: torch.optim.Optimizer, settings: TrainSettings, step: int, drawn: Drawn, running: float
) -> StepResult:
    """Update the adapter once. `running`: the mean of earlier rewards, for the baseline of that name.

    Raises TrainingError: the gradient is no number.
    """
    began = time.perf_counter()
    advantage = advantages(drawn.rewards, group=settings.group, baseline=settings.baseline, running=running)
    optimizer.zero_grad(set_to_none=True)
    sums = add_gradients(
        policy,
        drawn.samples,
        advantage,
        temperature=settings.sampling.temperature,
        kl_weight=settings.kl_weight,
        micro_batch=settings.micro_batch,
    )
    norm = float(torch.nn.utils.clip_grad_norm_(policy.trainable().values(), settings.clip))
    if not math.isfinite(norm):
        raise TrainingError(
            f"The gradient of step {step + 1} is no number.", "Lower the learning rate, or train in float32."
        )
    for group in optimizer.param_groups:
        group["lr"] = rate(settings, step)
    optimizer.step()
    took = time.perf_counter() - began
    rows = range(len(drawn.samples))
    return StepResult(
        _figures(policy, settings, step, drawn, sums, norm, took),
        [
            TrainSample(
                text=drawn.texts[row],
                reward=drawn.rewards[row],
                advantage=advantage[row],
                tokens=int(drawn.samples.mask[row].sum()),
                ended=bool(drawn.samples.ended[row]),
            )
            for row in rows
        ],
    )


def _figures(
    policy: Policy, settings: TrainSettings, step: int, drawn: Drawn, sums: Sums, norm: float, took: float
) -> StepFigures:
    rewards, group = drawn.rewards, settings.group
    return StepFigures(
        step=step + 1,
        reward_mean=drawn.mean,
        reward_best=max(rewards),
        reward_spread=fmean(pstdev(rewards[start : start + group]) for start in range(0, len(rewards), group)),
        kl=sums.kl / sums.tokens,
        entropy=sums.entropy / sums.tokens,
        length=sums.tokens / len(rewards),
        ended=float(drawn.samples.ended.float().mean()),
        distinct=len(set(drawn.texts)),
        gradient_norm=norm,
        learning_rate=rate(settings, step),
        drift=sums.drift,
        tokens_per_s=sums.tokens / max(drawn.sampling_s, 1e-9),
        sampling_s=drawn.sampling_s,
        reward_s=drawn.reward_s,
        update_s=took,
        seconds=drawn.sampling_s + drawn.reward_s + took,
        peak_memory_bytes=_peak_memory(policy.device),
    )


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
