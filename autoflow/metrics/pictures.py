"""How alike pictures are, and how well a picture fits a text. Each figure says its range and its direction.

    vit-score             [0, 1], higher is better: cosine of ViT embeddings, below 0 cut (the paper's, from the hub)
    efficientnet-cosine   [0, 1], higher is better: cosine of EfficientNet-Lite0 features; where there is no hub
    vit-distance-legacy   [0, inf), LOWER is better: what the reference calls its ViT score; no reward by default
    clip-score            [0, 1], higher is better: cosine of CLIP embeddings, below 0 cut (from the hub)
    ssim                  [-1, 1], higher is better: structural similarity (Wang et al. 2004)
    psnr                  [0, inf] dB, higher is better: peak signal-to-noise ratio

Pictures are compared as the benchmark shows them. Scores of models are kept by content: the same pair is worked out
once a process.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

from PIL import Image

from autoflow.errors import ModelNotFound
from autoflow.settings import settings

VIT = "nateraw/vit-base-beans"
CLIP = "openai/clip-vit-base-patch16"
BATCH = 16
Pair = tuple[Image.Image, Image.Image]
CACHED = 50_000  # scores that are kept


class ByContent:
    """Scores of pairs, worked out in one batch where they are not known yet."""

    def __init__(self, name: str, work: Callable[[Sequence[Any]], Sequence[float]]) -> None:
        self._name = name
        self._work = work
        self._known: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, pairs: Sequence[Any]) -> list[float]:
        keys = [" ".join(map(_content, pair)) for pair in pairs]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
            missing = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in found}
            if missing:
                fresh = dict(zip(missing, self._work(list(missing.values())), strict=True))
                found |= fresh
                self._keep(fresh)
        return [found[key] for key in keys]

    def _keep(self, fresh: Mapping[str, float]) -> None:
        self._known |= fresh
        while len(self._known) > CACHED:  # the oldest go
            del self._known[next(iter(self._known))]


def psnr(one: Image.Image, other: Image.Image) -> float:
    """In dB; infinite for equal pictures. Raises ValueError: their sizes differ."""
    import numpy as np

    if one.size != other.size:
        raise ValueError(f"pictures must have one size, but got {one.size} and {other.size}")
    error = float(np.mean((np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Mean over windows and channels. Raises ValueError: their sizes differ, or are below 7 pixels."""
    import numpy as np
    from skimage.metrics import structural_similarity

    return float(structural_similarity(np.asarray(one), np.asarray(other), channel_axis=-1, data_range=255))


def _efficientnet(pairs: Sequence[Pair]) -> list[float]:
    from autoflow.tools.openagi.efficientnet import features

    return _cosines(features([one for one, _ in pairs]), features([other for _, other in pairs]))


def _vit(pairs: Sequence[Pair]) -> list[float]:
    return _cosines(_embedded([one for one, _ in pairs]), _embedded([other for _, other in pairs]))


def _vit_distance(pairs: Sequence[Pair]) -> list[float]:
    """The reference's formula: the Frobenius norm of the difference of all token embeddings of a pair."""
    ones, others = (_tokens([pair[k] for pair in pairs]) for k in (0, 1))  # (B, T, D)
    return [float(value) for value in (ones - others).flatten(1).norm(dim=-1)]


def _clip(pairs: Sequence[tuple[Image.Image, str]]) -> list[float]:
    return [value for n in range(0, len(pairs), BATCH) for value in _clip_batch(pairs[n : n + BATCH])]


def _clip_batch(pairs: Sequence[tuple[Image.Image, str]]) -> list[float]:
    import torch

    processor, model = _clip_model(CLIP)
    images, texts = [image for image, _ in pairs], [text for _, text in pairs]
    with torch.inference_mode():
        inputs = processor(text=texts, images=images, return_tensors="pt", padding=True, truncation=True)
        outputs = model(**inputs)
    return _cosines(outputs.image_embeds, outputs.text_embeds)


efficientnet_cosine = ByContent("efficientnet-cosine", _efficientnet)
vit_score = ByContent("vit-score", _vit)
vit_distance_legacy = ByContent("vit-distance-legacy", _vit_distance)
clip_score = ByContent("clip-score", _clip)


def _cosines(ones: Any, others: Any) -> list[float]:
    """Row by row, cut to [0, 1]."""
    import torch

    return [min(1.0, max(0.0, float(value))) for value in torch.nn.functional.cosine_similarity(ones, others, dim=-1)]


def _embedded(images: Sequence[Image.Image]) -> Any:
    """(B, D): the embedding of the first token, which stands for the whole picture."""
    return _tokens(images)[:, 0]


def _tokens(images: Sequence[Image.Image]) -> Any:
    """(B, T, D)"""
    import torch

    processor, model = _vit_model(VIT)
    with torch.inference_mode():
        batches = [list(images[n : n + BATCH]) for n in range(0, len(images), BATCH)]
        return torch.cat([model(**processor(images=b, return_tensors="pt")).last_hidden_state for b in batches])


@cache
def _vit_model(source: str) -> tuple[Any, Any]:
    from transformers import AutoImageProcessor, AutoModel

    return _loaded(AutoImageProcessor, source), _loaded(AutoModel, source, use_safetensors=True).eval()


@cache
def _clip_model(source: str) -> tuple[Any, Any]:
    from transformers import AutoProcessor, CLIPModel

    return _loaded(AutoProcessor, source), _loaded(CLIPModel, source, use_safetensors=True).eval()


def _loaded(kind: Any, source: str, **more: Any) -> Any:
    try:
        return kind.from_pretrained(source, local_files_only=settings().offline, **more)
    except Exception as error:  # a hub may answer anything, a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ModelNotFound(
            f"The model {source} of a metric cannot be loaded: {first}", "Without the hub, choose the offline metrics."
        ) from error


def _content(value: Any) -> str:
    """Names a picture or text by what it holds."""
    if isinstance(value, str):
        return "t" + blake2b(value.encode(), digest_size=16).hexdigest()
    return "i" + blake2b(value.tobytes() + repr(value.size).encode(), digest_size=16).hexdigest()
