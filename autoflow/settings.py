"""What may be set from outside, and the only reader of the environment.

Every setting is a variable `AUTOFLOW_<NAME>`; `OPENAI_BASE_URL` and `OPENAI_API_KEY` are obeyed as well. Keys are also
looked for in the secrets file (`AUTOFLOW_HOME/secrets.toml`, lines of `NAME = "value"`), which is never shown.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from platformdirs import user_data_dir
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from autoflow.errors import SettingsError


class Settings(BaseSettings):
    """All settings, with their defaults."""

    model_config = SettingsConfigDict(env_prefix="AUTOFLOW_", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: Path(user_data_dir("autoflow", appauthor=False)))
    database_url: str | None = None  # default: SQLite in `home`
    tools: str = ""  # module[,module] with decorated functions
    models_dir: Path | None = None  # default: `home`/models
    default_model: str = "embedded:qwen2.5-coder-1.5b"
    memory_limit_gb: float = Field(default=6.0, gt=0)  # what embedded models may take together
    server_dir: Path | None = None  # where the model server's lock and state lie; default: `home`/server
    idle_stop_s: float = Field(default=600.0, gt=0)  # the model server ends itself after this
    threads: int = Field(default=0, ge=0)  # of the model server; 0: one a core
    hub_url: str = "https://huggingface.co"
    hub_timeout_s: float = Field(default=5.0, gt=0)
    offline: bool = False  # never ask hub or packages
    endpoint_calls: int = Field(default=4, ge=1)  # that an endpoint gets at once, of one study
    worker_concurrency: int = Field(default=4, ge=1)  # jobs that one worker carries out at once
    ray: str = ""  # `auto` or HOST:PORT of a Ray cluster: there workers have the runs of studies carried out
    log_level: str = "INFO"

    @property
    def database(self) -> str:
        """The database's URL, in SQLAlchemy's spelling."""
        if self.database_url:
            return _driver_named(self.database_url)
        return f"sqlite:///{self.home / 'autoflow.db'}"

    @property
    def models(self) -> Path:
        return self.models_dir or self.home / "models"

    @property
    def adapters(self) -> Path:
        """One folder an adapter, as peft writes it."""
        return self.home / "adapters"

    @property
    def trainings(self) -> Path:
        """One folder a study that trains: checkpoints, and the best adapters."""
        return self.home / "trainings"

    @property
    def exports(self) -> Path:
        """What was made to be taken elsewhere: adapters in other forms."""
        return self.home / "exports"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def prices_file(self) -> Path:
        return self.home / "prices.json"

    @property
    def mcp_file(self) -> Path:
        return self.home / "mcp.json"

    @property
    def prompts_dir(self) -> Path:
        """Prompts that users replaced; the shipped ones lie in `autoflow/generate/prompts` and its neighbours."""
        return self.home / "prompts"


def _driver_named(url: str) -> str:
    """`postgresql://` means psycopg 3 here."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once. Tests call `settings.cache_clear()`.

    Raises SettingsError: a variable breaks its rule.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"AUTOFLOW_{first['loc'][0]}".upper()
        raise SettingsError(f"`{name}={first['input']}` is not right: {first['msg']}.", "Set it anew.") from error


def environment(name: str) -> str | None:
    """A variable of the environment, for the few readers that must know one by name (`OPENAI_BASE_URL`)."""
    return os.environ.get(name) or None


def environment_default(name: str, value: str) -> None:
    """Set a variable that is not set: for libraries that can be told in no other way."""
    os.environ.setdefault(name, value)


def environment_mark() -> str:
    """A short mark of the variables that matter, to see whether another process was started under the same ones.

    Keys have a part in it, but 64 bits of a hash over all of them tell nothing about any.
    """
    marked = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith(("AUTOFLOW_", "OPENAI_")) or name.endswith(("_KEY", "_TOKEN"))
    )
    return hashlib.blake2b(repr(marked).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def absolute_folders() -> dict[str, str]:
    """The folders that the environment names, whole, for a child process that works in another folder."""
    names = ("AUTOFLOW_HOME", "AUTOFLOW_MODELS_DIR", "AUTOFLOW_SERVER_DIR")
    return {name: os.path.abspath(folder) for name in names if (folder := environment(name))}


def environment_with(**changes: str) -> dict[str, str]:
    """The environment for a child process: this process's own, with some variables set."""
    return {**os.environ, **changes}


def secret(name: str) -> str | None:
    """A key, from the environment or else from the secrets file. None where there is none.

    Raises SettingsError: the secrets file is there but cannot be read.
    """
    found = environment(name)
    if found:
        return found
    path = settings().home / "secrets.toml"
    try:
        value = tomllib.loads(path.read_text("utf-8")).get(name)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"The secrets file {path} cannot be read: {error}.", 'Its lines are NAME = "value".'
        ) from error
    return value if isinstance(value, str) and value else None


def _with_secret(text: str, name: str, value: str) -> str:
    """The text of the secrets file with this key in front, in place of its old line where it has one.

    Raises TOMLDecodeError: the text is no TOML. SettingsError: the old value takes more than a line of its own.
    """
    wanted = {**tomllib.loads(text), name: value}
    line = f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
    # A line that looks like the old one may be part of a table or of a longer text: what comes out is looked at.
    olds = [found.span() for found in re.finditer(rf"^[ \t]*{re.escape(name)}[ \t]*=.*\n?", text, re.MULTILINE)]
    for start, end in [*olds, (0, 0)]:
        written = line + text[:start] + text[end:]
        with suppress(tomllib.TOMLDecodeError):
            if tomllib.loads(written) == wanted:
                return written
    raise SettingsError(f"The key {name} is in the secrets file already, in a form of its own.", "Change it there.")


def save_secret(name: str, value: str) -> Path:
    """Keep a key in the secrets file, which only its owner may read; returns the file's path.

    Comments and whatever else is in the file stay. It is written anew beside the old one and put in its place, so that
    a crash leaves one of the two whole.
    Raises SettingsError: the file cannot be read or written, or the key holds a line break.
    """
    path = settings().home / "secrets.toml"
    if not value or any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise SettingsError("A key is one line of text without control characters.", "Copy it again.")
    try:
        text = _with_secret(path.read_text("utf-8") if path.exists() else "", name, value)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except (OSError, UnicodeDecodeError, RecursionError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"The key cannot be kept in {path}: {error}.", "Set it in the environment instead."
        ) from error
    return path
