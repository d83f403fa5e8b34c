"""A GPU does what the CPU does. Without one, nothing of this is run."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from autoflow.llm.base import Choice, Constraint, Message, Options
from autoflow.llm.local import open_local
from autoflow.llm.local.load import load_model
from autoflow.train.loss import add_gradients
from autoflow.train.policy import Policy
from autoflow.train.sampling import Samples, sample
from autoflow.train.settings import SamplingSettings
from tests.llm.tiny import make_tiny
from tests.train import trainings
from tests.train.tiny import ENDS, policy, seeded

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
HOW = SamplingSettings(temperature=1.3, top_k=6, top_p=0.95, max_new_tokens=12)
PROMPTS = [[1, 2, 3], [4]]


def moved(samples: Samples, device: str) -> Samples:
    parts = {field.name: getattr(samples, field.name) for field in fields(samples)}
    return Samples(**{name: None if part is None else part.to(device) for name, part in parts.items()})


def gradient(ours: Policy, samples: Samples) -> torch.Tensor:
    advantage = [0.5 * n - 2 for n in range(len(samples))]
    add_gradients(ours, samples, advantage, temperature=HOW.temperature, kl_weight=0.1, micro_batch=3)
    return torch.cat([w.grad.flatten().cpu() for w in ours.trainable().values() if w.grad is not None])


@pytest.mark.parametrize("sharing", [True, False])
def test_the_gradient_is_that_of_the_cpu(sharing: bool) -> None:
    here, there = (policy(9, sharing=sharing, device=device) for device in ("cpu", "cuda"))
    assert here.shares == there.shares == sharing
    drawn = sample(here, PROMPTS, group=4, settings=HOW, ends=ENDS, generator=seeded())
    torch.testing.assert_close(
        gradient(there, moved(drawn, "cuda")), gradient(here, drawn), rtol=1e-3, atol=1e-5, check_device=False
    )


@pytest.mark.parametrize(("dtype", "drift"), [(torch.float32, 1e-4), (torch.bfloat16, 0.2)])
def test_what_was_drawn_is_as_likely_in_the_update(dtype: torch.dtype, drift: float) -> None:
    ours = policy(9, dtype=dtype, device="cuda")
    generator = torch.Generator("cuda").manual_seed(1)
    drawn = sample(ours, PROMPTS, group=4, settings=HOW, ends=ENDS, generator=generator)
    sums = add_gradients(ours, drawn, [1.0] * 8, temperature=HOW.temperature, kl_weight=0.1, micro_batch=4)
    assert sums.drift < drift
    assert sums.tokens == int(drawn.mask.sum())


def test_a_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    whole = trainings.trainer(tmp_path / "whole", device="cuda")
    texts = [[s.text for s in whole.step().samples] for _ in range(4)]
    first = trainings.trainer(tmp_path / "parts", device="cuda")
    assert [[s.text for s in first.step().samples] for _ in range(2)] == texts[:2]
    second = trainings.trainer(tmp_path / "parts", device="cuda")
    assert second.state.step == 2
    results = [second.step() for _ in range(2)]
    assert [[s.text for s in result.samples] for result in results] == texts[2:]
    assert all(result.figures.peak_memory_bytes > 0 for result in results)


def test_a_model_answers_on_the_gpu_in_half_precision(tmp_path: Path) -> None:
    name = str(make_tiny(tmp_path / "tiny"))
    loaded = load_model(f"local:{name}")
    assert (loaded.device, loaded.dtype) == ("cuda", "bfloat16")
    model = open_local(name)
    asked = [Message("user", "Name a colour, red, green or blue.")]

    async def told(seed: int, constraint: Constraint | None = None) -> str:
        options = Options(seed=seed, max_tokens=12, temperature=1.0, constraint=constraint)
        return (await model.complete(asked, options)).text

    async def several() -> list[str]:
        return await asyncio.gather(*(told(seed) for seed in range(4)))

    free = asyncio.run(several())
    assert len(set(free)) > 1
    assert asyncio.run(several()) == free, "the seed alone says what is drawn"
    assert asyncio.run(told(1, Choice(("red", "blue")))) in ("red", "blue")
