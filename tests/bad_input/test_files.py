"""Files that are not what they seem: binary workflows, pictures that are none or far too large, broken texts."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from autoflow.records import RunPolicy
from autoflow.store import SqlStore
from tests.app.conftest import words
from tests.bad_input.conftest import GOOD, run_job
from tests.cli.conftest import Cli

Script = Callable[..., str]
FINE = ({"match": "Does it ask", "reply": "yes"}, {"match": "", "reply": "fine"})


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


def bomb() -> bytes:
    """A PNG of 60,000 by 60,000 pixels in a few kilobytes; decoded it would take 10 GB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
        + chunk(b"IEND", b"")
    )


PICTURES = {
    "whole": picture(),
    "truncated": picture()[:40],
    "text": b"no picture at all",
    "empty": b"",
    "bomb": bomb(),
    "page": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='http://evil.example/a.png'/></svg>",
    "gif": b"GIF89a" + b"\xff" * 20,
}
BINARY = {
    "zeros": bytes(10_000), "elf": b"\x7fELF" + bytes(range(256)) * 10, "utf-16": GOOD.encode("utf-16"),
    "latin-1": "Prüfen:::process:::Prüfe:::next::E".encode("latin-1"), "zip": b"PK\x03\x04" + bytes(100),
    "half": "Prü".encode()[:-1],
}  # fmt: skip


@pytest.mark.parametrize("data", list(BINARY.values()), ids=list(BINARY))
class TestBinaryWorkflow:
    def test_every_command_says_what_the_file_is(self, cli: Cli, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "w.core").write_bytes(data)
        for command in ("check", "fix", "format", "extract", "export"):
            for found in (cli(command, tmp_path / "w.core"), cli(command, "-", stdin=data)):
                assert (found.code, found.out) == (2, ""), command
                assert "UTF-8" in found.err
        assert cli("run", tmp_path / "w.core", "--task", "x").code == 2
        assert (tmp_path / "w.core").read_bytes() == data

    def test_home_and_write_refuse_it(self, visit: Callable[..., AppTest], store: SqlStore, data: bytes) -> None:
        app = visit("home")
        app.file_uploader(key="home-file").upload("w.core", data).run()
        assert not app.exception
        assert "is no text in UTF-8" in words(app) or "is a binary file" in words(app)
        assert store.list_workflows() == []

    def test_as_an_input_it_is_a_file_that_tools_refuse_in_words(
        self, cli: Cli, store: SqlStore, tmp_path: Path, script: Script, data: bytes
    ) -> None:
        (tmp_path / "w.core").write_text(GOOD)
        (tmp_path / "in.txt").write_bytes(data)
        model = script(
            {"match": "is no text", "reply": "It is binary."},
            {"match": "Read the mail", "tool_calls": [{"name": "read_file", "arguments": {"name": "mail"}}]}, *FINE,
        )  # fmt: skip
        found = cli("run", tmp_path / "w.core", "--task", "x", "--input", f"mail=@{tmp_path / 'in.txt'}", "--tool",
                    "read_file", "--model", model, "--json")  # fmt: skip
        assert found.code == 0, found.err
        assert found.json["steps"][0]["answer"] == "It is binary."


@pytest.mark.parametrize("data", list(PICTURES.values()), ids=list(PICTURES))
class TestPictures:
    def test_pages_and_worker_take_any_file_that_is_called_a_picture(
        self, visit: Callable[..., AppTest], store: SqlStore, script: Script, data: bytes
    ) -> None:
        for kind in ("image/png", "image/svg+xml", "image/x-odd"):
            item = store.add_file(data, name="photo", filename="photo.png", media_type=kind)
            task = store.add_task("Say what it shows", [item])
            record = store.create_workflow("Photo", GOOD, task=task)
            run = store.create_run(text=GOOD, task=task, model=script(*FINE), policy=RunPolicy(),
                                   workflow_id=record.id)  # fmt: skip
            assert run_job(store, run).stop == "terminal"
            for app in (visit("write", workflow=record.id), visit("run", workflow=record.id), visit("run", run=run.id)):
                assert not app.exception
                assert "Something in AutoFlow failed" not in words(app), (kind, words(app))
                assert "photo" in words(app)
            assert ("no picture that can be shown" in words(app)) == (data != PICTURES["whole"])

    def test_the_command_line_takes_it(
        self, cli: Cli, store: SqlStore, tmp_path: Path, script: Script, data: bytes
    ) -> None:
        (tmp_path / "w.core").write_text(GOOD)
        (tmp_path / "a.png").write_bytes(data)
        found = cli("run", tmp_path / "w.core", "--task", "x", "--input", f"photo=@{tmp_path / 'a.png'}", "--model",
                    script(*FINE), "--json")  # fmt: skip
        assert found.code == 0


def test_an_own_file_that_vanished_or_shrank_ends_a_run_in_words(
    store: SqlStore, cli: Cli, tmp_path: Path, home: Path
) -> None:
    """The file of an embedded model is not what it was when it was added."""
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    assert cli("models", "add", "mine", path).code != 0
    for made in (lambda: path.write_bytes(b"GGUF" + bytes(10)), path.unlink):
        made()
        run = store.create_run(text=GOOD, task=store.add_task("x"), model=f"embedded:{path}", policy=RunPolicy())
        ended = run_job(store, run)
        assert ended.stop == "model-error"
        assert "mine.gguf" in ended.error
