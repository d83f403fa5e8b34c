"""A Ray cluster of several nodes on this machine, for tests and measurements. It asks for a token.

All nodes are started as people start them, by `ray start`.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from autoflow.settings import environment_with

ROOT = Path(__file__).resolve().parents[1]


class Machines:
    """The nodes, and what a power cut does to one.

    Args:
        folder: of the token and of what the nodes keep: they have a data folder of their own, as other machines have.
        cpus: of each node.
    """

    def __init__(self, folder: Path, cpus: Sequence[int] = (1, 1)) -> None:
        self._cpus = cpus
        self._mark = secrets.token_hex(8)  # in the environment of all their processes
        token = folder / "token"
        token.write_text(secrets.token_hex(32))
        self.environment = {
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0",
            "AUTOFLOW_HOME": str(folder), "PYTHONPATH": str(ROOT), "AUTOFLOW_CLUSTER_MARK": self._mark,
        }  # fmt: skip
        self.address = ""
        self._sessions = tempfile.mkdtemp(prefix="af-ray-")  # short: the paths of its sockets may have 100 characters

    def start(self) -> None:
        """The head, without processors, and the nodes."""
        head = ("--head", "--port=0", "--num-cpus=0", "--include-dashboard=false", "--disable-usage-stats")
        told = self._start(*head, f"--temp-dir={self._sessions}")
        found = re.search(r"--address='([^']+)'", told)
        assert found is not None, told
        self.address = found[1]
        for count in self._cpus:  # one after the other: of two that begin at once on one machine, one may never come up
            self.add(count)

    def add(self, cpus: int = 1) -> None:
        """One more node."""
        self._start(f"--address={self.address}", f"--num-cpus={cpus}", "--memory=4000000000")

    def _start(self, *options: str) -> str:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--object-store-memory=80000000", *options]
        done = subprocess.run(
            command, env=environment_with(**self.environment), capture_output=True, text=True, timeout=90
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Of all nodes, whose title begins like this."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("AUTOFLOW_CLUSTER_MARK") == self._mark:
                    found.append((process, (process.cmdline() or [""])[0]))
        return [process for process, title in found if title.startswith(name)]

    def carriers(self) -> list[psutil.Process]:
        """Processes that carry out runs, as they are now."""
        return self.processes("ray::Carrier")

    def cut_power(self, carrier: psutil.Process) -> None:
        """Kill the node of a carrier with all that runs on it."""
        raylet = carrier.parent()
        assert raylet is not None
        assert raylet.name() == "raylet"
        for process in (raylet, *raylet.children(recursive=True)):
            process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """End all of it. This process leaves it first: Ray ends a process that its head has left alone for a minute."""
        if "ray" in sys.modules:
            sys.modules["ray"].shutdown()
        for process in self.processes():
            if process.pid != os.getpid():
                with suppress(psutil.Error):
                    process.kill()
        shutil.rmtree(self._sessions, ignore_errors=True)
