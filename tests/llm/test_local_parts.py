"""The parts of local models that need no model: chance, pieces of text, names, and what the hub refuses."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch

from autoflow.errors import AutoFlowError, ModelAuthError, ModelNotFound, ModelUnavailable
from autoflow.llm.base import Message, Options
from autoflow.llm.local import open_local
from autoflow.llm.local.names import file_mark, split_name
from autoflow.llm.local.pieces import Pieces
from autoflow.llm.local.row import draw
from autoflow.settings import settings

LIKELY = torch.tensor([0.1, 0.5, 0.0, 0.25, 0.15])


def drawn(top_p: float | None) -> Counter[int]:
    chance = random.Random(1)
    return Counter(draw(LIKELY.log(), top_p, chance.random()) for _ in range(20_000))


def test_tokens_come_as_often_as_they_are_likely() -> None:
    counts = drawn(None)
    for token, share in enumerate(LIKELY.tolist()):
        assert counts[token] / 20_000 == pytest.approx(share, abs=0.015)
    assert counts[2] == 0


@pytest.mark.parametrize(
    ("top_p", "left"), [(0.0, {1}), (0.4, {1}), (0.6, {1, 3}), (0.9, {1, 3, 4}), (1.0, {0, 1, 3, 4})]
)
def test_top_p_keeps_as_many_as_it_takes(top_p: float, left: set[int]) -> None:
    assert set(drawn(top_p)) == left


def test_the_ends_of_chance_are_possible_tokens() -> None:
    assert draw(LIKELY.log(), None, 0.0) == 0
    assert draw(LIKELY.log(), None, 1 - 2**-53) == 4
    assert draw(torch.tensor([1.0, 2.0, float("-inf")]), None, 1 - 2**-53) == 1


def as_bytes(tokens: list[int]) -> str:
    return bytes(tokens).decode("utf-8", "replace")


def pieces_of(text: str, *stops: str) -> tuple[list[str], bool]:
    pieces = Pieces(as_bytes, stops)
    told = []
    for token in text.encode():
        told.append(pieces.add(token))
        if pieces.stopped:
            break
    return [piece for piece in [*told, pieces.close()] if piece], pieces.stopped


def test_no_half_characters_are_told() -> None:
    pieces, _ = pieces_of("aé🦜b")
    assert pieces == ["a", "é", "🦜", "b"]


def test_text_that_ends_in_half_a_character_is_whole_all_the_same() -> None:
    pieces = Pieces(as_bytes, ())
    told = "".join(pieces.add(token) for token in "a🦜".encode()[:-1]) + pieces.close()
    assert told == as_bytes(list("a🦜".encode()[:-1]))


@pytest.mark.parametrize(
    ("text", "stops", "left", "stopped"),
    [
        ("one\n\ntwo", ("\n\n",), "one", True),
        ("one\ntwo", ("\n\n",), "one\ntwo", False),
        ("ends in EN", ("END",), "ends in EN", False),
        ("aab END", ("aaab", "END"), "aab ", True),
        ("aaab", ("aab",), "a", True),
        ("free", ("",), "free", False),
    ],
)
def test_a_stop_sequence_over_several_tokens(text: str, stops: tuple[str, ...], left: str, stopped: bool) -> None:
    pieces, ended = pieces_of(text, *stops)
    assert ("".join(pieces), ended) == (left, stopped)


def test_a_file_has_one_mark_whatever_way_leads_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two marks of one model file would unpack it again and again, each time in the place of the other."""
    file = tmp_path / "models" / "model.gguf"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    (tmp_path / "linked").symlink_to(file.parent)
    monkeypatch.chdir(tmp_path)
    ways = (file, Path("models/model.gguf"), tmp_path / "linked" / file.name, file.parent / ".." / "models" / file.name)
    assert len({file_mark(way) for way in ways}) == 1
    file.write_bytes(b"other weights")
    assert file_mark(file) != file_mark(tmp_path / "nowhere")


def test_a_plus_parts_base_and_adapter_unless_the_folder_has_it(tmp_path: Path) -> None:
    (tmp_path / "a+b").mkdir()
    assert split_name("smollm2-135m+letters") == ("smollm2-135m", "letters")
    assert split_name(f"{tmp_path}/a+b") == (f"{tmp_path}/a+b", None)
    assert split_name(f"{tmp_path}/a+b+c") == (f"{tmp_path}/a+b", "c")
    assert split_name("smollm2-135m") == ("smollm2-135m", None)


class _Refuses(BaseHTTPRequestHandler):
    """A hub whose answer is in the repository's name."""

    def do_GET(self) -> None:
        gated = "gated" in self.path
        self.send_response(403 if gated else 404)
        self.send_header("X-Error-Code", "GatedRepo" if gated else "RepoNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("repo", "kind", "words"),
    [
        ("someone/gated-model", ModelAuthError, "Accept them on the model's page, and set HF_TOKEN"),
        ("someone/nothing", ModelNotFound, "The hub has no model someone/nothing"),
    ],
)
async def test_what_the_hub_refuses_is_told(
    hub: HTTPServer, monkeypatch: pytest.MonkeyPatch, repo: str, kind: type[AutoFlowError], words: str
) -> None:
    monkeypatch.setenv("AUTOFLOW_HUB_URL", f"http://127.0.0.1:{hub.server_port}")
    settings.cache_clear()
    with pytest.raises(kind, match=words):
        await open_local(repo).complete([Message("user", "?")], Options())


async def test_a_hub_that_is_not_asked_or_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AUTOFLOW_HUB_URL", "http://127.0.0.1:9"), ("AUTOFLOW_OFFLINE", "1")):
        monkeypatch.setenv(name, value)
        settings.cache_clear()
        with pytest.raises(ModelUnavailable, match="is not on this machine, and the hub at"):
            await open_local("someone/nothing-here").complete([Message("user", "?")], Options())
