"""See to it that there is a Chromium or Chrome for the browser tests and the screenshots.

Looks for an installed one first; else takes Playwright's download; else, on Debian as root, the distribution's
package; else fails and says how to get one. `python scripts/browser.py` prints the path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
DOWNLOAD_PATIENCE_S = 600


def installed() -> str | None:
    """The path of a browser that is already here, or None."""
    named = os.environ.get("AUTOFLOW_BROWSER")
    if named:
        return named
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((str(path) for path in MAC if path.exists()), None) or _of_playwright()


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, timeout=DOWNLOAD_PATIENCE_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def find_or_get() -> str:
    """The path of a browser, fetched where there is none. Raises SystemExit with the cure."""
    if path := installed():
        return path
    print("[browser] no Chromium here; trying Playwright's download", flush=True)
    if _run(sys.executable, "-m", "playwright", "install", "chromium") and (path := installed()):
        return path
    if shutil.which("apt-get") and os.geteuid() == 0:
        print("[browser] trying the distribution's package", flush=True)
        if (
            _run("apt-get", "update", "-qq")
            and _run("apt-get", "install", "-y", "-qq", "chromium")
            and (path := installed())
        ):
            return path
    raise SystemExit(
        "The browser tests need Chromium or Chrome, and none could be had. Install one (Debian: sudo apt-get install "
        "chromium; macOS: brew install --cask google-chrome), or name it: AUTOFLOW_BROWSER=/path/to/chrome make test"
    )


if __name__ == "__main__":
    print(f"[browser] {find_or_get()}")
