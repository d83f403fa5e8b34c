"""What AutoFlow says of every fault of model files and downloads; and the table of the docs that shows it.

`python -m tests.llm.file_faults` writes the table from what is really said; a test keeps the two in step.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autoflow.errors import AutoFlowError
from autoflow.llm.base import Message, Options
from autoflow.llm.catalogue import add_file, add_hub, catalogue, own_file
from autoflow.llm.download import get_model
from autoflow.llm.embedded import open_embedded
from autoflow.llm.model_plan import ModelKey, plan
from autoflow.settings import settings
from tests.llm.fake_hub import Hub, running_hub
from tests.llm.model_files import gguf, wheel

TABLE = Path(__file__).parents[2] / "docs" / "errors-files.md"
DATA = bytes(range(256)) * 4096  # 1 MiB
HUB_PATH = "me/repo/resolve/main/model.bin"


@dataclass
class Place:
    """A data folder, a hub and a folder of packages, all of this test's own."""

    home: Path
    hub: Hub
    packages: Path
    patch: pytest.MonkeyPatch

    def entry(self, data: bytes = DATA, *, path: str = "model.bin", sha256: str | None = None, **fields: Any) -> None:
        """Put a model `m` into the catalogue, with both kinds of source."""
        sources = [{"hub": "me/repo"}, {"packages": ["model-pkg"], "member": "model_pkg/{path}"}]
        digest = sha256 or hashlib.sha256(data).hexdigest()
        files = [{"path": path, "size": len(data), "sha256": digest}]
        listed = {"name": "m", "title": "A model", "files": files, "sources": sources} | fields
        own_file().write_text(json.dumps({"models": [listed]}))

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.patch.setenv(name, value)
        settings.cache_clear()


def furnish(home: Path, hub: Hub, patch: pytest.MonkeyPatch) -> Place:
    """Point settings and pip at what lies in `home`."""
    packages = home / "packages"
    packages.mkdir()
    place = Place(home, hub, packages, patch)
    place.set(
        AUTOFLOW_HOME=str(home), AUTOFLOW_HUB_URL=hub.url, AUTOFLOW_HUB_TIMEOUT_S="1",
        PIP_NO_INDEX="1", PIP_FIND_LINKS=str(packages), PIP_CONFIG_FILE="/dev/null",
    )  # fmt: skip
    return place


Provoke = Callable[[Place], Awaitable[object] | object]


def _file(place: Place, data: bytes) -> Path:
    path = place.home / "mine.gguf"
    path.write_bytes(data)
    return path


def _wrong_hash(place: Place) -> Awaitable[object]:
    place.entry(sha256="0" * 64, sources=[{"hub": "me/repo"}])
    place.hub.files[HUB_PATH] = DATA
    return get_model("m")


def _full_disk(place: Place) -> Awaitable[object]:
    place.entry()
    place.patch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    return get_model("m")


def _own_file_gone(place: Place) -> Awaitable[object]:
    path = _file(place, gguf())
    add_file(path, "mine")
    path.unlink()
    return get_model("mine")


def _offline(place: Place) -> Awaitable[object]:
    place.set(AUTOFLOW_OFFLINE="1")
    return get_model("smollm2-135m")


def _neither(place: Place) -> Awaitable[object]:
    place.entry()
    place.set(AUTOFLOW_HUB_URL="http://127.0.0.1:9")
    return get_model("m")


def _silent(place: Place) -> Awaitable[object]:
    place.entry(sources=[{"hub": "me/repo"}])
    place.hub.wait_s = 0.5
    place.set(AUTOFLOW_HUB_TIMEOUT_S="0.2")
    return get_model("m")


def _other_package(place: Place) -> Awaitable[object]:
    place.entry(sources=[{"packages": ["model-pkg"], "member": "model_pkg/{path}"}])
    wheel(place.packages, "model-pkg", {"model_pkg/other.bin": DATA})
    return get_model("m")


