"""How the benchmark makes inputs out of clean samples: four degradations of pictures, and missing words."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Sequence

from PIL import Image, ImageFilter

from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.table import DEGRADATIONS
from autoflow.tools.openagi.values import MASK

RADIUS = 1  # of the blur, pixels
VARIANCE = 0.005  # of the speckle, relative to the pixel
QUALITY = 30  # of JPEG, for `low-resolutioned`
_WORD = re.compile(r"[A-Za-z]{4,}")  # words of a text that may be missing: short ones say nothing


def degraded(image: Picture, names: Sequence[str], seed: str) -> Picture:
    """The picture with these degradations, made in the order in which the benchmark makes them.

    Args:
        names: of `metrics.plan.DEGRADATIONS`, in any order.
        seed: of the noise; the same seed gives the same picture.
    """
    for name in DEGRADATIONS:
        if name in names:
            image = _MAKE[name](image, seed)
    return image


def clozed(text: str, seed: str) -> str:
    """The text with one word replaced by `[MASK]`; as it is where it has no word of four letters."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = random.Random(f"cloze {seed}").choice(words)  # noqa: S311  (chance, no secret)
    return text[: word.start()] + MASK + text[word.end() :]


def _grey(image: Picture, seed: str) -> Picture:
    return image.convert("L").convert("RGB")


def _blurred(image: Picture, seed: str) -> Picture:
    return image.filter(ImageFilter.GaussianBlur(RADIUS))


def _noisy(image: Picture, seed: str) -> Picture:
    """Speckle: each value times 1 + n, n normal; a grey picture stays grey."""
    import numpy as np

    pixels = np.asarray(image, dtype=np.float64)
    chance = np.random.default_rng(random.Random(f"noise {seed}").getrandbits(64))  # noqa: S311
    grey = bool((pixels == pixels[..., :1]).all())
    noise = chance.normal(0.0, VARIANCE**0.5, (*pixels.shape[:2], 1 if grey else 3))
    return Image.fromarray((pixels * (1 + noise)).clip(0, 255).round().astype(np.uint8))


def _packed(image: Picture, seed: str) -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    with Image.open(io.BytesIO(buffer.getvalue())) as opened:
        return opened.convert("RGB")


_MAKE: dict[str, Callable[[Picture, str], Picture]] = {
    "grayscale": _grey, "blurry": _blurred, "noisy": _noisy, "low-resolutioned": _packed,
}  # fmt: skip
