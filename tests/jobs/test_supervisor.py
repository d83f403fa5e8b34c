"""The one worker of a data folder: started once, whoever asks, and again when it is gone. Real processes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoflow.errors import JobError, StorageUnavailable
from autoflow.jobs.supervisor import WorkerStatus, ensure_worker, stop_worker, worker_status
from autoflow.jobs.supervisor import _mark as mark
from autoflow.settings import settings
from autoflow.store import open_store


@pytest.fixture(autouse=True)
def _stopped(home: Path) -> Iterator[None]:
    yield
    settings.cache_clear()
    if worker_status().running:
        stop_worker()


def wait_for(true: Callable[[], object], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_no_worker_at_first(home: Path) -> None:
    assert worker_status() == WorkerStatus(False, home / "logs" / "worker.log")
    assert list(home.iterdir()) == []  # asking leaves no trace


def test_worker_is_started_once_and_does_jobs(home: Path) -> None:
    store = open_store()
    assert ensure_worker() is True
    assert ensure_worker() is False
    status = worker_status()
    assert status.running
    assert status.pid is not None
    assert status.pid != os.getpid()
    assert os.getsid(status.pid) == status.pid  # a session of its own: it outlives this one
    job = store.submit("test-model", {"model": "scripted:missing.jsonl"}, title="Test")
    wait_for(lambda: store.get_job(job.id).ended)
    done = store.get_job(job.id)
    assert (done.state, (done.result or {})["ok"]) == ("done", False)
    assert "missing.jsonl" in (done.result or {})["error"]
    assert job.id in status.log.read_text()
    assert stop_worker() is True
    assert not worker_status().running
    assert stop_worker() is False
    store.close()


def test_processes_that_ask_at_once_start_one(home: Path) -> None:
    code = "from autoflow.jobs.supervisor import ensure_worker; print(ensure_worker())"
    asking = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in asking)
    assert answers == ["False", "False", "False", "True"]


def test_killed_worker_is_replaced_and_its_job_taken_over_at_once(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "slow.jsonl"
    script.write_text(json.dumps({"match": "", "reply": "ready", "latency_s": 3}) + "\n")
    store = open_store()
    job = store.submit("test-model", {"model": f"scripted:{script}"}, title="Test")
    ensure_worker()
    wait_for(lambda: store.get_job(job.id).state == "running")
    pid = worker_status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not worker_status().running)
    assert ensure_worker() is True
    wait_for(lambda: store.get_job(job.id).claims == 2, within_s=15)  # its lease has 30 s
    assert worker_status().pid != pid
    store.close()


def test_worker_under_other_settings_is_replaced_when_an_app_starts(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_worker()
    first = worker_status().pid
    assert ensure_worker(renew=True) is False
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert ensure_worker() is False  # another app under other settings leaves it alone
    assert ensure_worker(renew=True) is True
    assert worker_status().pid != first
    assert "sk-secret" not in (home / "worker.lock").read_text()


def test_app_that_starts_beside_another_one_waits_for_the_name_of_the_new_worker(home: Path) -> None:
    """Never ends a process by the number of a worker that is long gone, and never the worker that just begins."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    path = home / "worker.lock"
    path.write_text(json.dumps({"pid": bystander.pid, "mark": "of before", "since": 0}))
    lock = os.open(path, os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)  # the other app is at work ...
    slow = threading.Timer(0.5, lambda: os.pwrite(lock, json.dumps({"pid": os.getpid(), "mark": mark()}).encode(), 0))
    try:
        os.ftruncate(lock, 0)  # ... which begins with this
        slow.start()
        assert ensure_worker(renew=True) is False
        assert bystander.poll() is None
    finally:
        slow.join()
        os.close(lock)
        bystander.kill()
        bystander.wait()


def test_record_of_a_dead_worker_is_gone_before_the_next_one_begins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = home / "worker.lock", []
    path.write_text(json.dumps({"pid": 1, "mark": "of before"}))

    def refuse(*_: object, **__: object) -> None:
        seen.append(path.read_text())
        raise OSError("no process to spare")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(JobError, match="no process to spare"):
        ensure_worker()
    assert seen == [""]


def test_data_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "file" / "home"))
    settings.cache_clear()
    with pytest.raises(StorageUnavailable, match="file"):
        ensure_worker()
    assert not worker_status().running


def test_lock_is_free_when_the_worker_is_dead_although_its_children_live(home: Path) -> None:
    """What a job starts (a model server) must not inherit the lock."""
    ensure_worker()
    status = worker_status()
    assert status.pid is not None
    wait_for(lambda: status.log.exists() and "begins" in status.log.read_text())
    inheritable = [
        fd for fd in os.listdir(f"/proc/{status.pid}/fd") if not _closes_on_exec(status.pid, fd)
    ] if sys.platform == "linux" else []  # fmt: skip
    locked = (home / "worker.lock").stat().st_ino
    for fd in inheritable:
        target = Path(f"/proc/{status.pid}/fd/{fd}")
        assert not target.exists() or target.stat().st_ino != locked


def _closes_on_exec(pid: int, fd: str) -> bool:
    try:
        info = Path(f"/proc/{pid}/fdinfo/{fd}").read_text()
    except OSError:
        return True
    flags = next(int(line.split()[1], 8) for line in info.splitlines() if line.startswith("flags:"))
    return bool(flags & os.O_CLOEXEC)
