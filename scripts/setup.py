"""Make the virtual environment, with a line for each stage. Standard library only: nothing is installed yet.

Usage: python3 scripts/setup.py .venv
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)


def say(text: str) -> None:
    print(f"[setup] {text}", flush=True)


def pip(python: Path, *arguments: str) -> None:
    """Run pip and show what it installs; its own errors are shown whole."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines: list[str] = []
    count = 0
    for line in process.stdout:
        lines.append(line)
        if line.startswith(("Collecting ", "  Downloading ", "Installing ", "Successfully ")):
            count += line.startswith("Collecting ")
            text = line.strip().split(" (from")[0]
            say(f"{count:3d}  {text if len(text) < 100 else text[:97] + '...'}")
    if process.wait() != 0:
        sys.stdout.writelines(lines[-40:])
        say("pip failed (above). Check the network and the disk, then run the same command again: it goes on.")
        raise SystemExit(1)


def main() -> None:
    if sys.version_info < OLDEST:
        raise SystemExit(
            f"AutoFlow needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.12 setup"
        )
    folder = (ROOT / sys.argv[1]).resolve()
    python = folder / "bin" / "python"
    began = time.monotonic()
    if not python.exists():
        say(f"making {folder.name}")
        venv.create(folder, with_pip=True)
    say("1 of 3: torch (by its exact version first, so that a CPU build is taken where one is offered)")
    torch = next(line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("torch=="))
    pip(python, torch, "-c", "constraints.txt")
    say("2 of 3: everything else")
    pip(python, "-r", "requirements-dev.txt", "-c", "constraints.txt")
    say("3 of 3: the autoflow command")
    pip(python, "--no-deps", "-e", ".")
    (folder / ".ready").touch()
    say(f"ready after {time.monotonic() - began:.0f} s. Next: make run")


if __name__ == "__main__":
    main()
