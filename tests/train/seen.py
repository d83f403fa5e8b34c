"""What an update sees of the tokens of samples, laid out as the samples are."""

from __future__ import annotations

import torch

from autoflow.train.loss import Drawn, TokenFigures, token_figures
from autoflow.train.policy import Policy
from autoflow.train.sampling import Samples


@torch.no_grad()
def seen(ours: Policy, samples: Samples, temperature: float) -> TokenFigures:
    """(B, T) each, 0 on padding."""
    parts = [_part(ours, samples, rows, temperature) for rows in samples.together(len(samples))]
    spoken, zeros = samples.mask.bool(), torch.zeros_like(samples.logprobs)
    return TokenFigures(
        *(
            zeros.masked_scatter(spoken, torch.cat([getattr(part, field) for part in parts]).to(zeros.dtype))
            for field in ("logprobs", "kl", "entropy")
        )
    )


def _part(ours: Policy, samples: Samples, rows: range, temperature: float) -> TokenFigures:
    prompt, completions = samples.prompt(rows[0]), [torch.tensor(samples.tokens(row)) for row in rows]
    with ours.base():
        base = ours.states_before(prompt, completions)
    states = ours.states_before(prompt, completions)
    return token_figures(ours, states, base, Drawn.of(samples, rows), temperature, kl_gradient=False)
