"""What the process of a training and whoever started it say to each other: one JSON object a line.

    the order ->                             <- Ready, or Failed
    Draw ->                                  <- Drawn
    Rewards, of what was drawn ->            <- Stepped; the checkpoint is on the disk by then
    Compare ->                               <- Compared

Failed may come in place of any answer, and is the last one. Free of torch, as both sides speak it.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from autoflow.records import Record
from autoflow.train.figures import StepFigures, TrainSample
from autoflow.train.settings import TrainSettings

_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")  # by databases and UTF-8


def holdable(text: str) -> str:
    """The text as it can be kept anywhere, so that it is the same wherever it is met again."""
    return _UNHOLDABLE.sub("\ufffd", text)


class Said(Record):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class GrammarText(Record):
    """What may be drawn, in both notations."""

    gbnf: str
    lark: str | None = None


class Order(Record):
    """What a training works on."""

    model: str  # as `local:` names it
    prompts: tuple[tuple[Said, ...], ...] = Field(min_length=1)  # chats; one a group, in turn
    settings: TrainSettings
    folder: str  # of the checkpoints
    step: int = Field(ge=0)  # steps that whoever asks has in its record
    threads: int = Field(default=0, ge=0)  # 0: as many as torch takes by itself
    grammar: GrammarText | None = None  # None: anything may be drawn


class Draw(Record):
    """Draw the samples of the next step."""

    kind: Literal["draw"] = "draw"


class Rewards(Record):
    """What they earned, in their order; higher is better."""

    kind: Literal["rewards"] = "rewards"
    rewards: tuple[float, ...]


class Compare(Record):
    """Draw from the base model and from an adapter that was kept; changes nothing."""

    kind: Literal["compare"] = "compare"
    count: int = Field(ge=1)  # of each
    step: int  # of the adapter
    seed: int


Asked = Draw | Rewards | Compare


class Sampled(Record):
    """A completion as it was drawn."""

    text: str
    tokens: int
    ended: bool  # by itself, not at the limit of tokens


class Ready(Record):
    """The model is loaded."""

    kind: Literal["ready"] = "ready"
    step: int  # of the checkpoint that it goes on from
    device: str
    prompt_tokens: int  # of the longest prompt


class Drawn(Record):
    kind: Literal["drawn"] = "drawn"
    samples: tuple[Sampled, ...]


class Stepped(Record):
    kind: Literal["stepped"] = "stepped"
    figures: StepFigures
    samples: tuple[TrainSample, ...]
    ending: str  # why it is of no use to go on, and what to change; empty while it is


class Compared(Record):
    kind: Literal["compared"] = "compared"
    base: tuple[Sampled, ...]
    trained: tuple[Sampled, ...]


class Failed(Record):
    """The training cannot go on; in the words of an AutoFlowError."""

    kind: Literal["failed"] = "failed"
    message: str
    hint: str = ""


Answer = Ready | Drawn | Stepped | Compared | Failed
ASKED: TypeAdapter[Asked] = TypeAdapter(Annotated[Asked, Field(discriminator="kind")])
ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])
