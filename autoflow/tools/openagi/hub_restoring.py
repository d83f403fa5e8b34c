"""Restoration by weights of the hub: NAFNet, for noise and for blur."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autoflow.errors import ToolFailed
from autoflow.llm.download import file_sha256
from autoflow.settings import settings
from autoflow.tools.openagi.hub_images import picture_of
from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.loading import Where


def restorer(source: str, file: str, at: Where, sha256: str = "") -> Callable[[Sequence[Picture]], list[Picture]]:
    """A network that takes a picture and gives one of the same size.

    Args:
        source: a repository of the hub, or a folder.
        file: of the weights in it, read as numbers: nothing that is in it is run.
        sha256: of that file; empty: any will do.
    Raises ToolFailed: the file is missing, it is another one, or it holds no such network.
    """
    import torch

    from autoflow.tools.openagi.nafnet import with_weights

    try:
        path = _path(source, file, at)
        _check(source, path, sha256)
        found = torch.load(path, weights_only=True, map_location="cpu")
        model = with_weights(found.get("params", found)).to(at.device)
    except ToolFailed:
        raise
    except Exception as error:  # a hub may answer anything, a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ToolFailed(f"The model {source}/{file} cannot be loaded: {first}") from error
    return lambda images: [picture_of(model(_tensor(image, at))[0]) for image in images]


def _check(source: str, path: Path, sha256: str) -> None:
    """Whoever keeps the repository may change it: what is loaded is what was chosen, or nothing."""
    if sha256 and file_sha256(path) != sha256:
        raise ToolFailed(
            f"The file {path.name} of {source} is not the one that AutoFlow knows.",
            f"Remove {path}, so that it is fetched anew.",
        )


def _path(source: str, file: str, at: Where) -> Path:
    if Path(source).is_dir():
        return Path(source) / file
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(source, file, revision=at.revision or None, local_files_only=settings().offline))


def _tensor(image: Picture, at: Where) -> Any:
    """(1, 3, H, W) in [0, 1]."""
    import numpy as np
    import torch

    values = np.moveaxis(np.asarray(image, dtype=np.float32) / 255, -1, 0)
    return torch.from_numpy(np.ascontiguousarray(values))[None].to(at.device)
