"""Steps of a training, made by hand, for whatever keeps and shows them."""

from __future__ import annotations

from autoflow.study import StudySample, TrainingStep
from autoflow.train.figures import StepFigures


def trained(step: int, text: str = "Step 1", **more: object) -> TrainingStep:
    numbers = dict.fromkeys(StepFigures.model_fields, 0.5) | {"step": step, "distinct": 2, "peak_memory_bytes": 9}
    samples = [
        StudySample(text=text, reward=-0.5, advantage=0.1, tokens=3, ended=True, error="e"),
        StudySample(text="t", reward=1.0, advantage=-0.1, tokens=1, ended=False, candidate=2, score=0.5),
    ]
    return TrainingStep.model_validate({"figures": numbers, "samples": samples} | more)
