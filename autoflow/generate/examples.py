"""From a task alone: a model proposes examples, or a rubric for a judge, which a person corrects and accepts.

Examples are asked for a few at a time, under a JSON schema where the backend can, each time with those that are there.
They are read as they stream. What a model proposed bears that mark until a person accepts or edits it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from autoflow.errors import AutoFlowError, BudgetExceeded, ModelError, ModelReplyError, SettingsError
from autoflow.generate.example_reader import ExampleReader, Found
from autoflow.generate.task import OBJECTIVE_BYTES, shorten
from autoflow.llm.base import LLM, JsonSchema, Message, Options
from autoflow.llm.reply_text import unfenced, visible
from autoflow.llm.wrappers.meter import totals_of
from autoflow.prompts import fill, load
from autoflow.records import Record, Totals

MOST = 100  # examples that may be asked for at once
A_CALL = 5  # examples that one reply is asked for
BARREN = 2  # replies in a row without anything new, after which it is enough
EXAMPLE_TOKENS, RUBRIC_TOKENS = 400, 500
THINKING_TOKENS = 8192  # where the model may think first: behind an endpoint, without a grammar
KNOWN_BYTES, KNOWN_EACH = 3_000, 200  # of those that are there, in the prompt
ExampleOrigin = Literal["model", "accepted", "person"]


class Example(Record):
    """A task with its right answer."""

    inputs: dict[str, str]
    expected: str
    origin: ExampleOrigin = (
        "model"  # who answers for it: nobody yet, or a person who accepted it as it is, or edited it
    )

    def accepted(self) -> Example:
        """A person finds it right as it is."""
        return self.model_copy(update={"origin": "accepted"}) if self.origin == "model" else self

    def edited(self, inputs: dict[str, str], expected: str) -> Example:
        """A person changed it; unchanged texts change nothing."""
        if (inputs, expected) == (self.inputs, self.expected):
            return self
        return Example(inputs=inputs, expected=expected, origin="person")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What came of asking for examples."""

    examples: tuple[Example, ...]
    totals: Totals
    errors: tuple[str, ...] = ()  # sentences: why there are fewer than asked for


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is to look at, in a model's words."""

    text: str
    totals: Totals


OnProgress = Callable[[Example], None]


async def propose_examples(
    objective: str,
    llm: LLM,
    count: int = 10,
    *,
    inputs: Sequence[str] = ("input",),
    known: Sequence[Example] = (),
    seed: int | None = 0,
    temperature: float = 0.8,
    on_progress: OnProgress | None = None,
    go_on: Callable[[], bool] = lambda: True,
) -> Proposal:
    """Have `llm` make up tasks of this kind with their right answers.

    Args:
        objective: what should get done.
        count: how many new ones, 1 to 100.
        inputs: names of what differs from task to task.
        known: those that are there; they are shown, and not proposed again.
        seed: of the first call, counted on from there. None: the backend's choice.
        on_progress: called with each new example as soon as it is read; must not block.
        go_on: asked before each call; False ends it with what there is.
    Raises: ModelError or BudgetExceeded where a call failed before anything was read; later failures are told in
        `Proposal.errors`. SettingsError: an argument breaks its rule, or a user's prompt file cannot be used.
    """
    if not objective.strip():
        raise SettingsError("There is no task to propose examples for.", "Say what should get done first.")
    if not 1 <= count <= MOST:
        raise SettingsError(f"`1 <= count <= {MOST}` must hold, but got {count=}.")
    if not inputs or not all(name.strip() for name in inputs):
        raise SettingsError("An example needs at least one input, and inputs need names.")
    work = _Work(objective, tuple(inputs), count, list(known), on_progress)
    while len(work.found) < count and work.barren < BARREN and go_on():
        options = Options(
            temperature=temperature,
            seed=None if seed is None else seed + work.totals.calls,
            max_tokens=A_CALL * EXAMPLE_TOKENS if llm.capabilities.grammar else THINKING_TOKENS,
            constraint=_schema(work.wanted, inputs),
            label="examples of the task",
        )
        await work.call(llm, options)
    if work.failure is not None and not work.found and not known:
        raise work.failure
    return Proposal(tuple(work.found), work.totals, work.errors(stopped=not go_on()))


