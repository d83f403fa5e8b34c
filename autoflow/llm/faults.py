"""From a failed request to the sentence that a person reads, and the error that callers catch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from autoflow.errors import (
    ModelAuthError,
    ModelError,
    ModelNotFound,
    ModelRateLimited,
    ModelReplyError,
    ModelRequestError,
    ModelUnavailable,
)
from autoflow.llm.failure import Failure

_KEY = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai)[-_][\w*.-]{8,}|AIza[\w-]{20,})")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who was asked, as far as a person may see it."""

    model: str
    base_url: str  # may hold credentials: shown through `address` only
    key_env: str | None = None  # the variable that holds the key
    key: str | None = None

    @property
    def address(self) -> str:
        """The base URL without credentials and query."""
        parts = urlsplit(self.base_url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}".rstrip("/")

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or self.address

    def clean(self, words: str) -> str:
        """The endpoint's own words, made fit for an error message: one line, short, without keys."""
        if self.key:
            words = words.replace(self.key, "[key]")
        words = " ".join(_KEY.sub("[key]", words).split())
        return words if len(words) <= 300 else words[:299] + "…"


def explain(failure: Failure, at: Endpoint) -> ModelError:
    """The error for a failure that no retry cured."""
    said = at.clean(failure.detail)
    if failure.kind == "status":
        return _explain_status(failure, at, f" It said: {_ended(said)}" if said else "")
    kind = "timeout-midway" if failure.kind == "timeout" and failure.partial else failure.kind
    if kind in _REPLY:
        message, hint = _REPLY[kind]
        text = message.format(model=at.model, address=at.address, said=said)
        return ModelReplyError(_ended(text), hint, partial=failure.partial)
    message, hint = _CONNECTION[kind]
    text = message.format(model=at.model, address=at.address, host=at.host, said=said)
    return ModelUnavailable(_ended(text), hint)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else sentence + "."


_CONNECTION: dict[str, tuple[str, str]] = {
    "refused": (
        "Nothing answers at {address}, where the model `{model}` was asked for.",
        "Start the server that should listen there, or correct the address of the connection.",
    ),
    "unknown-host": (
        "The host `{host}`, where the model `{model}` was asked for, is not known.",
        "Look for a misspelling in the address, and check the network.",
    ),
    "tls": (
        "No secure connection to {address} could be made: {said}",
        "A server without TLS needs an address that begins with http://; a certificate of your own must be trusted "
        "by this system (variable SSL_CERT_FILE).",
    ),
    "network": (
        "The connection to {address} broke before the model `{model}` answered.",
        "Check the network and the server's log, then try again.",
    ),
    "connect-timeout": (
        "{address} did not accept a connection in time.",
        "Check the address, the network and a firewall in between.",
    ),
    "silent": (
        "The model `{model}` at {address} accepted the request but began no answer {said}.",
        "The server may be overloaded or still loading the model. Try again, or choose a smaller model.",
    ),
    "timeout": (
        "The model `{model}` at {address} did not answer {said}.",
        "Try again, raise the time limit, or choose a faster model.",
    ),
    "no-json": (
        "{address} answered with something that is no reply of a model server: {said}",
        "Check the address: for most servers it ends in /v1.",
    ),
}

_REPLY: dict[str, tuple[str, str]] = {
    "cut": (
        "The reply of the model `{model}` at {address} broke off in the middle, again and again.",
        "Look at the server's log; it may have run out of memory.",
    ),
    "stalled": (
        "The reply of the model `{model}` at {address} came to a standstill {said}.",
        "The server may be overloaded. Try again, or choose a smaller model.",
    ),
    "timeout-midway": (
        "The reply of the model `{model}` at {address} was not complete {said}.",
        "Raise the time limit, ask for fewer tokens, or choose a faster model.",
    ),
    "too-large": (
        "The reply of the model `{model}` was cut off: it grew beyond {said}.",
        "Set a limit of tokens for the answer.",
    ),
    "repeating": (
        "The model `{model}` repeated itself without end ({said}) and was stopped.",
        "Try another model, a higher temperature, or a more specific instruction.",
    ),
    "empty": (
        "The model `{model}` at {address} answered with nothing{said}.",
        "Try again, or word the instruction differently.",
    ),
    "filtered": (
        "The model `{model}` gave no answer: {said}",
        "Word the instruction or the input differently, or choose another model.",
    ),
}


def _explain_status(failure: Failure, at: Endpoint, said: str) -> ModelError:
    status = failure.status
    if status in _STATUS:
        return _STATUS[status](failure, at, said)
    if status is not None and 400 <= status < 500:
        return _request_error(failure, at, said)
    return ModelUnavailable(
        f"The server at {at.address} keeps failing ({status}) for the model `{at.model}`.{said}",
        "The fault is on its side: try again later, or choose another model.",
    )


def _auth(failure: Failure, at: Endpoint, said: str) -> ModelError:
    variable = at.key_env or "OPENAI_API_KEY"
    if not at.key:
        return ModelAuthError(
            f"{at.address} wants a key, and none is set.", f"Set {variable} in the environment or in secrets.toml."
        )
    return ModelAuthError(
        f"{at.address} did not accept the key in {variable} ({failure.status}).{said}",
        "Check that the key is whole, still valid, and made for this address.",
    )


def _forbidden(failure: Failure, at: Endpoint, said: str) -> ModelError:
    return ModelAuthError(
        f"The key in {at.key_env or 'OPENAI_API_KEY'} may not use the model `{at.model}` at {at.address} (403).{said}",
        "Choose a model that this key may use, or ask the owner of the account.",
    )


def _not_found(failure: Failure, at: Endpoint, said: str) -> ModelError:
    return ModelNotFound(
        f"There is no model `{at.model}` at {at.address} (404).{said}",
        "Check the model's name, and the address: for most servers it ends in /v1.",
    )


def _rate_limited(failure: Failure, at: Endpoint, said: str) -> ModelError:
    if failure.spent:
        return ModelRateLimited(
            f"The account at {at.address} has no credit left.{said}", "Top it up, or choose another model."
        )
    wait = f" It asks to wait {failure.retry_after_s:.0f} s." if failure.retry_after_s else ""
    return ModelRateLimited(
        f"{at.address} kept answering that there were too many requests (429).{wait}{said}",
        "Try again later, or run less at once.",
    )


def _request_error(failure: Failure, at: Endpoint, said: str) -> ModelError:
    if is_context_overflow(failure):
        return ModelRequestError(
            f"The prompt is longer than the model `{at.model}` can read.{said}",
            "Shorten the inputs, limit the memory, or choose a model with a larger context.",
        )
    return ModelRequestError(
        f"The model `{at.model}` at {at.address} refused the request ({failure.status}).{said}",
        "Check that this model can do what was asked of it.",
    )


_STATUS: dict[int, Callable[[Failure, Endpoint, str], ModelError]] = {
    401: _auth,
    403: _forbidden,
    404: _not_found,
    429: _rate_limited,
}


def is_context_overflow(failure: Failure) -> bool:
    """Whether a refusal means that the prompt is too long."""
    words = failure.detail.lower()
    too_long = "context" in words and ("exceed" in words or "maximum" in words)
    return too_long or failure.code == "context_length_exceeded"
