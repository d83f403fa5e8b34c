"""Where an adapter came from: what a study wrote beside it, or else what peft kept of its base."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autoflow.errors import ModelNotFound
from autoflow.llm.catalogue import catalogue
from autoflow.llm.local.names import ADAPTER_WEIGHTS

ORIGIN = "autoflow.json"
KIND = "local:"
_LONGEST = 1 << 20  # bytes of a JSON file that is read


class Origin(BaseModel):
    """`autoflow.json`: where an adapter came from. Of another version's file the fields that are known."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    base: str = Field(default="", max_length=1000)  # `local:NAME`
    study: str = Field(default="", max_length=64)  # id
    study_name: str = Field(default="", max_length=1000)
    step: int | None = None  # of the training, after which it was kept
    reward: float | None = None  # that it earned then
    created_at: float | None = None


def read_origin(folder: Path, config: Mapping[str, Any]) -> Origin:
    """What `autoflow.json` says; where there is none, the base that peft was told.

    Args:
        config: what `adapter_config.json` says.
    Raises ModelNotFound: it cannot be read.
    """
    try:
        return Origin.model_validate_json(read_text(folder / ORIGIN))
    except FileNotFoundError:
        weights = folder / ADAPTER_WEIGHTS
        made = weights.stat().st_mtime if weights.is_file() else None
        return Origin(base=_base_of_peft(str(config.get("base_model_name_or_path") or "")), created_at=made)
    except (OSError, ValueError, RecursionError, ValidationError) as error:
        raise ModelNotFound(f"Its file {ORIGIN} cannot be read.", "Mend it, or remove that file.") from error


def _base_of_peft(told: str) -> str:
    """The name of a base from where its weights lay: in the folder of a model of the catalogue, elsewhere, the hub."""
    if not told:
        return ""
    path = Path(told)
    entry = next((e for e in catalogue().entries if e.kind == "chat" and e.folder in path.parents), None)
    if entry is not None:
        return KIND + entry.name
    return KIND + told if path.exists() or not path.is_absolute() else ""


def read_text(path: Path) -> str:
    """A file that may hold anything. Raises OSError, ValueError: it is too long, or no text."""
    with path.open("rb") as file:
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise ValueError("it is too long")
    return data.decode("utf-8")
