"""The catalogue: what ships with it, what users add, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checks
from hypothesis import strategies as st
from pydantic import ValidationError

from autoflow.errors import AutoFlowError, DownloadError, ModelNotFound, SettingsError, SourcesUnreachable
from autoflow.llm.catalogue import add_file, add_hub, catalogue, local_path, own_file, remove
from autoflow.llm.catalogue_entry import AddressSource, Entry, HubSource, PackageSource
from autoflow.llm.gguf import read_gguf
from autoflow.settings import settings
from tests.llm.fake_hub import running_hub
from tests.llm.model_files import gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.gguf"
    path.write_bytes(gguf())
    return path


def test_every_shipped_entry_can_be_checked_and_had() -> None:
    for entry in catalogue().entries:
        assert entry.shipped
        assert entry.licence in ("Apache-2.0", "BSD-2-Clause")
        assert all(part.sha256 for part in entry.files)
        kinds = [type(source) for source in entry.sources]
        assert kinds in ([HubSource, PackageSource], [PackageSource], [AddressSource])
        assert entry.kind == "vision" or len(kinds) == 2, "what people talk to, and memory, come from two places"


@pytest.mark.parametrize("files", [[{"size": 1}], [{"size": 1, "sha256": "0" * 64}] * 2])
def test_an_address_gives_one_file_that_can_be_checked(files: list[dict[str, object]]) -> None:
    parts = [{"path": f"f{n}"} | part for n, part in enumerate(files)]
    with pytest.raises(ValidationError, match="one file, whose hash must be known"):
        Entry.model_validate(
            {"name": "m", "title": "m", "files": parts, "sources": [{"address": "https://example.org/f0"}]}
        )


def test_the_default_model_is_in_the_catalogue() -> None:
    assert catalogue().find(settings().default_model.removeprefix("embedded:")).size == 1_117_320_768


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ModelNotFound, match=r"no model smollm-135m\. Did you mean smollm2-135m\?"):
        catalogue().find("smollm-135m")


def test_an_own_file_stays_where_it_is_and_is_found_by_its_name(file: Path) -> None:
    entry = add_file(file, "mine")
    assert local_path("mine") == file
    assert entry.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert catalogue().find("mine") == entry
    assert list(settings().models.glob("*")) == []


def test_forgetting_an_own_file_leaves_the_file(file: Path) -> None:
    add_file(file, "mine")
    remove("mine")
    assert file.exists()
    with pytest.raises(ModelNotFound):
        local_path("mine")


def test_removing_a_shipped_model_frees_the_disk_and_keeps_the_entry() -> None:
    entry = catalogue().find("smollm2-135m")
    entry.folder.mkdir(parents=True)
    (entry.folder / entry.file).write_bytes(b"x")
    remove(entry.name)
    assert not entry.folder.exists()
    assert catalogue().find(entry.name) == entry


def test_a_file_that_changed_since_it_was_added_is_not_taken_for_it(file: Path) -> None:
    add_file(file, "mine")
    file.write_bytes(gguf(tensors=3))
    assert local_path("mine") is None


def test_tools_are_known_from_the_chat_template(tmp_path: Path) -> None:
    path = tmp_path / "tools.gguf"
    path.write_bytes(gguf(template="{% if tools %}{{ tools }}{% endif %}"))
    assert add_file(path, "with-tools").tools is True


@pytest.mark.parametrize("name", ["", "a b", "../up", "-x", "x" * 65, "ü", "smollm2-135m"])
def test_a_bad_or_taken_name_is_refused_and_nothing_is_written(file: Path, name: str) -> None:
    with pytest.raises(SettingsError):
        add_file(file, name)
    assert not own_file().exists()


@pytest.mark.parametrize("cut", [0, 3, 10, 100, 250, -1])
def test_a_truncated_file_is_refused_with_its_path(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(gguf()[:cut])
    with pytest.raises(ModelNotFound, match=r"cut\.gguf"):
        add_file(path, "cut")


@checks(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(at=st.integers(0, 700), flip=st.integers(1, 255), more=st.binary(max_size=20))
def test_no_damage_to_a_header_raises_anything_unexpected(tmp_path: Path, at: int, flip: int, more: bytes) -> None:
    data = bytearray(gguf())
    data[at % len(data)] ^= flip
    path = tmp_path / "any.gguf"
    path.write_bytes(bytes(data[: at + 200]) + more)
    with suppress(ModelNotFound):
        read_gguf(path)


def test_a_list_within_lists_without_end_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "deep.gguf"
    nested = struct.pack("<IQ", 9, 1) * 100_000
    path.write_bytes(
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<I", 9) + nested
    )
    with pytest.raises(ModelNotFound, match="damaged"):
        read_gguf(path)


def test_a_damaged_list_of_own_models_is_named_and_not_overwritten(file: Path) -> None:
    own_file().write_text("{ not json")
    with pytest.raises(SettingsError, match=r"models\.json cannot be read"):
        catalogue()
    with pytest.raises(SettingsError):
        add_file(file, "mine")
    assert own_file().read_text() == "{ not json"


def test_two_own_models_are_kept_side_by_side(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf(tensors=5))
    add_file(file, "one")
    add_file(other, "two")
    assert [e.name for e in catalogue().entries if not e.shipped] == ["one", "two"]
    assert list(own_file().parent.glob("tmp*")) == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../b", "", "a\\b"])
def test_an_entry_cannot_reach_out_of_its_folder(path: str) -> None:
    with pytest.raises(ValidationError):
        Entry.model_validate({"name": "x", "title": "x", "files": [{"path": path, "size": 1}]})


@pytest.mark.parametrize("name", ["--index-url=http://x", "a;b", "git+https://x", "", "a b", "./x"])
def test_the_name_of_a_package_cannot_be_an_option_of_pip(name: str) -> None:
    with pytest.raises(ValidationError):
        PackageSource(packages=(name,), member="x")


def test_pieces_that_do_not_make_the_file_are_refused() -> None:
    source = {"packages": ["a", "b", "c"], "member": "x", "piece_size": 10}
    with pytest.raises(ValidationError, match="pieces"):
        Entry.model_validate({"name": "x", "title": "x", "files": [{"path": "f", "size": 31}], "sources": [source]})


@pytest.mark.parametrize("linked", [True, False])
def test_a_file_of_the_hub_is_added_with_size_and_hash(monkeypatch: pytest.MonkeyPatch, linked: bool) -> None:
    with running_hub() as hub:
        monkeypatch.setenv("AUTOFLOW_HUB_URL", hub.url)
        settings.cache_clear()
        hub.files["me/repo/resolve/main/q.gguf"] = gguf()
        hub.linked = linked
        entry = add_hub("me/repo", "q.gguf", "hubbed")
    assert entry.size == len(gguf())
    assert entry.sha256 == (hashlib.sha256(gguf()).hexdigest() if linked else None)
    assert json.loads(own_file().read_text())["models"][0]["sources"] == [{"hub": "me/repo"}]


def test_a_missing_file_of_the_hub_is_not_added(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_hub() as hub:
        monkeypatch.setenv("AUTOFLOW_HUB_URL", hub.url)
        settings.cache_clear()
        with pytest.raises(DownloadError, match=r"no file q\.gguf in me/repo"):
            add_hub("me/repo", "q.gguf", "hubbed")
    assert not own_file().exists()


def test_a_silent_hub_is_given_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_hub() as hub:
        hub.wait_s = 1.0
        monkeypatch.setenv("AUTOFLOW_HUB_URL", hub.url)
        monkeypatch.setenv("AUTOFLOW_HUB_TIMEOUT_S", "0.2")
        settings.cache_clear()
        with pytest.raises(SourcesUnreachable, match=r"did not answer within 0\.2 s"):
            add_hub("me/repo", "q.gguf", "hubbed")


@pytest.mark.parametrize(("repo", "file"), [("norepo", "q.gguf"), ("a/b/c", "q.gguf"), ("a/b", "q.bin")])
def test_what_is_no_repository_or_no_gguf_file_is_refused(repo: str, file: str) -> None:
    with pytest.raises(AutoFlowError):
        add_hub(repo, file, "x")


def test_file_names_of_the_hub_may_hold_what_addresses_cannot() -> None:
    url = HubSource(hub="me/repo").url("sub/Q4 #1 100%?.gguf")
    assert url.endswith("/me/repo/resolve/main/sub/Q4%20%231%20100%25%3F.gguf")
