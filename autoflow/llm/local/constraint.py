"""Constrained decoding: which tokens may come next, by llguidance."""

from __future__ import annotations

import json
from typing import Any

import torch

from autoflow.errors import ModelRequestError
from autoflow.llm.base import Choice, Constraint, Grammar, JsonSchema

# JSON as models write it on one line: white space without end is what small ones get lost in.
_ONE_LINE: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def vocabulary(tokenizer: Any, size: int, ends: frozenset[int]) -> Any:
    """A tokenizer in llguidance's form; takes about a second. Args: size: of the model's logits."""
    from llguidance.hf import from_tokenizer

    try:
        return from_tokenizer(tokenizer, n_vocab=size, eos_token=sorted(ends) or None)
    except (ValueError, TypeError) as error:
        raise ModelRequestError(
            f"The tokenizer of this model cannot be constrained: {error}.", "Take a model with a tokenizer.json."
        ) from error


class Allowed:
    """What a constraint allows next, token by token. Raises ModelRequestError: it is no constraint that can be kept."""

    def __init__(self, constraint: Constraint, tokens: Any) -> None:
        from llguidance import LLMatcher

        try:
            self._matcher = LLMatcher(tokens, _grammar(constraint), log_level=0)
        except (ValueError, TypeError) as error:
            raise _refused(str(error)) from error
        self._check()

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        """Args: logits: (V,). Returns: the same with all that is not allowed at minus infinity."""
        bias = bytearray(self._matcher.compute_logit_bias())
        self._check()
        allowed = torch.frombuffer(bias, dtype=torch.uint8) != 0  # (V,)
        return logits.masked_fill(~allowed.to(logits.device), float("-inf"))

    def take(self, token: int) -> bool:
        """Note what was decoded. Returns: whether nothing can follow it."""
        self._matcher.consume_token(token)
        self._check()
        return bool(self._matcher.is_stopped())

    def _check(self) -> None:
        if self._matcher.is_error():
            raise _refused(self._matcher.get_error())


def _grammar(constraint: Constraint) -> str:
    """In llguidance's own form. Raises ValueError: it cannot be put so."""
    from llguidance import LLMatcher, grammar_from

    if isinstance(constraint, JsonSchema):
        return LLMatcher.grammar_from_json_schema(json.dumps(dict(constraint.schema)), overrides=_ONE_LINE)
    if isinstance(constraint, Choice):
        if not constraint.choices:
            raise ValueError("there is nothing to choose from")
        return grammar_from("lark", "start: " + " | ".join(_quoted(choice) for choice in constraint.choices))
    assert isinstance(constraint, Grammar)
    return grammar_from("lark", constraint.lark) if constraint.lark else grammar_from("gbnf", constraint.gbnf)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _refused(words: str) -> ModelRequestError:
    first = " ".join((words.strip().splitlines() or ["no reason given"])[0].split())
    return ModelRequestError(
        f"The constraint of this request cannot be kept: {first[:300].rstrip('.')}.", "Mend the grammar or the schema."
    )
