"""The adapters that a training keeps: which they are and what they earned. Free of torch, so that anybody may look."""

from __future__ import annotations

import json
from pathlib import Path

from autoflow.records import Record
from autoflow.train.folders import steps_in

SCORE = "score.json"


class Best(Record):
    """An adapter that was kept."""

    step: int  # steps it had been trained for when it was drawn from
    score: float


def best_folder(folder: Path) -> Path:
    """Where the adapters that are kept lie in the folder of a training."""
    return folder / "best"


def best_adapters(folder: Path) -> list[Best]:
    """Those that are kept, best first; of equals the earlier."""
    found = [
        Best.model_validate(json.loads((path / SCORE).read_text("utf-8")))
        for path in steps_in(best_folder(folder)).values()
    ]
    return sorted(found, key=lambda best: (-best.score, best.step))
