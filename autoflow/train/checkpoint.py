"""A training on disk, so that it can end at any moment and go on as if it had not.

    FOLDER/step-000012/            the last whole step; an older one goes when a newer one is in place
        adapter_model.safetensors, adapter_config.json      as peft writes and reads them
        optimizer.safetensors      both moments and the count of each weight, by its name
        chance.safetensors         states of the generators
        state.json                 step, baseline, and the settings that all this belongs to
    FOLDER/best/step-000009/       an adapter that earned much, with score.json; the others are pruned

Nothing is pickled, so that a checkpoint from elsewhere can be read without running it.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import torch
from peft import get_peft_model_state_dict, set_peft_model_state_dict
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from autoflow.errors import TrainingError
from autoflow.records import Record
from autoflow.train.best import SCORE, best_adapters, best_folder
from autoflow.train.best import Best as Best
from autoflow.train.folders import step_folder, steps_in, whole_folder
from autoflow.train.policy import Policy
from autoflow.train.settings import TrainSettings
from autoflow.train.state import TrainState

ADAPTER, OPTIMIZER, CHANCE, STATE = (
    "adapter_model.safetensors",
    "optimizer.safetensors",
    "chance.safetensors",
    "state.json",
)
Generators = dict[str, torch.Generator]


class _Saved(Record):
    settings: TrainSettings
    state: TrainState


def save(
    folder: Path, policy: Policy, optimizer: torch.optim.Optimizer, chance: Generators, settings: TrainSettings,
    state: TrainState,
) -> Path:  # fmt: skip
    """Write the checkpoint of a step, then remove older ones. Raises StorageUnavailable."""
    target = step_folder(folder, state.step)
    with whole_folder(target) as beside:
        save_adapter(beside, policy)
        moments = {
            f"{name}:{key}": value
            for name, weight in policy.trainable().items()
            for key, value in optimizer.state[weight].items()
        }
        save_file(_owned(moments), beside / OPTIMIZER)
        save_file({name: generator.get_state() for name, generator in chance.items()}, beside / CHANCE)
        text = _Saved(settings=settings, state=state).model_dump_json(indent=2)
        (beside / STATE).write_text(text, encoding="utf-8")
    for step, path in steps_in(folder).items():
        if step < state.step:
            shutil.rmtree(path)
    return target


def load(
    folder: Path, policy: Policy, optimizer: torch.optim.Optimizer, chance: Generators, settings: TrainSettings
) -> TrainState | None:
    """Take up the last whole step, into the given parts. None: there is none.

    Raises TrainingError: the checkpoint is damaged, or of other settings; the number of steps alone may differ.
    """
    steps = steps_in(folder)
    if not steps:
        return None
    path = steps[max(steps)]
    try:
        saved = _Saved.model_validate_json((path / STATE).read_text("utf-8"))
        _refuse_other(path, saved.settings, settings)
        load_adapter(path, policy)
        moments = load_file(path / OPTIMIZER)
        states = load_file(path / CHANCE)
        for name, generator in chance.items():
            generator.set_state(states[name])
    except (OSError, SafetensorError, ValidationError, KeyError, RuntimeError) as error:
        raise TrainingError(
            f"The checkpoint {path} cannot be read: {error}.", "Remove it to begin this training anew."
        ) from error
    _restore(optimizer, policy, moments)
    return saved.state


def _refuse_other(path: Path, theirs: TrainSettings, ours: TrainSettings) -> None:
    may_differ = {"steps"}
    fields = [name for name in TrainSettings.model_fields if name not in may_differ]
    if names := [name for name in fields if getattr(theirs, name) != getattr(ours, name)]:
        raise TrainingError(
            f"The checkpoint {path} belongs to a training with other settings ({', '.join(names)}).",
            "Take the settings that it began with, or another folder.",
        )


def _restore(optimizer: torch.optim.Optimizer, policy: Policy, moments: dict[str, Tensor]) -> None:
    """The count stays on the CPU, where AdamW keeps it; moments go to the device of their weight."""
    for name, weight in policy.trainable().items():
        found = {key.rpartition(":")[2]: value for key, value in moments.items() if key.rpartition(":")[0] == name}
        optimizer.state[weight] = {key: v if key == "step" else v.to(weight.device) for key, v in found.items()}


def save_adapter(folder: Path, policy: Policy) -> None:
    """The adapter alone, as peft and its users read it."""
    save_file(_owned(get_peft_model_state_dict(policy.model)), folder / ADAPTER)
    config = copy.copy(policy.model.peft_config["default"])
    config.inference_mode = True
    config.lora_dropout = policy.settings.dropout
    config.save_pretrained(str(folder))


def load_adapter(folder: Path, policy: Policy) -> None:
    """Raises KeyError: the file holds other weights than the policy has."""
    weights = load_file(folder / ADAPTER)
    expected = get_peft_model_state_dict(policy.model)
    if weights.keys() != expected.keys():
        raise KeyError(*sorted(weights.keys() ^ expected.keys())[:1])
    set_peft_model_state_dict(policy.model, weights)


def keep_best(folder: Path, policy: Policy, best: Best, *, limit: int) -> list[Best]:
    """Keep this adapter if it is among the best. Returns those that are kept, best first; of equals the earlier."""
    kept = best_adapters(folder)
    if len(kept) >= limit and kept[limit - 1].score >= best.score:
        return kept
    with whole_folder(step_folder(best_folder(folder), best.step)) as beside:
        save_adapter(beside, policy)
        (beside / SCORE).write_text(best.model_dump_json(), encoding="utf-8")
    kept = best_adapters(folder)
    for worse in kept[limit:]:
        shutil.rmtree(step_folder(best_folder(folder), worse.step))
    return kept[:limit]


def _owned(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, each with memory of its own, as the format wants it."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
