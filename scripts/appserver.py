"""The app as `make run` starts it, on a data folder of its own: for browser tests, screenshots and measurements."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[1]
START_PATIENCE_S = 60.0
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without its own AutoFlow settings and keys, and with this data folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AUTOFLOW_", "OPENAI_"))}
    return kept | {"AUTOFLOW_HOME": str(home), **more}


@dataclass
class AppServer:
    """Start and stop the app, and end what it started."""

    home: Path
    port: int
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "app.log"

    def start(self) -> None:
        """Returns once the app answers. Raises RuntimeError with the app's output where it does not."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=log, stderr=log)
        deadline = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/_stcore/health", timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the app did not start:\n" + self.log.read_text())

    def stop(self) -> None:
        """End the app alone; its worker lives on, as it does for users."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def processes(self, word: str = "") -> list[psutil.Process]:
        """What runs on this data folder besides the app, such as `autoflow.jobs.worker`."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("AUTOFLOW_HOME") != str(self.home) or process.pid == os.getpid():
                    continue
                if word in " ".join(process.cmdline()) and (not self.process or process.pid != self.process.pid):
                    found.append(process)
        return found

    def stop_all(self) -> None:
        """End the app, its worker and the model server."""
        self.stop()
        for process in self.processes():
            with suppress(psutil.Error):
                process.kill()
