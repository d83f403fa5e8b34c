"""What a fine-tuning is set to. The adapter and the sampling are the AutoFlow paper's, the rest is this project's."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from autoflow.records import Record

Baseline = Literal["leave-one-out", "group-mean", "running", "none"]


class AdapterSettings(Record):
    """The low-rank adapter: W + (alpha / r) B A, on the layers whose names end in one of `targets`."""

    r: int = Field(default=8, ge=1)
    alpha: int = Field(default=16, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)  # of the adapter's inputs; one mask a step, see `policy`
    targets: tuple[str, ...] = Field(default=("q_proj", "v_proj"), min_length=1)


class SamplingSettings(Record):
    """How completions are drawn. Temperature first, then the best `top_k`, then the fewest that hold `top_p`."""

    temperature: float = Field(default=1.0, gt=0)
    top_p: float = Field(default=0.9, gt=0, le=1)  # 1: not cut
    top_k: int = Field(default=40, ge=0)  # 0: not cut
    max_new_tokens: int = Field(default=1024, ge=1)


class TrainSettings(Record):
    """Everything that a training needs to know besides model, prompts and reward."""

    adapter: AdapterSettings = AdapterSettings()
    sampling: SamplingSettings = SamplingSettings()
    seed: int = Field(default=0, ge=0)
    steps: int = Field(default=100, ge=1)
    group: int = Field(default=8, ge=1)  # completions of one prompt
    accumulate: int = Field(default=1, ge=1)  # groups, each of its own prompt, whose gradients make one step
    micro_batch: int = Field(default=8, ge=1)  # completions that pass together and share their prompt; takes memory
    checkpointing: bool = True  # activations are computed again on the way back: less memory, more time
    half: bool = False  # frozen layers multiply in bfloat16: faster on a CPU that can, and less exact, see `HalfLinear`
    baseline: Baseline = "leave-one-out"
    baseline_decay: float = Field(default=0.9, ge=0, lt=1)  # of the running baseline, a step
    kl_weight: float = Field(default=0.02, ge=0)  # reward that one nat of divergence in a completion costs
    learning_rate: float = Field(default=3e-4, ge=0)
    warmup: int = Field(default=10, ge=0)  # steps in which the rate rises linearly, then it stays
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)  # longest gradient
    collapse_steps: int = Field(default=5, ge=2)  # with one and the same text, before training is called collapsed
    kl_limit: float = Field(default=2.0, gt=0)  # nats a token, mean of a step; above, the model has run away
    keep_best: int = Field(default=3, ge=1)  # adapters

    @model_validator(mode="after")
    def _baseline_has_a_group(self) -> Self:
        if self.baseline in ("leave-one-out", "group-mean") and self.group < 2:
            raise ValueError(
                f"`group >= 2` must hold for the baseline {self.baseline}, but got group={self.group}; with one sample "
                "it would be the sample's own reward: choose the baseline running or none"
            )
        return self

    @property
    def samples(self) -> int:
        """Completions a step."""
        return self.group * self.accumulate


# As published: one workflow a step and no group. The published code learns a value head besides; the mean of earlier
# rewards stands for it, which depends no more on the sample than a value of the prompt does. No KL.
PAPER = TrainSettings(group=1, baseline="running", kl_weight=0.0, learning_rate=1.41e-5)
