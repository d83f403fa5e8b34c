"""What a training found becomes a model: a folder among the adapters, which `local:BASE+NAME` names.

ADAPTERS/NAME/adapter_model.safetensors, adapter_config.json    as peft writes and reads them
ADAPTERS/NAME/autoflow.json                                     `Origin`
"""

from __future__ import annotations

import re
import shutil
import unicodedata
from pathlib import Path

from autoflow.llm.local.names import ADAPTER_CONFIG, ADAPTER_NAME, ADAPTER_WEIGHTS
from autoflow.llm.local.origin import ORIGIN, Origin, read_text
from autoflow.settings import settings
from autoflow.study import Study
from autoflow.train.best import Best, best_folder
from autoflow.train.folders import step_folder, whole_folder

_LONGEST = 48  # of a name made here; a number may follow


def adapter_of(study_id: str) -> str | None:
    """The name of the adapter that a study put among the models, whatever it is called by now."""
    for path in sorted(settings().adapters.glob(f"*/{ORIGIN}")):
        origin = origin_of(path.parent)
        if origin is not None and origin.study == study_id and ADAPTER_NAME.fullmatch(path.parent.name):
            return path.parent.name
    return None


def origin_of(folder: Path) -> Origin | None:
    """None: nobody wrote it down, or not so that it could be read."""
    try:
        return Origin.model_validate_json(read_text(folder / ORIGIN))
    except (OSError, ValueError):
        return None


def publish(study: Study, training: Path, best: Best, now: float) -> str:
    """Put an adapter of a training among the models, in the place of what the study put there before.

    Returns its name. Raises StorageUnavailable.
    """
    name = adapter_of(study.id) or free_name(study.name)
    before = origin_of(settings().adapters / name)
    if before is not None and (before.step, before.reward) == (best.step, best.score):
        return name
    source = step_folder(best_folder(training), best.step)
    origin = Origin(
        base=study.spec.generator, study=study.id, study_name=study.name, step=best.step, reward=best.score,
        created_at=now,
    )  # fmt: skip
    with whole_folder(settings().adapters / name) as beside:
        for file in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
            shutil.copyfile(source / file, beside / file)
        (beside / ORIGIN).write_text(origin.model_dump_json(indent=2), encoding="utf-8")
    return name


def free_name(study_name: str) -> str:
    """A name that no adapter has, as near to that of the study as names of files allow."""
    plain = unicodedata.normalize("NFKD", study_name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9._]+", "-", plain)[:_LONGEST].strip("-._") or "adapter"
    taken = {path.name for path in settings().adapters.glob("*")}
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return name
