"""One request in a batch: its prompt as tokens, its own source of chance, and what it has been answered so far."""

from __future__ import annotations

import random
from typing import Any

import torch

from autoflow.errors import ModelRequestError
from autoflow.llm.base import Message
from autoflow.llm.local.constraint import Allowed
from autoflow.llm.local.job import Done, Job
from autoflow.llm.local.load import Loaded
from autoflow.llm.local.pieces import Pieces
from autoflow.llm.request import encodable


class Row:
    """Raises ModelRequestError: the prompt is too long, or the constraint is none.

    Args:
        tokens: the vocabulary in llguidance's form; None where the request has no constraint.
    """

    def __init__(self, job: Job, loaded: Loaded, tokens: Any) -> None:
        options = job.options
        self.job = job
        self.prompt = prompt_tokens(loaded, job.messages)
        self._loaded = loaded
        self._chance = random.Random(options.seed)  # noqa: S311 - of the request's own: its neighbours draw elsewhere
        self._allowed = Allowed(options.constraint, tokens) if options.constraint is not None else None
        self._pieces = Pieces(lambda ids: str(loaded.tokenizer.decode(ids, **_PLAIN)), options.stop)
        room = loaded.context - len(self.prompt)
        self._limit = room if options.max_tokens is None else min(room, options.max_tokens)
        self._count = 0

    def choose(self, logits: torch.Tensor) -> int:
        """The next token. Args: logits: (V,), of any type."""
        logits = logits.float()
        if self._allowed is not None:
            logits = self._allowed.mask(logits)
        options = self.job.options
        if options.temperature <= 0:
            return int(logits.argmax())
        return draw(logits / options.temperature, options.top_p, self._chance.random())

    def take(self, token: int) -> bool:
        """Add a token and tell its text. Returns: whether the answer has ended, which is then told as well."""
        self._count += 1
        ended = self._allowed.take(token) if self._allowed is not None else False
        if token in self._loaded.ends:
            return self._end("stop")
        self._tell(self._pieces.add(token))
        if self._pieces.stopped or ended:
            return self._end("stop")
        return self._end("length") if self._count >= self._limit else False

    def _end(self, finish: Any) -> bool:
        self._tell(self._pieces.close())
        self.job.tell(Done(finish, len(self.prompt), self._count))
        return True

    def _tell(self, piece: str) -> None:
        if piece:
            self.job.tell(piece)


_PLAIN = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}


def draw(logits: torch.Tensor, top_p: float | None, chance: float) -> int:
    """A token by its probability, in the order of the vocabulary: there rounding moves no others.

    Args:
        logits: (V,), at their temperature.
        top_p: of the most likely tokens as many as reach this probability together; None: all.
        chance: in [0, 1): the whole of what is left to it.
    """
    likely = torch.softmax(logits.double(), dim=-1)  # (V,)
    if top_p is not None and top_p < 1:
        ordered, order = likely.sort(descending=True, stable=True)
        before = ordered.cumsum(0) - ordered  # (V,), what is more likely; the first always stays
        likely[order[(before >= max(top_p, 0.0)) & (before > 0)]] = 0.0
    reached = likely.cumsum(0)  # (V,)
    token = int(torch.searchsorted(reached, reached[-1] * chance, right=True))
    last = int(likely.nonzero()[-1])
    return min(token, last)


def prompt_tokens(loaded: Loaded, messages: Any) -> list[int]:
    """The chat as the model's own template writes it, open for the answer. Raises ModelRequestError: it is too long."""
    try:
        text = loaded.tokenizer.apply_chat_template(
            [_turn(message) for message in messages], tokenize=False, add_generation_prompt=True
        )
        tokens = [int(token) for token in loaded.tokenizer(text, add_special_tokens=False)["input_ids"]]
    except Exception as error:  # a template is a program, and may refuse an order of roles
        words = " ".join(str(error).split())[:200]
        raise ModelRequestError(f"The chat template of the model {loaded.name} refused the chat: {words}.") from error
    if len(tokens) >= loaded.context:
        raise ModelRequestError(
            f"The prompt is longer than the model {loaded.name} can read: it has {len(tokens)} tokens, and the context "
            f"is {loaded.context}.",
            "Shorten the inputs, limit the memory, or choose a model with a larger context.",
        )
    return tokens


def _turn(message: Message) -> dict[str, str]:
    """Tools are offered in the prompt, so a tool's answer is something that the user says."""
    role = "user" if message.role == "tool" else message.role
    return {"role": role, "content": str(encodable(message.content))}
