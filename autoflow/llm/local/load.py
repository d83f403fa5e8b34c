"""A model's weights and tokenizer, on the device that suits: what the backend asks, and what training trains."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import torch

from autoflow.errors import ModelRequestError
from autoflow.llm.local.convert import converted
from autoflow.llm.local.faults import no_download, too_large, unloadable
from autoflow.llm.local.names import Base, find_base, split_name
from autoflow.settings import settings

_FILES = ("*.json", "*.safetensors", "*.jinja", "tokenizer.model", "*.txt")  # of a repository; nothing that is code
_SPARE = 1.15  # of the weights' size: buffers, and a short prompt


@dataclass(slots=True)
class Loaded:
    """A model in memory."""

    name: str
    model: Any  # a PreTrainedModel, in eval mode
    tokenizer: Any  # pads on the left
    device: str  # cpu or cuda
    dtype: str  # float32, bfloat16, float16 or 4 bits
    ends: frozenset[int]  # tokens that end an answer
    pad: int
    context: int  # tokens that a prompt and its answer may take


def load_model(name: str, *, device: str | None = None) -> Loaded:
    """A model of its own for the caller, as `local:` names it; an adapter in the name is not put on.

    Args:
        device: `cpu` or `cuda`; None: CUDA where there is one.
    Raises: ModelError, SettingsError: see `find_base`.
    """
    return load(find_base(split_name(name.removeprefix("local:"))[0]), device=device)


def load(base: Base, *, device: str | None = None) -> Loaded:
    """Raises ModelError: no files, damaged ones, or not enough memory."""
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # or it stands in the middle of a trace
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # of peft, for its own authors
    folder = weights_folder(base)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype, extra = _fit(base.name, folder, device)
    safe: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), padding_side="left", **safe)
        model: Any = AutoModelForCausalLM.from_pretrained(str(folder), use_safetensors=True, **safe, **extra)
        if "quantization_config" not in extra:
            model = model.to(device)
    except Exception as error:  # of any kind: the files may hold anything
        raise unloadable(error, base.name, str(folder)) from error
    if not tokenizer.chat_template:
        raise ModelRequestError(
            f"{base.name} is a base model without a chat template and cannot be talked to.", "Take an instruct model."
        )
    ends = _ends(model, tokenizer)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0)
    context = int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or 4096)
    return Loaded(base.name, model.eval(), tokenizer, device, dtype, ends, pad, context)


def weights_folder(base: Base) -> Path:
    """Where the safetensors are. Raises ModelError."""
    if base.path is None:
        return _from_hub(base.hub)
    return converted(base) if base.converted else base.path


def _from_hub(repo: str) -> Path:
    """A repository in the hub's own cache, fetched where it is not there. Raises ModelError."""
    from huggingface_hub import snapshot_download

    asked = settings()
    try:
        return Path(
            snapshot_download(
                repo,
                endpoint=asked.hub_url.rstrip("/"),
                allow_patterns=list(_FILES),
                etag_timeout=asked.hub_timeout_s,
                local_files_only=asked.offline,
            )
        )
    except Exception as error:  # the hub's errors are many, and told apart by name
        raise no_download(error, repo, asked.hub_url) from error


def _fit(name: str, folder: Path, device: str) -> tuple[str, dict[str, Any]]:
    """(dtype, arguments of loading): on CUDA 16 bits, or 4 where 16 do not fit. Raises ModelRequestError: too large."""
    stored = sum(file.stat().st_size for file in folder.glob("*.safetensors"))  # taken as 16 bits a weight, or 32
    if device == "cpu":
        needed, free = stored * _width(folder) * _SPARE, psutil.virtual_memory().available
        if needed > free:
            raise too_large(name, needed, free, "memory")
        return "float32", {"dtype": torch.float32}
    half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    needed, free = stored * _width(folder) / 2 * _SPARE, torch.cuda.mem_get_info()[0]
    if needed <= free:
        return str(half).removeprefix("torch."), {"dtype": half}
    if find_spec("bitsandbytes") and needed / 3 <= free:
        from transformers import BitsAndBytesConfig

        four = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=half)
        return "4 bits", {"quantization_config": four, "dtype": half, "device_map": {"": 0}}
    raise too_large(name, needed, free, "the GPU's memory (4 bits would need a third, and the package bitsandbytes)")


def _width(folder: Path) -> float:
    """Bytes of a weight at 32 bits for each byte that it takes on disk, by the first tensor of the first file."""
    from safetensors import safe_open

    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(str(file), framework="pt") as held:
                kinds = {held.get_slice(key).get_dtype() for key in list(held.keys())[:1]}
        except Exception:  # damaged: loading it tells so in words
            return 1.0
        return 1.0 if kinds & {"F32"} else 2.0
    return 1.0


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """The end tokens of model and tokenizer: chat models often have two."""
    found: set[int] = set()
    for ends in (getattr(model.generation_config, "eos_token_id", None), tokenizer.eos_token_id):
        found |= set(ends) if isinstance(ends, list) else {ends} if ends is not None else set()
    return frozenset(found)
