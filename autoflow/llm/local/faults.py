"""From what torch, transformers and the hub raise to the sentence that a person reads.

Exceptions are told apart by name where that spares the import of the library they come from.
"""

from __future__ import annotations

from autoflow.errors import ModelAuthError, ModelError, ModelNotFound, ModelReplyError, ModelRequestError
from autoflow.errors import ModelUnavailable as Unavailable
from autoflow.llm.failure import Failure

_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "cannot allocate memory")
_NO_HUB = ("LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectError", "ConnectTimeout", "ConnectionError")


def explain(error: BaseException, name: str, doing: str = "answer") -> ModelError:
    """The error for whatever happened to the model `name`."""
    if isinstance(error, ModelError):
        return error
    if is_out_of_memory(error):
        return ModelRequestError(
            f"The memory did not suffice for the model {name} to {doing}.",
            "Take a smaller model, ask for fewer tokens or fewer answers at once, or end other programs.",
        )
    return Unavailable(f"The model {name} failed to {doing}: {_words(error)}.", "Look whether its files are whole.")


def is_out_of_memory(error: BaseException) -> bool:
    named = type(error).__name__ in ("OutOfMemoryError", "MemoryError")
    return named or (isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _NO_MEMORY))


def too_large(name: str, needed: float, there: float, where: str) -> ModelRequestError:
    """Args: needed, there: bytes."""
    return ModelRequestError(
        f"The model {name} needs about {needed / 1e9:.1f} GB of {where}; {there / 1e9:.1f} GB are free.",
        "Take a smaller model, or end other programs.",
    )


def unloadable(error: BaseException, name: str, where: str) -> ModelError:
    """Why a model could not be loaded from its files."""
    if isinstance(error, ModelError) or is_out_of_memory(error):
        return explain(error, name, "be loaded")
    return ModelNotFound(
        f"The model {name} cannot be loaded from {where}: {_words(error)}.",
        "It takes a folder with config.json, a tokenizer and weights as safetensors, or a GGUF file.",
    )


def no_download(error: BaseException, name: str, hub: str) -> ModelError:
    """Why a model could not be had from the hub."""
    kind = type(error).__name__
    if kind == "GatedRepoError":
        return ModelAuthError(
            f"The hub lets only those have {name} who accepted its terms.",
            "Accept them on the model's page, and set HF_TOKEN to a token of that account.",
        )
    if kind in ("RepositoryNotFoundError", "HFValidationError", "RevisionNotFoundError"):
        return ModelNotFound(
            f"The hub has no model {name}, or does not show it.", "Check the spelling; private ones take HF_TOKEN."
        )
    if kind in _NO_HUB or isinstance(error, ConnectionError):
        return Unavailable(
            f"The model {name} is not on this machine, and the hub at {hub} did not answer.",
            "Check the network, or name a folder or a model of the catalogue.",
        )
    return Unavailable(f"The model {name} could not be had from the hub: {_words(error)}.", "Try again.")


def unusable(failure: Failure, name: str) -> ModelError:
    """Why an answer cannot be used."""
    said = failure.detail
    message, hint = {
        "empty": (
            f"The model {name} answered with nothing{said}.",
            "Try again, or word the instruction differently.",
        ),
        "repeating": (
            f"The model {name} repeated itself without end ({said}) and was stopped.",
            "Try another model, a higher temperature, or a more specific instruction.",
        ),
        "too-large": (f"The reply of the model {name} grew beyond {said}.", "Set a limit of tokens for the answer."),
    }.get(failure.kind, (f"The reply of the model {name} cannot be used{said}.", ""))
    return ModelReplyError(message, hint, partial=failure.partial)


def too_slow(name: str, limit: float, partial: str) -> ModelError:
    hint = "Raise the time limit, ask for fewer tokens, or choose a faster model."
    if partial:
        return ModelReplyError(f"The reply of the model {name} was not complete within {limit:g} s.", hint, partial)
    return Unavailable(f"The model {name} did not answer within {limit:g} s.", hint)


def _words(error: BaseException) -> str:
    """The library's own words: its first line, short."""
    words = " ".join((str(error).strip().splitlines() or [type(error).__name__])[0].split()).rstrip(".")
    return words if len(words) <= 300 else words[:299] + "…"
