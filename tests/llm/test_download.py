"""Downloads against a real HTTP server and a real pip, with faults injected."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoflow.errors import AutoFlowError, DownloadError, HashMismatch, SourcesUnreachable
from autoflow.llm import hub as hub_module
from autoflow.llm.catalogue import catalogue, local_path, parts_dir, remove
from autoflow.llm.download import Progress, Stopped, get_model
from autoflow.llm.flock import FileLock
from autoflow.llm.packages import _arrived
from autoflow.settings import settings
from tests.llm.fake_hub import running_hub
from tests.llm.file_faults import DATA, FAULTS, HUB_PATH, TABLE, Place, furnish, sentence, table
from tests.llm.model_files import gguf, wheel

PIECE = len(DATA) // 4


@pytest.fixture
def place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with running_hub() as hub:
        yield furnish(home, hub, monkeypatch)


@pytest.fixture
def hubbed(place: Place) -> Place:
    """A model that the hub has."""
    place.entry(sources=[{"hub": "me/repo"}])
    place.hub.files[HUB_PATH] = DATA
    return place


def in_pieces(place: Place, count: int = 4) -> None:
    """A model that comes in the wheels of four packages, as many of which as `count` are there."""
    names = [f"piece{n}" for n in range(1, 5)]
    source = {"packages": names, "member": "*/data/part*.bin", "piece_size": PIECE}
    place.entry(sources=[source])
    for n, name in enumerate(names[:count]):
        wheel(place.packages, name, {f"{name}/data/part{n}.bin": DATA[n * PIECE : (n + 1) * PIECE]})


def part_file() -> Path:
    return parts_dir() / "m" / "model.bin"


def nothing_half_written() -> bool:
    return local_path("m") is None and not (settings().models / "m").exists()


async def test_a_file_comes_from_the_hub_and_lands_whole(hubbed: Place) -> None:
    path = await get_model("m")
    assert path.read_bytes() == DATA
    assert path == local_path("m") == settings().models / "m" / "model.bin"
    assert [p.name for p in parts_dir().iterdir()] == ["m.lock"]


async def test_what_is_here_is_not_fetched_again(hubbed: Place) -> None:
    await get_model("m")
    hubbed.hub.files.clear()
    assert (await get_model("m")).read_bytes() == DATA


async def test_progress_grows_to_the_whole_and_says_from_where(hubbed: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Progress] = []
    hubbed.hub.slow_s = 0.05
    await get_model("m", progress=seen.append)
    done = [p.done for p in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].total == len(DATA)
    assert len(set(done)) > 3
    assert any("From the hub repository me/repo" in p.message for p in seen)


async def test_a_connection_that_breaks_goes_on_where_it_broke(hubbed: Place) -> None:
    hubbed.hub.cut_after = [300_000, 200_000]
    assert (await get_model("m")).read_bytes() == DATA
    assert hubbed.hub.ranges_asked == ["", "bytes=300000-", "bytes=500000-"]
    assert hubbed.hub.served == len(DATA)


async def test_a_server_without_ranges_is_begun_anew(hubbed: Place) -> None:
    hubbed.hub.cut_after = [300_000]
    hubbed.hub.ranges = False
    assert (await get_model("m")).read_bytes() == DATA


async def test_a_connection_that_brings_nothing_is_given_up(hubbed: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PAUSE_S", 0.0)
    hubbed.hub.cut_after = [0] * 50
    with pytest.raises(SourcesUnreachable, match="broke again and again"):
        await get_model("m")


async def test_a_body_that_cannot_be_decoded_is_given_up(hubbed: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy may claim an encoding that nobody asked for."""
    monkeypatch.setattr(hub_module, "PAUSE_S", 0.0)
    hubbed.hub.encoding = "gzip"
    with pytest.raises(SourcesUnreachable, match="broke again and again"):
        await get_model("m")


async def test_a_stopped_download_is_resumed_by_the_next(hubbed: Place) -> None:
    hubbed.hub.slow_s = 0.05
    with pytest.raises(Stopped):
        await get_model("m", cancelled=lambda: hubbed.hub.served > 400_000)
    kept = part_file().stat().st_size
    assert kept > 0
    assert nothing_half_written()
    hubbed.hub.slow_s = 0.0
    await get_model("m")
    assert hubbed.hub.ranges_asked[-1] == f"bytes={kept}-"


async def test_a_cancelled_task_leaves_a_part_that_is_resumed(hubbed: Place) -> None:
    hubbed.hub.slow_s = 0.05
    task = asyncio.create_task(get_model("m"))
    while hubbed.hub.served < 300_000:
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_half_written()
    hubbed.hub.slow_s = 0.0
    assert (await get_model("m")).read_bytes() == DATA


