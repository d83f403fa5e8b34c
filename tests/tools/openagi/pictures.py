"""Natural pictures that scikit-image ships, as the benchmark shows them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from autoflow.tools.openagi.images import Picture, as_shown, read_image

COLOURED = ("astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png")


@cache
def natural(name: str) -> Picture:
    import skimage

    file = Path(skimage.__file__).parent / "data" / name
    return as_shown(read_image(file.read_bytes(), name))


def psnr(one: Picture, other: Picture) -> float:
    """Of two pictures of one size, in dB; worked out here, and not by the library that is tested."""
    import math

    errors = [(a - b) ** 2 for a, b in zip(one.tobytes(), other.tobytes(), strict=True)]
    mean = sum(errors) / len(errors)
    return math.inf if mean == 0 else 10 * math.log10(255**2 / mean)
