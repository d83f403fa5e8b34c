"""From a model's name, as users write it, to a model that answers.

openai:NAME      a connection of this name, else a model at OPENAI_BASE_URL (default: OpenAI itself)
embedded:NAME    a model of the catalogue or a GGUF file, run on this machine
scripted:FILE    answers from a script
replay:FILE      answers from a recording
NAME             a connection
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from urllib.parse import urlsplit

from autoflow.errors import ModelAuthError, NotFound, SettingsError
from autoflow.llm.base import LLM
from autoflow.records import Connection, ConnectionKind
from autoflow.settings import environment, secret

KINDS: tuple[ConnectionKind, ...] = ("openai", "embedded", "scripted", "replay")
Connections = Callable[[str], Connection | None]


def open_llm(name: str, *, connections: Connections | None = None, cache: bool = True) -> LLM:
    """The model of a name.

    Args:
        name: see above.
        connections: finds what a person set up by name; None or NotFound where there is no such connection.
        cache: answer from disk what was asked before (endpoints and embedded models only).
    Raises SettingsError: the name means nothing. ModelAuthError: the key is missing. ModelNotFound: no such file or
        embedded model.
    """
    word, colon, rest = name.strip().partition(":")
    kind = next((k for k in KINDS if k == word and rest), None)
    connection = None
    if kind == "openai" or not colon:
        connection = _find(rest if colon else word, connections)
    if connection is not None:
        return _open(connection)
    if kind is None:
        raise _unknown(name)
    path = rest if kind in ("scripted", "replay") else None
    return _open(Connection.model_construct(name=rest, kind=kind, model=rest, path=path))


def _open(connection: Connection) -> LLM:
    if connection.kind == "openai":
        return _endpoint(connection)
    if connection.kind == "embedded":
        from autoflow.llm.embedded import open_embedded

        return open_embedded(connection.path or connection.model or connection.name)
    from autoflow.llm.scripted import ScriptedLLM

    return ScriptedLLM.from_file(connection.path or "")


def _endpoint(connection: Connection) -> LLM:
    """A connection with an address of its own is never sent the key of OPENAI_API_KEY unless it says so."""
    from autoflow.llm.openai_chat import OPENAI_URL, OpenAIChat

    base_url = connection.base_url or environment("OPENAI_BASE_URL") or OPENAI_URL
    key_env = connection.key_env or (None if connection.base_url else "OPENAI_API_KEY")
    key = secret(key_env) if key_env else None
    if key is None and (connection.key_env or urlsplit(base_url).hostname == "api.openai.com"):
        raise ModelAuthError(
            f"The model `{connection.name}` needs a key, and the variable {key_env} is not set.",
            f"Set {key_env} in the environment or in secrets.toml of the data folder.",
        )
    return OpenAIChat(
        connection.model or connection.name,
        base_url=base_url,
        api_key=key,
        name=f"openai:{connection.name}",
        key_env=key_env,
    )


def _find(name: str, connections: Connections | None) -> Connection | None:
    try:
        return connections(name) if connections else None
    except NotFound:
        return None


def _unknown(name: str) -> SettingsError:
    near = get_close_matches(name.partition(":")[0], KINDS, n=1)
    hint = f"Did you mean `{near[0]}:`?" if near else "A name without a kind must be that of a connection."
    kinds = ", ".join(f"`{kind}:`" for kind in KINDS)
    return SettingsError(f"`{name}` is no model: names begin with {kinds}.", hint)
