"""An adapter as a study leaves it, made without a model: it fits SmolLM2 and changes next to nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

ORIGIN = {"base": "local:smollm2-135m", "study": "st_0123456789ab", "study_name": "Refunds", "step": 7, "reward": 0.25}


def write_adapter(folder: Path, *, rows: int = 576, rank: int = 2, **origin: object) -> Path:
    """Write one; of `origin` what differs from the usual."""
    folder.mkdir(parents=True, exist_ok=True)
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_"
    tensors = {
        f"{key}A.weight": np.ones((rank, 576), np.float32), f"{key}B.weight": np.full((rows, rank), 1e-5, np.float32),
    }  # fmt: skip
    save_file(tensors, folder / "adapter_model.safetensors")
    told = {"peft_type": "LORA", "r": rank, "lora_alpha": 2, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps(told), "utf-8")
    (folder / "autoflow.json").write_text(json.dumps(ORIGIN | origin), "utf-8")
    return folder
