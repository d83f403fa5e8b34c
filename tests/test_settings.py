"""Settings, keys and the addresses that people type."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from autoflow.errors import SettingsError
from autoflow.llm.addresses import check_base_url, check_key_name, is_local
from autoflow.llm.openai_chat import OpenAIChat
from autoflow.settings import save_secret, secret, settings


def test_home_is_the_one_data_folder(home: Path) -> None:
    assert settings().database == f"sqlite:///{home / 'autoflow.db'}"
    assert settings().models == home / "models"
    assert settings().logs.parent == settings().prices_file.parent == home


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTOFLOW_HOME", "AUTOFLOW_MODELS_DIR", "AUTOFLOW_THREADS"):
        monkeypatch.setenv(name, "")
    settings.cache_clear()
    assert settings().home.is_absolute()
    assert (settings().models_dir, settings().threads) == (None, 0)


def test_postgresql_urls_get_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFLOW_DATABASE_URL", "postgres://u@h/db")
    settings.cache_clear()
    assert settings().database == "postgresql+psycopg://u@h/db"


def test_endpoint_gets_as_many_calls_at_once_as_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls(model: str) -> int:
        settings.cache_clear()
        return OpenAIChat(model, base_url="http://localhost:9/v1").capabilities.concurrency

    assert calls("few") == 4
    monkeypatch.setenv("AUTOFLOW_ENDPOINT_CALLS", "64")
    assert calls("many") == 64
    monkeypatch.setenv("AUTOFLOW_ENDPOINT_CALLS", "0")
    with pytest.raises(SettingsError, match="AUTOFLOW_ENDPOINT_CALLS=0"):
        calls("none")


def test_environment_wins_over_the_secrets_file(monkeypatch: pytest.MonkeyPatch) -> None:
    save_secret("OPENAI_API_KEY", 'from "file" \\ ünïcode')
    assert secret("OPENAI_API_KEY") == 'from "file" \\ ünïcode'
    monkeypatch.setenv("OPENAI_API_KEY", "from environment")
    assert secret("OPENAI_API_KEY") == "from environment"
    assert secret("OTHER_API_KEY") is None


def test_the_secrets_file_keeps_other_keys_and_is_private() -> None:
    save_secret("A_KEY", "1")
    path = save_secret("B_KEY", "2")
    assert (secret("A_KEY"), secret("B_KEY")) == ("1", "2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_whatever_else_a_person_wrote_into_the_secrets_file_stays(home: Path) -> None:
    """Tables above all: written as a line they would make the whole file unreadable, and every key with it."""
    path = home / "secrets.toml"
    path.write_text('# mine\nA_KEY = "1"  # of the work account\nPORT = 5432\n\n[proxy]\nA_KEY = "inner"\n')
    save_secret("B_KEY", "2")
    save_secret("A_KEY", "3")
    assert path.read_text() == 'A_KEY = "3"\nB_KEY = "2"\n# mine\nPORT = 5432\n\n[proxy]\nA_KEY = "inner"\n'
    assert (secret("A_KEY"), secret("B_KEY")) == ("3", "2")


def test_key_in_a_form_that_cannot_be_replaced_is_left_alone(home: Path) -> None:
    path = home / "secrets.toml"
    path.write_text('A_KEY = """\nlong"""\n')
    with pytest.raises(SettingsError, match="form of its own"):
        save_secret("A_KEY", "1")
    assert path.read_text() == 'A_KEY = """\nlong"""\n'


@pytest.mark.parametrize("value", ["", "two\nlines", "nul\0"])
def test_a_key_of_another_shape_is_refused(value: str) -> None:
    with pytest.raises(SettingsError):
        save_secret("A_KEY", value)


def test_a_broken_secrets_file_is_named_and_left_alone(home: Path) -> None:
    path = home / "secrets.toml"
    path.write_text("this is no toml")
    with pytest.raises(SettingsError, match=r"secrets\.toml"):
        secret("A_KEY")
    with pytest.raises(SettingsError, match=r"secrets\.toml"):
        save_secret("A_KEY", "1")
    assert path.read_text() == "this is no toml"


@pytest.mark.parametrize(
    "url", ["http://localhost:11434/v1", "https://api.openai.com/v1", "http://[::1]:8000", "https://[2001:db8::1]/v1"]
)
def test_addresses_of_endpoints_are_taken(url: str) -> None:
    assert check_base_url(f"  {url}/ ") == url


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:11434", "file:///etc/passwd", "ftp://host/", "https://", "http://user:pw@host/v1",
        "http://host/v1?key=1", "http://host/#x", "http://169.254.169.254/latest", "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/", "http://metadata.google.internal/", "http://host:99999999/", "http://[broken",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_in_words(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_base_url(url)
    assert caught.value.hint


def test_private_networks_are_local() -> None:
    assert all(map(is_local, ("http://localhost/v1", "http://192.168.1.4:8000", "http://[::1]/", "http://gpu/v1")))
    assert not any(map(is_local, ("http://8.8.8.8/", "http://example.com/v1")))


@pytest.mark.parametrize("name", ["HOME", "PATH", "openai_api_key", "A KEY", "", "X_KEY\n"])
def test_only_names_of_keys_are_read_from_the_environment(name: str) -> None:
    if name == "X_KEY\n":
        assert check_key_name(name) == "X_KEY"
        return
    with pytest.raises(SettingsError):
        check_key_name(name)
