"""Pictures out of texts by a model of the hub, by diffusers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

from autoflow.errors import ToolFailed
from autoflow.settings import settings
from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.loading import Where

STEPS = 30
EXTRA = "It needs the extra: pip install -r requirements-hub.txt -c constraints.txt"


def drawer(source: str, at: Where, steps: int = STEPS) -> Callable[[Sequence[str]], list[Picture]]:
    """A picture for each text; the same text gives the same picture. Raises ToolFailed: it cannot be loaded."""
    try:
        from diffusers import StableDiffusionPipeline
    except ImportError as error:
        raise ToolFailed("This tool of the hub cannot be used: diffusers is not installed.", EXTRA) from error
    import torch

    kind = torch.float16 if at.device == "cuda" else torch.float32
    try:
        pipe = StableDiffusionPipeline.from_pretrained(
            source, torch_dtype=kind, use_safetensors=True, local_files_only=settings().offline, **at.pinned
        ).to(at.device)
    except Exception as error:  # a hub may answer anything, a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ToolFailed(f"The model {source} cannot be loaded: {first}") from error
    pipe.set_progress_bar_config(disable=True)

    def draw(text: str) -> Picture:
        seed = int.from_bytes(blake2b(text.encode(), digest_size=7).digest())
        generator = torch.Generator(at.device).manual_seed(seed)
        image: Picture = pipe(text, num_inference_steps=steps, generator=generator).images[0]
        return image.convert("RGB")

    return lambda texts: [draw(text) for text in texts]
