"""The seam to language models: one Protocol, and the plain records that cross it.

Knows no vendor and nobody else in the house. A backend turns `Message`s and `Options` into one `Completion`, raises
only `autoflow.errors.ModelError`s, and may be shared between asyncio tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant", "tool"]
JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a message."""

    media_type: str  # such as image/png
    data: bytes


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool. `arguments` is its text as it came: it may be no JSON at all."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()  # assistant only
    tool_call_id: str | None = None  # tool only: which call this answers
    images: tuple[Image, ...] = ()  # user only


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class Choice:
    """The reply must be exactly one of these texts."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """The reply must be a JSON value of this schema."""

    schema: JsonObject
    name: str = "reply"


@dataclass(frozen=True, slots=True)
class Grammar:
    """The reply must be a sentence of this grammar (GBNF, the dialect of llama.cpp; Lark for llguidance)."""

    gbnf: str
    lark: str | None = None


Constraint = Choice | JsonSchema | Grammar

# How strongly a constraint was honoured, strongest first: `grammar` no other text could be decoded; `schema` the
# endpoint promised the schema; `json` only that it is JSON; `prompt` the model was merely asked; `none` no constraint.
Strength = Literal["grammar", "schema", "json", "prompt", "none"]


@dataclass(frozen=True, slots=True)
class Options:
    """How to answer. `None` leaves a choice to the backend."""

    temperature: float = 0.0
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None  # completion tokens
    stop: tuple[str, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    constraint: Constraint | None = None
    timeout_s: float | None = None  # for the whole answer; streams have a stall limit of their own
    repeat: int = 0  # part of the cache key: repeats of an experiment never share an answer
    label: str = ""  # what asks (`step Read mail, visit 3`): named in errors, never sent


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call took. Tokens are None where the endpoint did not say; cost None where the price is unknown."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0
    cost_usd: float | None = None
    cached: bool = False  # answered from the disk: costs nothing, still counts as a call
    attempts: int = 1  # requests sent, retries included
    cached_prompt_tokens: int = 0  # of prompt_tokens: what the endpoint had cached and bills at its lower price


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    model: str = ""  # as the endpoint names it
    finish: Literal["stop", "length", "tool_calls"] = "stop"
    strength: Strength = "none"
    reasoning: str = ""  # what the model thought before it answered; never part of `text`


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend is known to do. None: not learned yet, ask for the strongest form and fall back on refusal."""

    tools: bool | None = None
    choice: Strength | None = None
    schema: Strength | None = None
    grammar: bool | None = None
    images: bool | None = None
    concurrency: int = 4  # calls that may be in flight at once


OnToken = Callable[[str], None]


def rough_tokens(characters: int) -> int:
    """What stands for the tokens of a text where nobody counted them: characters / 4, rounded up."""
    return -(-characters // 4)


@runtime_checkable
class LLM(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """As users write it: `openai:gpt-5-mini`, `embedded:smollm2-135m`, `scripted:FILE`."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What is known so far; may grow with the first real request."""
        ...

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        """Answer a chat.

        Args:
            messages: at least one; the last is what is asked.
            options: how to answer.
            on_token: called with each piece of text as it is decoded, on the event loop; must not block. After a
                retry the pieces begin anew with an empty string as a mark.
        A constraint at strength `prompt` is not sent at all: the messages themselves must ask for its form.

        Raises: ToolsUnsupported where `options.tools` cannot be passed on: ask again without, and offer the tools in
            the prompt. Otherwise ModelError, and nothing else but `asyncio.CancelledError`. BudgetExceeded from the
            budget wrapper.
        """
        ...

    async def aclose(self) -> None:
        """Release connections. The object cannot be used afterwards."""
        ...
