"""A model small enough to enumerate: a random Llama with a vocabulary of a few tokens, made here and nowhere loaded."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from autoflow.train.policy import Policy
from autoflow.train.settings import AdapterSettings

END = 0
ENDS = frozenset({END})
LETTERS = ".abcdefghijklmnopqrstuvwxyz"


def llama(
    vocabulary: int = 5, *, seed: int = 0, dtype: torch.dtype = torch.float32, layers: int = 2
) -> LlamaForCausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=vocabulary,
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=layers,
                num_attention_heads=2,
                num_key_value_heads=1,
                max_position_embeddings=64,
                initializer_range=0.35,
                pad_token_id=None,
                bos_token_id=None,
                eos_token_id=END,
            )
        )
    return model.to(dtype)


def policy(
    vocabulary: int = 5, *, dropout: float = 0.0, dtype: torch.dtype = torch.float32, seed: int = 0, moved: bool = True,
    checkpointing: bool = True, sharing: bool = True, half: bool = False, device: str = "cpu",
) -> Policy:  # fmt: skip
    """`moved`: the adapter is no longer the identity that LoRA begins with."""
    made = Policy(
        llama(vocabulary, dtype=dtype, seed=seed).to(device), AdapterSettings(r=2, alpha=4, dropout=dropout), seed=seed,
        checkpointing=checkpointing, sharing=sharing, half=half,
    )  # fmt: skip
    if dtype is not torch.float32:
        made.model.to(dtype)
    if moved:
        generator = torch.Generator().manual_seed(seed + 1)
        with torch.no_grad():
            for weight in made.trainable().values():
                weight.add_(torch.randn(weight.shape, generator=generator, dtype=dtype).to(device) * 0.3)
    return made


def decode(tokens: Sequence[int]) -> str:
    return "".join(LETTERS[token] for token in tokens if token != END)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
