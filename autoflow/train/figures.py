"""What is measured of each step of a training."""

from __future__ import annotations

from autoflow.records import Record


class StepFigures(Record):
    """One step. Means are over its samples, or over their tokens where a figure is a token's."""

    step: int  # 1-based
    reward_mean: float
    reward_best: float
    reward_spread: float  # standard deviation within a group, mean over groups; 0: nothing can be learned from it
    kl: float  # nats a token, from the base model; >= 0
    entropy: float  # nats a token, of what was drawn from
    length: float  # tokens a sample
    ended: float  # share of samples that ended by themselves, in [0, 1]
    distinct: int  # different texts
    gradient_norm: float  # before it was clipped
    learning_rate: float
    drift: float  # greatest difference between a token's log-probability when drawn and in the update; near 0
    tokens_per_s: float  # drawn tokens by the time of drawing
    sampling_s: float
    reward_s: float
    update_s: float
    seconds: float
    peak_memory_bytes: int  # of the process on CPU, of the device on CUDA


class TrainSample(Record):
    """One completion of a step, as it was rewarded."""

    text: str
    reward: float
    advantage: float
    tokens: int
    ended: bool
