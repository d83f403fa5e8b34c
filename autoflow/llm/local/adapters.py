"""LoRA adapters on a loaded model: put on once each, and switched between answers without touching the base.

Read from safetensors, and from the fields of the configuration that say what LoRA is; a field that could make peft
import a module by name, or fetch something, is not passed on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from autoflow.errors import ModelNotFound, ModelRequestError
from autoflow.llm.local.faults import explain, is_out_of_memory
from autoflow.llm.local.names import ADAPTER_CONFIG, ADAPTER_WEIGHTS, file_mark

KEPT = 8  # adapters on one base; the one that was asked for longest ago makes room
_FIELDS = (
    "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "bias", "use_rslora", "use_dora",
    "fan_in_fan_out", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "modules_to_save",
    "task_type",
)  # fmt: skip


class Adapters:
    """The adapters of one base model. Not to be used from two threads."""

    def __init__(self, model: Any, name: str) -> None:
        self._model = model
        self._name = name  # of the base, for errors
        self._peft: Any = None
        self._keys: dict[str, str] = {}  # mark of the weights -> peft's name, the one used last at the end
        self._made = 0

    def worn(self, folder: Path | None) -> AbstractContextManager[None]:
        """The model answers with this adapter, None: as the base. Raises ModelError: it cannot be put on."""
        if folder is None:
            return nullcontext() if self._peft is None else self._bare()
        mark = file_mark(folder / ADAPTER_WEIGHTS, folder / ADAPTER_CONFIG)
        key = self._keys.pop(mark, None) or self._put_on(folder)
        self._keys[mark] = key
        while len(self._keys) > KEPT:
            self._peft.delete_adapter(self._keys.pop(next(iter(self._keys))))
        self._peft.set_adapter(key)
        return nullcontext()

    @contextmanager
    def _bare(self) -> Iterator[None]:
        with self._peft.disable_adapter():
            yield

    def _put_on(self, folder: Path) -> str:
        """Load an adapter; what was put on before stays. Raises ModelError."""
        from peft import PeftModel

        config, weights = _read(folder)
        self._made += 1
        key = f"adapter{self._made}"  # a name of the user's may hold a dot, which torch does not take
        try:
            if self._peft is None:
                self._peft = PeftModel(self._model, config, key)
            else:
                self._peft.add_adapter(key, config)
            self._fill(key, weights)
        except Exception as error:
            self._take_off(key)
            if is_out_of_memory(error):
                raise explain(error, self._name, "put on an adapter") from error
            raise self._misfit(folder.name, error) from error
        self._peft.eval()
        return key

    def _fill(self, key: str, weights: dict[str, Any]) -> None:
        from peft import set_peft_model_state_dict

        found: Any = set_peft_model_state_dict(self._peft, weights, adapter_name=key)
        missing = [name for name in found.missing_keys if f".{key}." in name]
        strange = [*found.unexpected_keys, *missing]
        if strange:
            raise ValueError(f"{len(strange)} tensors have no counterpart, such as {strange[0]}")

    def _take_off(self, key: str) -> None:
        if self._peft is None or key not in self._peft.peft_config:
            return
        if len(self._peft.peft_config) == 1:
            self._peft.unload()
            self._peft = None
        else:
            self._peft.delete_adapter(key)

    def _misfit(self, adapter: str, error: Exception) -> ModelRequestError:
        words = " ".join(str(error).split())
        return ModelRequestError(
            f"The adapter {adapter} does not fit the model {self._name}: {words[:200].rstrip('.')}.",
            "Take the base that it was trained on; its adapter_config.json names it.",
        )


def _read(folder: Path) -> tuple[Any, dict[str, Any]]:
    """(LoraConfig, tensors by name). Raises ModelNotFound: damaged. ModelRequestError: another kind of adapter."""
    from peft import LoraConfig
    from safetensors.torch import load_file

    try:
        said = json.loads((folder / ADAPTER_CONFIG).read_text("utf-8"))
        if said.get("peft_type") != "LORA":
            raise ModelRequestError(f"The adapter {folder.name} is of type {said.get('peft_type')}, not LORA.")
        config = LoraConfig(**{field: said[field] for field in _FIELDS if said.get(field) is not None})
        config.inference_mode = True
        return config, load_file(str(folder / ADAPTER_WEIGHTS))
    except ModelRequestError:
        raise
    except Exception as error:  # of any kind: the files may hold anything
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelNotFound(f"The adapter {folder.name} cannot be read: {words}.", "Save it again.") from error