async def test_a_wrong_hash_is_removed_and_the_next_source_taken(place: Place) -> None:
    place.entry()
    place.hub.files[HUB_PATH] = DATA[::-1]
    wheel(place.packages, "model-pkg", {"model_pkg/model.bin": DATA})
    assert (await get_model("m")).read_bytes() == DATA


async def test_a_wrong_hash_everywhere_leaves_nothing_behind(hubbed: Place) -> None:
    hubbed.hub.files[HUB_PATH] = DATA[::-1]
    with pytest.raises(HashMismatch):
        await get_model("m")
    assert nothing_half_written()
    assert not part_file().exists()


async def test_a_file_that_is_too_large_is_not_written_to_the_end(hubbed: Place) -> None:
    hubbed.hub.files[HUB_PATH] = DATA * 3
    with pytest.raises(SourcesUnreachable, match="larger there"):
        await get_model("m")
    assert nothing_half_written()


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_a_refusing_hub_sends_us_to_the_packages(place: Place, status: int) -> None:
    place.entry()
    place.hub.status = status
    wheel(place.packages, "model-pkg", {"model_pkg/model.bin": DATA})
    assert (await get_model("m")).read_bytes() == DATA


async def test_a_silent_hub_is_left_after_its_time(place: Place) -> None:
    place.entry()
    place.hub.wait_s = 60.0
    place.set(AUTOFLOW_HUB_TIMEOUT_S="0.3")
    wheel(place.packages, "model-pkg", {"model_pkg/model.bin": DATA})
    async with asyncio.timeout(50):
        assert (await get_model("m")).read_bytes() == DATA


async def test_pieces_of_several_packages_make_one_file(place: Place) -> None:
    in_pieces(place)
    assert (await get_model("m")).read_bytes() == DATA


async def test_a_missing_package_is_named_and_the_pieces_before_it_are_kept(place: Place) -> None:
    in_pieces(place, count=2)
    with pytest.raises(SourcesUnreachable, match="piece3 could not be downloaded"):
        await get_model("m")
    assert part_file().read_bytes() == DATA[: 2 * PIECE]
    for old in place.packages.glob("piece[12]*"):
        old.unlink()
    for n in (2, 3):
        wheel(place.packages, f"piece{n + 1}", {f"piece{n + 1}/data/part{n}.bin": DATA[n * PIECE : (n + 1) * PIECE]})
    assert (await get_model("m")).read_bytes() == DATA


async def test_packages_go_on_from_what_the_hub_gave(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PAUSE_S", 0.0)
    in_pieces(place)
    for old in place.packages.glob("piece1*"):
        old.unlink()  # the piece that the hub will have given
    part_file().parent.mkdir(parents=True)
    part_file().write_bytes(DATA[: PIECE + 1000])
    assert (await get_model("m")).read_bytes() == DATA


async def test_a_model_of_several_files_comes_out_of_one_wheel(place: Place) -> None:
    files = {"config.json": b"{}", "sub/weights.bin": DATA}
    listed = [{"path": p, "size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for p, d in files.items()]
    place.entry(files=listed, sources=[{"packages": ["model-pkg"], "member": "model_pkg/files/{path}"}])
    wheel(place.packages, "model-pkg", {f"model_pkg/files/{p}": d for p, d in files.items()} | {"evil.py": b"1/0"})
    folder = await get_model("m")
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["config.json", "weights.bin"]
    assert (folder / "sub" / "weights.bin").read_bytes() == DATA


async def test_a_wheel_that_unpacks_to_more_than_it_should_is_cut_short(place: Place) -> None:
    place.entry(sources=[{"packages": ["model-pkg"], "member": "model_pkg/{path}"}])
    wheel(place.packages, "model-pkg", {"model_pkg/model.bin": bytes(200_000_000)})
    with pytest.raises(SourcesUnreachable, match="holds more than"):
        await get_model("m")
    assert part_file().stat().st_size == 0


async def test_a_wheel_that_is_no_zip_file_is_named(place: Place) -> None:
    place.entry(sources=[{"packages": ["model-pkg"], "member": "model_pkg/{path}"}])
    path = wheel(place.packages, "model-pkg", {"model_pkg/model.bin": os.urandom(100_000)})
    damaged = bytearray(path.read_bytes())
    damaged[5000:6000] = bytes(1000)
    path.write_bytes(bytes(damaged))
    with pytest.raises(SourcesUnreachable, match=r"model.pkg"):
        await get_model("m")
    assert nothing_half_written()


async def test_only_wheels_are_taken_so_that_nothing_of_a_package_runs(place: Place) -> None:
    place.entry(sources=[{"packages": ["model-pkg"], "member": "model_pkg/{path}"}])
    source = place.home / "src"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(place.home / 'ran')!r}, 'w')")
    subprocess.run(["tar", "czf", place.packages / "model-pkg-1.0.tar.gz", "-C", source, "."], check=True)
    with pytest.raises(SourcesUnreachable):
        await get_model("m")
    assert not (place.home / "ran").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is of Linux")
async def test_a_disk_that_fills_up_in_the_middle_is_named(hubbed: Place) -> None:
    part_file().parent.mkdir(parents=True)
    part_file().symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"disk that holds the models folder .* is full"):
        await get_model("m")
    assert nothing_half_written()


