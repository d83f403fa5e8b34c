"""Colours for grey pictures, by weights that the authors of the network keep at an address of their own.

The address, size and hash stand in the catalogue of models, which fetches them like its other models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autoflow.errors import AutoFlowError, ToolFailed
from autoflow.llm.catalogue import catalogue
from autoflow.llm.download import file_sha256, get_model
from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.loading import Where

SIDE = 256  # pixels that the network looks at; its colours are drawn over the whole picture


def colorizer(name: str, at: Where) -> Callable[[Sequence[Picture]], list[Picture]]:
    """A function that keeps the lightness of each picture, and its size, and gives it likely colours.

    Args:
        name: of the weights in the catalogue; fetched where they are not here. Must not run on an event loop.
    Raises ToolFailed: they cannot be had, the file is not the one that the catalogue names, or no such network.
    """
    model = _network(name).to(at.device)

    def run(images: Sequence[Picture]) -> list[Picture]:
        import torch

        seen = torch.cat([_lightness(image.resize((SIDE, SIDE))) for image in images]).to(at.device)
        return [_coloured(image, ab) for image, ab in zip(images, model(seen).float().cpu(), strict=True)]

    return run


def _network(name: str) -> Any:
    """Its file is read as numbers, and only where it is the file that is meant: nothing that is in it is run."""
    import torch

    from autoflow.tools.openagi.siggraph17 import with_weights

    try:
        path = asyncio.run(get_model(name))
    except AutoFlowError as error:
        raise ToolFailed(error.message, error.hint) from error
    _check(name, path)
    try:
        return with_weights(torch.load(path, weights_only=True, map_location="cpu"))
    except Exception as error:  # a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ToolFailed(f"The model {name} cannot be loaded: {first}") from error


def _check(name: str, path: Path) -> None:
    """Raises ToolFailed: the file was changed, or put there by hand and is another one."""
    expected = catalogue().find(name).sha256
    if file_sha256(path) != expected:
        raise ToolFailed(
            f"The file {path} of the model {name} is not the one that the catalogue names.",
            f"Remove it, and get it anew: autoflow models remove {name}",
        )


def _lightness(image: Picture) -> Any:
    """(1, 1, H, W), in [0, 100]."""
    import torch

    return torch.from_numpy(_lab(image)[..., 0]).float()[None, None]


def _coloured(image: Picture, ab: Any) -> Picture:
    """The lightness of the picture with these colours: (2, 256, 256), drawn to its size."""
    import numpy as np
    import torch
    from PIL import Image
    from skimage.color import lab2rgb

    drawn = torch.nn.functional.interpolate(ab[None], size=(image.height, image.width), mode="bilinear")[0]
    lab = np.concatenate([_lab(image)[..., :1], drawn.permute(1, 2, 0).numpy()], axis=-1)
    return Image.fromarray((lab2rgb(lab).clip(0, 1) * 255).round().astype(np.uint8))


def _lab(image: Picture) -> Any:
    """(H, W, 3)"""
    import numpy as np
    from skimage.color import rgb2lab

    return rgb2lab(np.asarray(image))