async def propose_rubric(objective: str, llm: LLM, *, seed: int | None = 0) -> Rubric:
    """Have `llm` say what a judge should look at in answers to this task.

    Raises: ModelError, BudgetExceeded: the call failed. ModelReplyError: the reply was empty. SettingsError: there is
        no objective.
    """
    if not objective.strip():
        raise SettingsError("There is no task to write a rubric for.", "Say what should get done first.")
    asked = fill(load("generate", "rubric"), objective=shorten(objective.strip(), OBJECTIVE_BYTES))
    room = RUBRIC_TOKENS if llm.capabilities.grammar else THINKING_TOKENS
    options = Options(temperature=0.2, seed=seed, max_tokens=room, label="the rubric")
    completion = await llm.complete([Message("user", asked)], options)
    text = unfenced(visible(completion.text))
    if not text:
        raise ModelReplyError(f"{llm.name} wrote no rubric.", "Write it yourself, or ask another model.")
    return Rubric(text, totals_of(completion.usage))


@dataclass(slots=True)
class _Work:
    """What there is so far."""

    objective: str
    names: tuple[str, ...]
    count: int
    known: Sequence[Example]
    on_progress: OnProgress | None
    found: list[Example] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    barren: int = 0  # replies in a row without anything new
    failure: AutoFlowError | None = None  # of the latest call that failed

    @property
    def wanted(self) -> int:
        """Of the next reply."""
        return min(A_CALL, self.count - len(self.found))

    async def call(self, llm: LLM, options: Options) -> None:
        """One reply. A call that fails is remembered, and ends the asking unless another seed may help."""
        reader, before = ExampleReader(self.names), len(self.found)
        try:
            completion = await llm.complete(self._messages(), options, lambda piece: self._take(reader.feed(piece)))
            text = completion.text
            self.totals += totals_of(completion.usage)
        except ModelReplyError as error:  # cut, or repeating itself: what did arrive may do
            text, self.failure = error.partial, error
        except (ModelError, BudgetExceeded) as error:
            text, self.failure, self.barren = "", error, BARREN
        reader.feed("")  # read whole once more: perhaps nothing was streamed
        self._take([*reader.feed(text), *reader.close()])
        self.barren = 0 if len(self.found) > before and self.barren < BARREN else self.barren + 1

    def _messages(self) -> list[Message]:
        there = [*self.known, *self.found]
        lines = "\n".join(f"- {shorten(_one_line(example), KNOWN_EACH)}" for example in there)
        asked = fill(
            load("generate", "examples-task"),
            objective=shorten(self.objective.strip(), OBJECTIVE_BYTES),
            count=str(self.wanted),
            inputs=", ".join(f"`{name}`" for name in self.names),
            known=shorten(lines, KNOWN_BYTES) or "(none)",
        )
        return [Message("system", fill(load("generate", "examples"))), Message("user", asked)]

    def _take(self, read: Sequence[Found]) -> None:
        """Keep what is new."""
        seen = {_key(example.inputs) for example in (*self.known, *self.found)}
        for inputs, expected in read:
            if _key(inputs) not in seen and len(self.found) < self.count:
                seen.add(_key(inputs))
                self.found.append(Example(inputs=inputs, expected=expected))
                if self.on_progress is not None:
                    self.on_progress(self.found[-1])

    def errors(self, *, stopped: bool) -> tuple[str, ...]:
        """Why there are fewer than asked for; nothing where all are there."""
        if len(self.found) == self.count:
            return ()
        few = f"{len(self.found)} of {self.count} examples were proposed."
        if self.failure is not None:
            return few, str(self.failure)
        if stopped:
            return (few,)
        return few, "The model had nothing new to say. Ask again with another seed, or write the others yourself."


def _schema(count: int, names: Sequence[str]) -> JsonSchema:
    texts = {name: {"type": "string"} for name in names}
    example = _object({"inputs": _object(texts), "expected": {"type": "string"}})
    listed = {"type": "array", "items": example, "minItems": count, "maxItems": count}
    return JsonSchema(_object({"examples": listed}), name="examples")


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _key(inputs: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Equal for inputs that differ in case and white space alone."""
    return tuple((name, " ".join(text.casefold().split())) for name, text in sorted(inputs.items()))


def _one_line(example: Example) -> str:
    return " ".join(" / ".join((*example.inputs.values(), example.expected)).split())
