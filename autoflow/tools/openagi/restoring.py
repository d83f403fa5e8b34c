"""Restoration without a model of the hub: algorithms of scikit-image, under their own names.

Settings were chosen by PSNR on the eight pictures of the project's own sample, 256 x 256 pixels, degraded as the
benchmark says. So PSNR and SSIM of these restorers on that sample, in right and in wrong orders (`python
bench/evidence_execution.py`), are in-sample: on other pictures expect less.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from PIL import Image

from autoflow.tools.openagi.images import Picture

BLUR_SIGMA = 1.0  # pixels: what the benchmark blurs by
ITERATIONS = 10  # of Richardson-Lucy: more sharpen noise
PAD = 8  # pixels that are mirrored around a picture, so that its edges do not ring
STRENGTH = 1.0  # of non-local means, in standard deviations of the noise
SMOOTHING = 0.015  # of total variation: the blocks of JPEG go, edges stay
TIMES = 2  # what super resolution enlarges by


def denoised(image: Picture) -> Picture:
    """By non-local means, as strongly as the noise that is estimated in the picture."""
    import numpy as np
    from skimage.restoration import denoise_nl_means, estimate_sigma

    pixels = _pixels(image)
    sigma = float(np.mean(estimate_sigma(pixels, channel_axis=-1)))
    if not sigma > 0:  # one colour: nothing to estimate, and nothing to do
        return image
    return _picture(
        denoise_nl_means(
            pixels, h=STRENGTH * sigma, sigma=sigma, fast_mode=True, patch_size=5, patch_distance=6, channel_axis=-1
        )
    )


def deblurred(image: Picture) -> Picture:
    """By Richardson-Lucy deconvolution of a Gaussian blur."""
    import numpy as np
    from skimage.restoration import richardson_lucy

    padded = np.pad(_pixels(image), ((PAD, PAD), (PAD, PAD), (0, 0)), mode="symmetric")
    channels = [richardson_lucy(padded[..., c], _spread(), num_iter=ITERATIONS) for c in range(3)]
    return _picture(np.stack(channels, axis=-1)[PAD:-PAD, PAD:-PAD])


def enlarged(image: Picture) -> Picture:
    """Smoothed by total variation, then enlarged by Lanczos."""
    from skimage.restoration import denoise_tv_chambolle

    smooth = _picture(denoise_tv_chambolle(_pixels(image), weight=SMOOTHING, channel_axis=-1))
    return smooth.resize((image.width * TIMES, image.height * TIMES), Image.Resampling.LANCZOS)


def _pixels(image: Picture) -> Any:
    """(H, W, 3), in [0, 1]."""
    import numpy as np

    return np.asarray(image, dtype=np.float64) / 255


def _picture(pixels: Any) -> Picture:
    import numpy as np

    return Image.fromarray((np.nan_to_num(pixels).clip(0, 1) * 255).round().astype(np.uint8))


@cache
def _spread() -> Any:
    """Where the light of one pixel goes: (9, 9), sum 1."""
    import numpy as np

    line = np.exp(-(np.arange(-4, 5) ** 2) / (2 * BLUR_SIGMA**2))
    spread = np.outer(line, line)
    return spread / spread.sum()
