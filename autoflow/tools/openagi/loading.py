"""Loading models of the hub: from where, onto which device, and what is said where it cannot be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoflow.errors import ToolFailed
from autoflow.settings import settings


def device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(frozen=True, slots=True)
class Where:
    """Where models run, and which of a repository."""

    device: str = "cpu"
    revision: str = ""  # commit of the repository; empty: its newest

    def load(self, kind: Any, source: str) -> Any:
        """A processor or tokenizer: `kind.from_pretrained`. Raises ToolFailed: it cannot be had."""
        return _loaded(kind, source, **self.pinned)

    def load_model(self, kind: Any, source: str) -> Any:
        """Likewise a model, ready to be asked. Only safetensors are read: nothing is unpickled."""
        model = _loaded(kind, source, use_safetensors=True, **self.pinned)
        return model.to(self.device).eval()

    @property
    def pinned(self) -> dict[str, str]:
        """What whatever fetches from the hub is told."""
        return {"revision": self.revision} if self.revision else {}

    def put(self, inputs: Any) -> Any:
        """What a processor gave, on the device."""
        return inputs.to(self.device)


def _loaded(kind: Any, source: str, **more: Any) -> Any:
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        return kind.from_pretrained(source, local_files_only=settings().offline, **more)
    except Exception as error:  # a hub may answer anything, a file may hold anything
        first = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ToolFailed(
            f"The model {source} cannot be loaded: {first}",
            "It is fetched from the Hugging Face hub: look whether this machine reaches it, and whether the model asks "
            "for a token (HF_TOKEN).",
        ) from error