async def test_a_read_only_folder_is_named(hubbed: Place) -> None:
    hubbed.set(AUTOFLOW_MODELS_DIR="/proc/models")
    with pytest.raises(DownloadError, match="/proc/models cannot be"):
        await get_model("m")


async def test_a_file_without_known_hash_is_at_least_a_whole_gguf_file(place: Place) -> None:
    place.entry(gguf(), path="q.gguf", sources=[{"hub": "me/repo"}])
    place.hub.files["me/repo/resolve/main/q.gguf"] = bytes(len(gguf()))
    listed = catalogue().find("m").files[0]
    place.entry(files=[{"path": "q.gguf", "size": listed.size}], sources=[{"hub": "me/repo"}])
    with pytest.raises(DownloadError, match="not a GGUF file"):
        await get_model("m")
    assert nothing_half_written()


async def test_two_who_ask_at_once_share_one_download(hubbed: Place) -> None:
    hubbed.hub.slow_s = 0.05
    seen: list[Progress] = []
    first, second = await asyncio.gather(get_model("m"), get_model("m", progress=seen.append))
    assert first == second
    assert hubbed.hub.served == len(DATA)
    waiting = [p.done for p in seen if "Another process" in p.message]
    assert waiting == sorted(waiting)
    assert waiting[-1] > 0


def test_two_processes_that_ask_at_once_share_one_download(hubbed: Place) -> None:
    hubbed.hub.slow_s = 0.03
    code = "import asyncio; from autoflow.llm.download import get_model; print(asyncio.run(get_model('m')))"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)]
    told = [process.communicate(timeout=60)[0].decode().strip() for process in both]
    assert told == [str(local_path("m"))] * 2
    assert hubbed.hub.served == len(DATA)


def test_a_download_that_was_killed_is_taken_up_by_the_next(hubbed: Place) -> None:
    hubbed.hub.slow_s = 0.05
    code = "import asyncio; from autoflow.llm.download import get_model; asyncio.run(get_model('m'))"
    process = subprocess.Popen([sys.executable, "-c", code])
    while hubbed.hub.served < 300_000:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert nothing_half_written()
    hubbed.hub.slow_s = 0.0
    assert asyncio.run(get_model("m")).read_bytes() == DATA
    assert hubbed.hub.ranges_asked[-1].startswith("bytes=")


def test_a_model_cannot_be_removed_while_it_is_downloaded(hubbed: Place) -> None:
    lock = FileLock(parts_dir() / "m.lock")
    assert lock.try_acquire()
    with pytest.raises(DownloadError, match="being downloaded"):
        remove("m")
    lock.release()
    remove("m")


async def test_offline_nobody_is_asked(hubbed: Place) -> None:
    hubbed.set(AUTOFLOW_OFFLINE="1")
    with pytest.raises(SourcesUnreachable, match="AUTOFLOW_OFFLINE"):
        await get_model("m")
    assert hubbed.hub.ranges_asked == []


@pytest.mark.parametrize("name", FAULTS)
async def test_every_fault_says_what_the_table_of_the_docs_says(name: str, place: Place) -> None:
    row = table({name: await sentence(name, place)}).splitlines()[-1]
    assert row in TABLE.read_text("utf-8").splitlines()


def test_the_table_of_the_docs_has_no_row_too_many() -> None:
    assert len(TABLE.read_text("utf-8").splitlines()) == len(FAULTS) + 4


async def test_every_fault_of_a_download_is_an_error_of_the_house(place: Place) -> None:
    place.entry(sources=[])
    with pytest.raises(AutoFlowError, match="names no source"):
        await get_model("m")


def test_what_has_arrived_is_counted_while_folders_come_and_go(tmp_path: Path) -> None:
    """pip makes and removes folders of its own beside the wheel."""
    (tmp_path / "whole.whl").write_bytes(b"x" * 10)
    over = threading.Event()

    def pip() -> None:
        while not over.is_set():
            (tmp_path / "a" / "b").mkdir(parents=True)
            (tmp_path / "a" / "b" / "part").write_bytes(b"y")
            shutil.rmtree(tmp_path / "a")

    thread = threading.Thread(target=pip)
    thread.start()
    try:
        assert {_arrived(tmp_path) for _ in range(2_000)} <= {10, 11}
    finally:
        over.set()
        thread.join()
