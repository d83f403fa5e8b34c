"""What may be set of the methods, `StudySpec.options`; titles and descriptions are what pages show."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from autoflow.errors import SettingsError
from autoflow.optimize.grading import NOVELTY
from autoflow.records import Json, Record, broken_rule
from autoflow.study import Method, StudySpec
from autoflow.train.settings import PAPER, Baseline, TrainSettings

O = TypeVar("O", bound=Record)  # noqa: E741


class PaperOptions(Record):
    """Of method `paper`."""

    temperature: float = Field(1.0, ge=0, le=2, title="Temperature", description="Of the generator.")
    max_steps: int = Field(8, ge=2, le=40, title="Steps at most", description="Of a workflow that is written.")


class InContextOptions(Record):
    """Of method `in-context`."""

    drafts: int = Field(3, ge=1, le=16, title="Drafts", description="Proposed in a round.")
    minibatch: int = Field(4, ge=1, title="Minibatch", description="Train tasks that each draft is tried on first.")
    promote: int = Field(1, ge=1, le=16, title="Validated", description="Drafts of a round that go on, at most.")
    history: int = Field(4, ge=0, le=20, title="History", description="Earlier candidates that the generator sees.")
    worst: int = Field(2, ge=1, le=8, title="Worst tasks", description="Tasks whose traces the generator sees.")
    temperature: float = Field(0.7, ge=0, le=2, title="Temperature", description="Of the generator.")
    max_steps: int = Field(10, ge=2, le=40, title="Steps at most", description="Of a workflow that is written.")
    operators: tuple[str, ...] = Field((), title="Operators", description="Only these; none chosen: all of them.")


class LoraOptions(Record):
    """Of method `lora`. A preset gives other defaults; what is set by name stays.

    `paper` is the published batch of one, without a group and without KL, with the grammar and two tasks in the prompt,
    -2 for what cannot run, and no price of a copy.
    """

    preset: Literal["own", "paper"] = Field(
        "own", title="Preset", description="Defaults: this project's, or published."
    )
    group: int = Field(8, ge=1, le=256, title="Samples", description="Drawn of one prompt in a step.")
    accumulate: int = Field(1, ge=1, le=64, title="Groups", description="Of samples that make one step.")
    learning_rate: float = Field(1e-3, ge=0, le=1, title="Learning rate", description="Once it is warm.")
    warmup: int = Field(5, ge=0, le=1000, title="Warm-up", description="Steps in which the learning rate rises.")
    kl_weight: float = Field(
        0.02, ge=0, le=10, title="Weight of KL", description="Reward that a nat away from the base model costs."
    )
    baseline: Baseline = Field("leave-one-out", title="Baseline", description="What a reward is held against.")
    temperature: float = Field(1.0, gt=0, le=2, title="Temperature", description="Of the samples.")
    top_p: float = Field(0.9, gt=0, le=1, title="Top p", description="Of the samples; 1: not cut.")
    top_k: int = Field(40, ge=0, le=1000, title="Top k", description="Of the samples; 0: not cut.")
    max_new_tokens: int = Field(256, ge=1, le=8192, title="Tokens", description="Of a sample, at most.")
    constrained: bool = Field(
        False, title="Constrained", description="Only workflows without errors can be drawn, as the grammar says."
    )
    max_steps: int = Field(8, ge=2, le=40, title="Steps at most", description="Of a workflow, where constrained.")
    r: int = Field(8, ge=1, le=256, title="Rank", description="Of the adapter.")
    alpha: int = Field(16, ge=1, le=1024, title="Alpha", description="The adapter weighs alpha / rank.")
    dropout: float = Field(0.05, ge=0, lt=1, title="Dropout", description="Of the adapter's inputs, one mask a step.")
    targets: tuple[str, ...] = Field(
        ("q_proj", "v_proj"), min_length=1, title="Layers", description="Names of layers that are adapted."
    )
    micro_batch: int = Field(
        TrainSettings.model_fields["micro_batch"].default, ge=1, le=256, title="At once",
        description="Samples that pass together in an update; fewer take less memory.",
    )  # fmt: skip
    half: bool = Field(
        False, title="Half precision", description="Multiply in bfloat16: faster where the processor can, less exact."
    )
    copied: float = Field(-0.25, title="Reward of a copy", description="Of a workflow hardly other than the example.")
    repeated: float = Field(
        -0.25, title="Reward of a repeat", description="For every other time that a text is drawn in the same step."
    )
    novelty: float = Field(
        NOVELTY, ge=0, le=1, title="Novelty", description="How far its instructions must differ, not to be a copy."
    )
    examples: int = Field(
        2, ge=0, le=8, title="Tasks shown", description="Train tasks that the example answers in a prompt."
    )
    wanted_steps: int = Field(
        0,
        ge=0,
        le=40,
        title="Steps asked for",
        description="In the prompt; 0: not said. Few are learned sooner.",
    )
    prompts: int = Field(1, ge=1, le=64, title="Prompts", description="Each with other tasks, in turn.")
    grammar: bool = Field(False, title="Explain CoRE", description="In the prompt; small models do without.")
    compare: int = Field(
        8, ge=0, le=64, title="Compared", description="Samples of base and of adapter, each, for the sealed test."
    )
    threads: int = Field(0, ge=0, le=256, title="Threads", description="Of the processor; 0: one a core.")

    @model_validator(mode="before")
    @classmethod
    def _preset_first(cls, given: Any) -> Any:
        published = isinstance(given, dict) and given.get("preset") == "paper"
        return {**PUBLISHED, **given} if published else given


PUBLISHED: Json = {
    "group": PAPER.group, "accumulate": PAPER.accumulate, "baseline": PAPER.baseline, "kl_weight": PAPER.kl_weight,
    "learning_rate": PAPER.learning_rate, "max_new_tokens": PAPER.sampling.max_new_tokens, "novelty": 0.0,
    "examples": 2, "grammar": True,
}  # fmt: skip


METHOD_OPTIONS: dict[Method, type[Record]] = {
    "in-context": InContextOptions,
    "paper": PaperOptions,
    "lora": LoraOptions,
}


def options_of(spec: StudySpec, kind: type[O]) -> O:
    """Raises SettingsError: an option means nothing, or breaks its rule."""
    try:
        return kind.model_validate(spec.options)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "options"
        raise SettingsError(f"The option `{where}` of `{spec.method}` cannot be used: {broken_rule(error)}.") from error