def _damaged_wheel(place: Place) -> Awaitable[object]:
    place.entry(sources=[{"packages": ["model-pkg"], "member": "model_pkg/{path}"}])
    wheel(place.packages, "model-pkg", {"model_pkg/model.bin": DATA[:-5]})
    return get_model("m")


def _stopped(place: Place) -> Awaitable[object]:
    place.entry()
    place.hub.files[HUB_PATH] = DATA
    return get_model("m", cancelled=lambda: True)


def _not_here(place: Place) -> Awaitable[object]:
    return open_embedded("smollm2-135m").complete([Message("user", "Hello")], Options())


def _file_for_folder(place: Place) -> Awaitable[object]:
    place.entry()
    (place.home / "models").write_text("")
    return get_model("m")


def _no_own_list(place: Place) -> object:
    own_file().write_text("{")
    return catalogue()


FAULTS: dict[str, Provoke] = {
    "a name that no model has": lambda place: get_model("smollm3"),
    "the model is not downloaded yet": _not_here,
    "hub and packages do not answer": _neither,
    "the hub accepts and stays silent": _silent,
    "offline was asked for": _offline,
    "what arrived is not the file": _wrong_hash,
    "the package holds something else": _other_package,
    "the package holds too little": _damaged_wheel,
    "full disk": _full_disk,
    "the models folder is a file": _file_for_folder,
    "the download was stopped": _stopped,
    "a file that is no GGUF file": lambda place: add_file(_file(place, b"PK\3\4 something else"), "mine"),
    "a GGUF file that is cut short": lambda place: add_file(_file(place, gguf()[:-100]), "mine"),
    "a GGUF file with a damaged header": lambda place: add_file(_file(place, gguf()[:60]), "mine"),
    "a GGUF file of an old version": lambda place: add_file(_file(place, gguf(version=1)), "mine"),
    "no file at the path": lambda place: add_file(place.home / "nothing.gguf", "mine"),
    "a name that is none": lambda place: add_file(_file(place, gguf()), "my model"),
    "a name that is taken": lambda place: add_file(_file(place, gguf()), "smollm2-135m"),
    "an own file that is gone": _own_file_gone,
    "a damaged list of own models": _no_own_list,
    "a model that was never trained to chat": lambda place: plan(ModelKey(_file(place, gguf(template=None))), 10**10),
    "a model that is there for memory alone": lambda place: open_embedded("all-minilm-l6-v2"),
    "a model that is too large for the memory": lambda place: plan(ModelKey(_file(place, gguf())), 10**8),
    "a file of the hub that does not exist": lambda place: add_hub("me/repo", "model.gguf", "mine"),
    "a file of the hub that is no GGUF file": lambda place: add_hub("me/repo", "model.bin", "mine"),
    "no repository of the hub": lambda place: add_hub("https://hub/me", "model.gguf", "mine"),
}


async def sentence(name: str, place: Place) -> str:
    """What a fault says, with what changes from place to place made equal."""
    try:
        done = FAULTS[name](place)
        if isinstance(done, Awaitable):
            await done
    except AutoFlowError as error:
        text = str(error).replace(str(place.home), "/home/me/autoflow").replace(place.hub.url, "https://huggingface.co")
        return re.sub(r"\s+", " ", text)
    raise AssertionError(f"{name}: nothing was raised")


def table(said: dict[str, str]) -> str:
    head = "<!-- Written by `python -m tests.llm.file_faults`; a test keeps it in step. -->\n\n"
    head += "| What happens | What AutoFlow says |\n|---|---|\n"
    return head + "".join(f"| {name} | {text.replace('|', chr(92) + '|')} |\n" for name, text in said.items())


def _all() -> dict[str, str]:
    said = {}
    for name in FAULTS:
        with running_hub() as hub, tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
            said[name] = asyncio.run(sentence(name, furnish(Path(home), hub, patch)))
            settings.cache_clear()
    return said


if __name__ == "__main__":
    TABLE.write_text(table(_all()), "utf-8")
