"""Restoration by models of the hub: NAFNet (Chen et al. 2022, MIT) by spandrel, which reads its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoflow.errors import ToolFailed
from autoflow.settings import settings
from autoflow.tools.openagi.hub_images import picture_of
from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.loading import Where

EXTRA = "It needs the extra: pip install -r requirements-hub.txt"


def restorer(source: str, file: str, at: Where) -> Callable[[Sequence[Picture]], list[Picture]]:
    """A network that takes a picture and gives one of the same size.

    Args:
        source: a repository of the hub, or a folder.
        file: of the weights in it; read without running anything that is in it.
    Raises ToolFailed: the extra or the file is missing, or it holds no such network.
    """
    try:
        import spandrel
    except ImportError as error:
        raise ToolFailed("This tool of the hub cannot be used: spandrel is not installed.", EXTRA) from error
    try:
        found = spandrel.ModelLoader(at.device).load_from_file(_path(source, file))
    except Exception as error:  # a hub may answer anything, a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ToolFailed(f"The model {source}/{file} cannot be loaded: {first}") from error
    if not isinstance(found, spandrel.ImageModelDescriptor) or found.scale != 1:
        raise ToolFailed(f"The model {source}/{file} does not give a picture of the same size.")
    model = found.eval()
    return lambda images: [picture_of(model(_tensor(image, at))[0]) for image in images]


def _path(source: str, file: str) -> str:
    from pathlib import Path

    if Path(source).is_dir():
        return str(Path(source) / file)
    from huggingface_hub import hf_hub_download

    return str(hf_hub_download(source, file, local_files_only=settings().offline))


def _tensor(image: Picture, at: Where) -> Any:
    """(1, 3, H, W) in [0, 1]."""
    import numpy as np
    import torch

    values = np.moveaxis(np.asarray(image, dtype=np.float32) / 255, -1, 0)
    return torch.from_numpy(np.ascontiguousarray(values))[None].to(at.device)
