"""The model that is trained: a base model that stays as it is, and a LoRA adapter on it.

Dropout. REINFORCE is right only where the update differentiates the distribution that was sampled, and ordinary dropout
draws another network in every pass. Here a step draws one mask over the inputs of each adapted layer, and keeps it for
all samples, all positions, and both sampling and update: what is sampled and trained is one thinned adapter, and the
objective is the mean reward over thinned adapters. Everything else stays in evaluation mode, so that no dropout of the
base model acts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from autoflow.errors import TrainingError
from autoflow.train import shared
from autoflow.train.settings import AdapterSettings

CLOSE = {2: 0.1, 4: 1e-3, 8: 1e-3}  # by bytes of a number: how far two ways to compute may differ, of the mean logit


class StepDropout(nn.Module):
    """Dropout of features whose mask stays until it is drawn again. Without a mask it changes nothing."""

    def __init__(self, features: int, p: float) -> None:
        super().__init__()
        self.features, self.p = features, p
        self.mask: Tensor | None = None  # (features,), 0 or 1 / (1 - p)

    def redraw(self, generator: torch.Generator, device: torch.device) -> None:
        keep = torch.rand(self.features, generator=generator) >= self.p
        self.mask = (keep / (1 - self.p)).to(device)

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., features)."""
        return x if self.mask is None else x * self.mask.to(x.dtype)


