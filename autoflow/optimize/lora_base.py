"""Whether a generator can be trained, told before anything begins."""

from __future__ import annotations

from autoflow.errors import ModelNotFound, SettingsError
from autoflow.llm.catalogue import catalogue
from autoflow.llm.local.names import find_base, split_name

PREFIX = "local:"


def check_base(generator: str) -> None:
    """Raises SettingsError: no model of transformers. ModelNotFound: its files are not on this machine."""
    if not generator.startswith(PREFIX):
        raise SettingsError(
            f"Only a model of this machine can be trained, as `local:NAME`, and `{generator}` is none.", _there()
        )
    name, adapter = split_name(generator.removeprefix(PREFIX))
    if adapter is not None:
        raise SettingsError(
            f"A training begins with a base model, and `{generator}` has an adapter on it.", f"Take `{PREFIX}{name}`."
        )
    base = find_base(name)
    if base.path is not None and not base.path.exists():
        raise ModelNotFound(f"The model {name} is not on this machine yet.", f"Get it with: autoflow models get {name}")


def trainable_models() -> list[str]:
    """The models of the catalogue that are on this machine and can be trained, as users write them."""
    found = [entry for entry in catalogue().entries if entry.kind == "chat"]
    return [PREFIX + entry.name for entry in found if entry.local_path() is not None]


def _there() -> str:
    names = trainable_models()
    return f"There are {', '.join(names)}." if names else "Get one with: autoflow models get smollm2-135m"
