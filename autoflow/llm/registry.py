"""From a model's name, as users write it, to a model that answers.

openai:NAME      a connection of this name, else a model at OPENAI_BASE_URL (default: OpenAI itself)
embedded:NAME    a model of the catalogue, run on this machine
local:NAME       a model of the catalogue, a folder or a repository of the hub, by transformers
                 (both: NAME+ADAPTER)
scripted:FILE    answers from a script
replay:FILE      answers from a recording
NAME             a connection
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from autoflow.errors import ModelAuthError, NotFound, SettingsError
from autoflow.llm.base import LLM
from autoflow.llm.prices import FREE, Price, find_price, load_prices
from autoflow.llm.probe import test_llm as test_llm
from autoflow.llm.wrappers import Cached, Limited, Metered
from autoflow.records import Connection, ConnectionKind
from autoflow.settings import environment, secret

KINDS: tuple[ConnectionKind, ...] = ("openai", "embedded", "local", "scripted", "replay")
Connections = Callable[[str], Connection | None]
OnStatus = Callable[[str], None]


def open_llm(
    name: str, *, connections: Connections | None = None, cache: bool = True, on_status: OnStatus | None = None
) -> LLM:
    """The model of a name, metered and never asked more at once than it takes.

    Args:
        name: see above.
        connections: finds what a person set up by name; None or NotFound where there is no such connection.
        cache: answer from disk what was asked before (not where the answers come from a file).
        on_status: told in words what a model of this machine is waiting for.
    Raises SettingsError: the name means nothing, or the user's prices are malformed. ModelAuthError: the key is
        missing. ModelNotFound: no such file, adapter or model of this machine.
    """
    connection = _connection(name.strip(), connections)
    if connection.kind == "openai":
        return _endpoint(connection, cache)
    if connection.kind == "embedded":
        return _embedded(connection, cache, on_status)
    if connection.kind == "local":
        return _local(connection, cache, on_status)
    return Metered(_file(connection), _free)


def kind_of(name: str, connections: Connections | None = None) -> ConnectionKind:
    """What kind of model a name means. Raises SettingsError: none."""
    return _connection(name.strip(), connections).kind


def _connection(name: str, connections: Connections | None) -> Connection:
    """What a name means; a kind with anything behind it is a connection that was never saved."""
    word, colon, rest = name.partition(":")
    kind = next((k for k in KINDS if k == word and rest), None)
    saved = _saved(rest if colon else word, connections) if kind == "openai" or not colon else None
    if saved is not None:
        return saved
    if kind is None:
        raise _unknown(name)
    path = rest if kind in ("scripted", "replay") else None
    return Connection.model_construct(name=rest, kind=kind, model=rest, path=path)


def _saved(name: str, connections: Connections | None) -> Connection | None:
    try:
        return connections(name) if connections else None
    except NotFound:
        return None


def _endpoint(connection: Connection, cache: bool) -> LLM:
    """A connection with an address of its own is not sent the key of OPENAI_API_KEY unless it names that variable."""
    from autoflow.llm.openai_chat import OPENAI_URL, OpenAIChat

    base_url = connection.base_url or environment("OPENAI_BASE_URL") or OPENAI_URL
    key_env = connection.key_env or (None if connection.base_url else "OPENAI_API_KEY")
    key = secret(key_env) if key_env else None
    if key is None and (connection.key_env or urlsplit(base_url).hostname == "api.openai.com"):
        raise ModelAuthError(
            f"The model `{connection.name}` needs a key, and the variable {key_env or 'OPENAI_API_KEY'} is not set.",
            "Set it in the environment or in secrets.toml of the data folder, or choose a model of this machine.",
        )
    llm = OpenAIChat(
        connection.model or connection.name,
        base_url=base_url,
        api_key=key,
        name=f"openai:{connection.name}",
        key_env=key_env,
    )
    prices, host = load_prices(), urlsplit(base_url).hostname or ""

    def price(answered_as: str) -> Price | None:
        return find_price(prices, host, connection.name, llm.model, answered_as)

    return Metered(_cached(Limited(llm), f"{llm.model} at {llm.base_url}", cache), price)


def _embedded(connection: Connection, cache: bool, on_status: OnStatus | None) -> LLM:
    from autoflow.llm.embedded import open_embedded

    path = Path(connection.path) if connection.path else None
    llm = open_embedded(
        connection.name if path else connection.model or connection.name,
        path=path,
        context_tokens=connection.context_tokens,
        on_status=on_status,
    )
    return Metered(_cached(Limited(llm), f"{llm.name} {llm.mark}", cache), _free)


def _local(connection: Connection, cache: bool, on_status: OnStatus | None) -> LLM:
    from autoflow.llm.local import open_local

    llm = open_local(connection.model or connection.name, on_status=on_status)
    return Metered(_cached(Limited(llm), f"{llm.name} {llm.mark}", cache), _free)


def _file(connection: Connection) -> LLM:
    from autoflow.llm.replay import Replay
    from autoflow.llm.scripted import ScriptedLLM

    path = connection.path or ""
    return ScriptedLLM.from_file(path) if connection.kind == "scripted" else Replay(path)


def _cached(llm: LLM, identity: str, cache: bool) -> LLM:
    return Cached(llm, identity=identity) if cache else llm


def _free(_: str) -> Price:
    return FREE


def _unknown(name: str) -> SettingsError:
    kind = name.partition(":")[0]
    if kind in KINDS:
        return SettingsError(f"`{name}` is no model yet.", f"Write what it is behind the colon: `{kind}:NAME`.")
    near = get_close_matches(kind, KINDS, n=1)
    hint = f"Did you mean `{near[0]}:`?" if near else "A name without a kind must be that of a connection."
    kinds = ", ".join(f"`{kind}:`" for kind in KINDS)
    return SettingsError(f"`{name}` is no model: names begin with {kinds}.", hint)
