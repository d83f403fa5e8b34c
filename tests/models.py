"""Real models for tests, got through the catalogue once a machine, and one model server a test run.

Tests that use `smollm2` bear the mark `model`. Where no source has the model they fail with the sentence that says so,
unless AUTOFLOW_SKIP_MODELS=1.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autoflow.errors import SourcesUnreachable
from autoflow.llm.catalogue import local_path
from autoflow.llm.download import get_model
from autoflow.llm.flock import FileLock
from autoflow.llm.server_process import stop_server
from autoflow.settings import settings

SMOLLM2 = "smollm2-135m"
IDLE_STOP_S = "120"  # should the run be killed, its server does not stay for long


def models_dir() -> Path:
    """The models cache that all test runs on this machine share."""
    return Path(os.environ.get("AUTOFLOW_TEST_MODELS") or Path(__file__).resolve().parents[1] / ".cache" / "models")


def server_folder() -> Path:
    """One a test run, whichever of its processes asks."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    return Path(tempfile.gettempdir()) / f"autoflow-test-server-{run}"


@pytest.fixture(scope="session")
def smollm2_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of SmolLM2, downloaded where it is not here yet."""
    return _fetched(SMOLLM2, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def offline_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """What offline tools and metrics of OpenAGI load, downloaded where it is not here yet (110 MB)."""
    return tuple(_fetched(name, tmp_path_factory.mktemp("home")) for name in ("efficientnet-lite0", "all-minilm-l6-v2"))


@pytest.fixture
def offline_parts(offline_files: tuple[Path, ...], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process finds them, and no hub."""
    monkeypatch.setenv("AUTOFLOW_MODELS_DIR", str(models_dir()))
    monkeypatch.setenv("AUTOFLOW_OFFLINE", "1")
    settings.cache_clear()


def _fetched(name: str, home: Path) -> Path:
    """Where a model of the catalogue lies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFLOW_HOME", str(home))
        patch.setenv("AUTOFLOW_MODELS_DIR", str(models_dir()))
        settings.cache_clear()
        found = local_path(name)
        if found is None and os.environ.get("AUTOFLOW_SKIP_MODELS") == "1":
            pytest.skip(f"{name} is not in {models_dir()}, and AUTOFLOW_SKIP_MODELS=1")
        try:
            with ThreadPoolExecutor(1) as thread:  # this thread may have an event loop of its own
                return found or thread.submit(lambda: asyncio.run(get_model(name))).result()
        except SourcesUnreachable as error:
            pytest.fail(
                f"{error} Or set AUTOFLOW_SKIP_MODELS=1 to leave out the tests that need a model.", pytrace=False
            )
        finally:
            settings.cache_clear()


@pytest.fixture(scope="session")
def shared_model_server() -> Iterator[Path]:
    """The folder of this run's model server. It is started by who needs it first, and surely ended at the end."""
    folder = server_folder()
    use = FileLock(folder / "users.lock")
    assert use.try_acquire(shared=True)
    yield folder
    use.release()
    if use.try_acquire():  # nobody else of this run is left
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUTOFLOW_SERVER_DIR", str(folder))
            settings.cache_clear()
            stop_server()
            settings.cache_clear()
        use.release()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def smollm2(smollm2_file: Path, shared_model_server: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a real model; this process and those it starts find it, and share one server."""
    monkeypatch.setenv("AUTOFLOW_MODELS_DIR", str(models_dir()))
    monkeypatch.setenv("AUTOFLOW_SERVER_DIR", str(shared_model_server))
    monkeypatch.setenv("AUTOFLOW_IDLE_STOP_S", IDLE_STOP_S)
    settings.cache_clear()
    return f"embedded:{SMOLLM2}"
