"""Serve the app on a folder of its own, filled from the recordings, and delete the folder at the end.

Usage: python scripts/demo.py [PORT] [FILE ...]      (default: 8501, assets/recordings/*.json.gz)

Nothing of it touches your own data, and no model is asked: all was made before, and is labelled as a recording. Models
that you have downloaded can be used, so that what is shown can be run, compared and searched on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autoflow.benchmark import Benchmark  # noqa: E402
from autoflow.errors import AutoFlowError  # noqa: E402
from autoflow.report.benchmark_recording import is_benchmark, load_benchmark  # noqa: E402
from autoflow.report.recording import load_recording  # noqa: E402
from autoflow.settings import settings  # noqa: E402
from autoflow.store import open_store  # noqa: E402
from autoflow.study import Study  # noqa: E402
from scripts.appserver import AppServer, clean_environment  # noqa: E402

RECORDINGS = ROOT / "assets" / "recordings"
PORT = 8501


def fill(home: Path, files: list[Path]) -> list[Study | Benchmark]:
    """What was recorded, in the store of a data folder, in the order of files. Raises AutoFlowError: one is none."""
    store = open_store(f"sqlite:///{home / 'autoflow.db'}")
    return [load_benchmark(store, path) if is_benchmark(path) else load_recording(store, path) for path in files]


def told(port: int, one: Study | Benchmark) -> str:
    """`A recorded study: http://...`"""
    page, name = ("benchmark", "benchmark") if isinstance(one, Benchmark) else ("optimize", "study")
    return f"A recorded {name}: http://localhost:{port}/{page}?{name}={one.id}"


def serve(home: Path, port: int, shown: list[Study | Benchmark]) -> None:
    """Serve until Ctrl-C."""
    environment = clean_environment(home, AUTOFLOW_OFFLINE="1", AUTOFLOW_MODELS_DIR=str(settings().models.absolute()))
    server = AppServer(home, port, environment)
    command = [sys.executable, "-m", "autoflow.cli", "serve", "--port", str(port)]
    server.process = subprocess.Popen(command, cwd=ROOT, env=environment)
    lines = "\n  ".join(told(port, one) for one in shown)
    print(f"\n  {lines}\n  Ctrl-C ends it and deletes its folder.\n", flush=True)
    try:
        server.process.wait()
    except KeyboardInterrupt:
        print("\nThe demo ends.", flush=True)
    finally:
        server.stop_all()  # its worker as well, which outlives the app of a person


def _end(number: int, frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    port, *named = sys.argv[1:] or [str(PORT)]
    files = [Path(name) for name in named] or sorted(RECORDINGS.glob("*.json.gz"))
    if not files or not port.isdecimal():
        print(f"There is no recording in {RECORDINGS}." if port.isdecimal() else __doc__, file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts what is in the background without it
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory(prefix="autoflow-demo-", ignore_cleanup_errors=True) as folder:
        try:
            shown = fill(Path(folder), files)
        except AutoFlowError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        serve(Path(folder), int(port), shown)
    return 0


if __name__ == "__main__":
    os.chdir(ROOT)
    raise SystemExit(main())