class HalfLinear(nn.Module):
    """A frozen layer whose weights are bfloat16: its products take half the time where the processor has such ones.

    What goes in and out keeps its type, so that nothing but the products is rounded: sums along the layers, norms,
    attention and adapter are as exact as before.
    """

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.weight = nn.Parameter(layer.weight.detach().bfloat16(), requires_grad=False)
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().bfloat16(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., in_features) -> (..., out_features)."""
        return nn.functional.linear(x.bfloat16(), self.weight, self.bias).to(x.dtype)


class Policy:
    """A causal language model with an adapter, ready to be sampled and trained.

    Args:
        model: of transformers; taken over and changed in place. Its own weights are frozen.
        settings: of the adapter.
        seed: of the adapter's first weights.
        checkpointing: layers compute their activations again on the way back.
        half: layers (not the head) multiply in bfloat16, see `HalfLinear`.
        sharing: completions share what was read of their prompt, where the model's kind of attention allows it.
    Raises TrainingError: the model has no layers of these names.
    """

    def __init__(
        self, model: Any, settings: AdapterSettings, *, seed: int = 0, checkpointing: bool = True, half: bool = False,
        sharing: bool = True,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.device: torch.device = next(model.parameters()).device
        config = LoraConfig(
            r=settings.r, lora_alpha=settings.alpha, lora_dropout=0.0, target_modules=list(settings.targets),
            task_type="CAUSAL_LM", bias="none",
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.model = _adapted(model, config)
        self.model.eval()
        self._dropouts = self._place_dropouts()
        self._layers = [m for m in self.model.modules() if isinstance(m, GradientCheckpointingLayer)]
        self.checkpointing = checkpointing and bool(self._layers)
        if self.checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        self._causal = model
        self.shares = sharing  # at first, so that it can be tried
        self.shares = sharing and self._can_share()
        if half:
            self._halve()

    def _halve(self) -> None:
        head = self.model.get_base_model().get_output_embeddings()
        for parent in list(self.model.modules()):
            for name, layer in list(parent.named_children()):
                if type(layer) is nn.Linear and layer is not head and not layer.weight.requires_grad:
                    setattr(parent, name, HalfLinear(layer))

    def _can_share(self) -> bool:
        """Asks the model both ways: one whose attention does more, or whose head is more than a matrix, shows by it."""
        before = self._causal.config._attn_implementation
        ids = torch.tensor([[1, 2, 3, 4, 5], [1, 2, 3, 6, 7]], device=self.device) % self.vocabulary
        shared.install(self._causal)
        with torch.no_grad(), suppress(Exception):  # of any kind: models are many
            apart = self.logits(ids, torch.ones_like(ids), 3)[:, :2].flatten(0, 1)
            packed = self.head(self.states_before(ids[0, :3], list(ids[:, 3:])))
            if float((apart - packed).abs().mean() / apart.abs().mean()) < CLOSE[self.model.dtype.itemsize]:
                return True
        self._causal.set_attn_implementation(before)
        return False

    def _place_dropouts(self) -> list[StepDropout]:
        if not self.settings.dropout:
            return []
        placed = []
        for layer in self.model.modules():
            if hasattr(layer, "lora_dropout") and "default" in layer.lora_dropout:
                layer.lora_dropout["default"] = StepDropout(layer.in_features, self.settings.dropout)
                placed.append(layer.lora_dropout["default"])
        return placed

    @property
    def vocabulary(self) -> int:
        """Tokens that the model tells apart."""
        return int(self._causal.config.get_text_config().vocab_size)

    def trainable(self) -> dict[str, nn.Parameter]:
        """The adapter's weights by name, in a fixed order."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    @contextmanager
    def thinned(self, generator: torch.Generator) -> Iterator[None]:
        """A step: one dropout mask from beginning to end. Outside of it nothing is dropped."""
        for dropout in self._dropouts:
            dropout.redraw(generator, self.device)
        try:
            yield
        finally:
            for dropout in self._dropouts:
                dropout.mask = None

    @contextmanager
    def _recomputing(self) -> Iterator[None]:
        """Layers take `training` for the word to recompute; their parts stay in evaluation mode, and drop nothing."""
        for layer in self._layers:
            layer.training = self.checkpointing
        try:
            yield
        finally:
            for layer in self._layers:
                layer.training = False

    def base(self) -> AbstractContextManager[None]:
        """The base model alone, the adapter switched off."""
        context: AbstractContextManager[None] = self.model.disable_adapter()
        return context

    def logits(self, ids: Tensor, mask: Tensor, last: int) -> Tensor:
        """What the model says after each of the last `last` tokens.

        Args:
            ids: (B, S) token ids, padded anywhere.
            mask: (B, S), 1 on tokens.
        Returns: (B, last, V), in float32 or wider.
        """
        with self._recomputing() if torch.is_grad_enabled() else torch.no_grad():
            out = self.model(
                input_ids=ids, attention_mask=mask, position_ids=positions(mask), logits_to_keep=last, use_cache=False
            )
        return wide(out.logits)

    def states(self, ids: Tensor, places: Tensor, layout: shared.Layout) -> Tensor:
        """The last layer's states, of a model that shares. ids, places: (B, S) -> (B, S, hidden)."""
        with self._recomputing() if torch.is_grad_enabled() else torch.no_grad():
            out = self._causal.get_decoder()(
                input_ids=ids, attention_mask=shared.NO_MASK, position_ids=places, use_cache=False, layout=layout
            )
        states: Tensor = out.last_hidden_state
        return states

    def states_before(self, prompt: Tensor, completions: Sequence[Tensor]) -> Tensor:
        """The state from which each token of the completions is drawn; `head` makes logits of it.

        Args:
            prompt: (P,) tokens; completions: at least one token each.
        Returns: (N, hidden), N tokens in all, completion by completion; (N, V), the logits themselves, of a model that
            does not share.
        """
        lengths = [len(completion) for completion in completions]
        if not self.shares:
            ids = torch.nn.utils.rnn.pad_sequence([torch.cat([prompt, c]) for c in completions], batch_first=True)
            logits = self.logits(ids, torch.ones_like(ids), max(lengths) + 1)
            return torch.cat([row[:length] for row, length in zip(logits, lengths, strict=True)])
        read = [length - 1 for length in lengths]  # nothing is drawn after the last
        ids = torch.cat([prompt, *(completion[:-1] for completion in completions)])
        whole = torch.arange(len(prompt) + max(lengths), device=self.device)
        places = torch.cat([whole[: len(prompt)], *(whole[len(prompt) : len(prompt) + n] for n in read)])
        states = self.states(ids[None], places[None], shared.Packed(len(prompt), read))[0]
        own = torch.split(states[len(prompt) :], read)
        return torch.cat([part for one in own for part in (states[len(prompt) - 1 : len(prompt)], one)])

    def head(self, states: Tensor) -> Tensor:
        """(..., hidden) -> (..., V), in float32 or wider. What a model that does not share gives are logits already."""
        return wide(self._causal.get_output_embeddings()(states) if self.shares else states)


def positions(mask: Tensor) -> Tensor:
    """Position of each token among the tokens of its row, 0 on padding at the left. mask: (B, S) -> (B, S)."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)


def wide(logits: Tensor) -> Tensor:
    """At least float32: sums over a vocabulary in half precision are off in the second digit."""
    return logits if logits.dtype == torch.float64 else logits.float()


def _adapted(model: Any, config: LoraConfig) -> Any:
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        wanted = ", ".join(sorted(config.target_modules or ()))
        raise TrainingError(
            f"The model has no layers of the names {wanted} that an adapter could sit on.",
            "Name its own as targets, such as c_attn for GPT-2.",
        ) from error
