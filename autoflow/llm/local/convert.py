"""From a GGUF file to a folder of safetensors, once: transformers takes 13 to 50 s to read the one, 0.3 s the other."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from autoflow.errors import ModelNotFound
from autoflow.llm.flock import FileLock
from autoflow.llm.gguf import read_gguf
from autoflow.llm.local.faults import explain, unloadable
from autoflow.llm.local.names import Base, file_mark


def converted(base: Base) -> Path:
    """The folder of safetensors of a GGUF file, made where there is none. Raises ModelError.

    It is named after the file's place, size and time, so that another file of that name is converted anew. Written
    beside its place and moved there whole: what ends in the middle leaves nothing that could be taken for a model.
    """
    assert base.path is not None
    assert base.converted is not None
    if base.path.parent == base.converted and not base.path.is_file():
        cure = f"Get it with: autoflow models get {base.name}"
        raise ModelNotFound(f"The model {base.name} is not on this machine yet.", cure)
    read_gguf(base.path)  # a damaged file is told in words before a library trips over it
    folder = base.converted / f"safetensors-{file_mark(base.path)}"
    lock = FileLock(base.converted / "convert.lock")
    try:
        while not lock.try_acquire():
            time.sleep(0.2)
        if not folder.is_dir():
            _convert(base.path, folder, base.name)
    except OSError as error:
        raise ModelNotFound(
            f"The model {base.name} cannot be unpacked in {base.converted}: {error.strerror or error}.",
            "It takes twice its number of weights in bytes of disk.",
        ) from error
    finally:
        lock.release()
    return folder


def _convert(file: Path, folder: Path, name: str) -> None:
    """Weights of 16 bits: what that rounds off is far below the steps of the file's own 4 to 8 bits."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    for old in folder.parent.glob("safetensors-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".converting-") as made:
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
            model = AutoModelForCausalLM.from_pretrained(
                str(file.parent),
                gguf_file=file.name,
                dtype=torch.float16,
                quantization_config=GgufConfig(dequantize=True),  # else the weights stay packed, and cannot be saved
            )
        except OSError:
            raise
        except Exception as error:  # of any kind: the architecture may be one that transformers does not know
            raise unloadable(error, name, str(file)) from error
        for left, value in (("hf_quantizer", None), ("is_quantized", False)):  # or it would not be saved
            setattr(model, left, value)
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        try:
            tokenizer.save_pretrained(made)
            model.save_pretrained(made)
        except RuntimeError as error:  # how safetensors tells of a full disk, and torch of memory
            raise explain(error, name, "be unpacked") from error
        Path(made).replace(folder)
        Path(made).mkdir()  # for the context to remove
