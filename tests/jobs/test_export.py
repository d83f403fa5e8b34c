"""Jobs of kind `export`: a real adapter of a tiny model, written by the handler, stopped, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoflow.jobs.handlers.export import mark_of
from autoflow.jobs.payloads import ExportPayload
from autoflow.llm.local.export import Form
from autoflow.llm.local.shelf import find_adapter
from autoflow.records import Job
from autoflow.settings import settings
from autoflow.store import SqlStore
from tests.jobs.test_handlers import carried_out, store, submit
from tests.llm.tiny import make_adapter, make_tiny

__all__ = ["store"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def folder(home: Path, tiny: Path) -> Path:
    made = make_adapter(home / "adapters" / "first", tiny)
    (made / "autoflow.json").write_text(json.dumps({"base": f"local:{tiny}"}), "utf-8")
    return made


def asked(store: SqlStore, form: Form, name: str = "first") -> Job:
    return submit(store, "export", ExportPayload(adapter=name, form=form), f"{form}:{name}")


@pytest.mark.parametrize(("form", "name"), [("peft", "first.zip"), ("gguf", "first.gguf"), ("merged", "first-merged")])
async def test_it_lies_among_the_exports_with_its_size(
    store: SqlStore, folder: Path, form: Form, name: str
) -> None:  # fmt: skip
    done = await carried_out(store, asked(store, form))
    assert done.state == "done", done.error
    path = settings().exports / name
    size = path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())
    assert done.result == {
        "adapter": "first", "form": form, "path": str(path), "size": size, "mark": mark_of(find_adapter("first")),
    }  # fmt: skip
    again = await carried_out(store, asked(store, form))
    assert again.state == "done", "what lies there is replaced"
    assert [file.name for file in settings().exports.iterdir()] == [name]


async def test_the_mark_tells_weights_that_were_replaced(store: SqlStore, folder: Path, tiny: Path) -> None:
    done = await carried_out(store, asked(store, "peft"))
    make_adapter(folder, tiny, r=2)
    assert (done.result or {})["mark"] != mark_of(find_adapter("first"))


@pytest.mark.parametrize(("name", "words"), [("nobody", "no adapter nobody"), ("../first", "no name for an adapter")])
async def test_what_cannot_be_written_fails_in_words(
    store: SqlStore, folder: Path, name: str, words: str
) -> None:  # fmt: skip
    failed = await carried_out(store, asked(store, "merged", name))
    assert failed.state == "failed"
    assert words in failed.error


async def test_a_stop_leaves_nothing(store: SqlStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from autoflow.llm.local import export

    slow = export.as_bytes
    job = asked(store, "merged")

    def stopping(tensor: object, kind: str) -> bytes:
        store.request(job.id, "cancel")
        time.sleep(1.5)  # longer than it takes until a request is noticed
        return slow(tensor, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(export, "as_bytes", stopping)
    stopped = await carried_out(store, job)
    assert stopped.state == "cancelled"
    assert list(settings().exports.iterdir()) == []
