"""How long people wait for pages, measured in a real browser: the first page after a start, and a rerun of Write.

Prints Markdown; exits 1 where a limit is passed. Medians of several, because timings on shared machines are noisy.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from autoflow.store import open_store  # noqa: E402
from scripts.appserver import CHROMIUM_ARGUMENTS, AppServer, clean_environment, free_port  # noqa: E402
from scripts.browser import find_or_get  # noqa: E402

STARTS = 3
RERUNS = 7
STEPS = 200
FIRST_PAGE_LIMIT_S = 3.0
RERUN_LIMIT_S = 1.0


def long_workflow(steps: int) -> str:
    """A workflow without errors: every fifth step is a decision that may go back."""
    lines = []
    for n in range(1, steps):
        if n % 5 == 0:
            lines.append(f"Step {n}:::decision:::Is part {n} in order?:::yes::Step {n + 1}::no::Step {n - 3}")
        else:
            lines.append(f"Step {n}:::process:::Work on part {n} of the task and note the result.:::next::Step {n + 1}")
    return "\n".join([*lines, f"Step {steps}:::terminal:::Write the answer.:::", ""])


def first_page_s(browser: Browser, home: Path) -> float:
    """Seconds from the start of the process to the first page with its content."""
    server = AppServer(home, free_port(), clean_environment(home, AUTOFLOW_OFFLINE="1"))
    page = browser.new_page()
    began = time.monotonic()
    try:
        server.start()
        page.goto(server.url)
        page.get_by_text("What should get done?").first.wait_for(timeout=60_000)
        return time.monotonic() - began
    finally:
        page.close()
        server.stop_all()


def rerun_s(page: Page, step: int) -> float:
    """Seconds from choosing another step to the page being at rest with that step's form."""
    card = page.get_by_role("option").nth(step)
    card.scroll_into_view_if_needed()
    began = time.monotonic()
    card.click()
    page.get_by_label("Name", exact=True).and_(page.locator(f'input[value="Step {step + 1}"]')).wait_for(timeout=30_000)
    page.locator('[data-test-script-state="notRunning"]').first.wait_for(timeout=30_000)
    return time.monotonic() - began


def reruns_s(browser: Browser, home: Path) -> list[float]:
    env = clean_environment(home, AUTOFLOW_OFFLINE="1")
    workflow = open_store(f"sqlite:///{home / 'autoflow.db'}").create_workflow("Long", long_workflow(STEPS))
    server = AppServer(home, free_port(), env)
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    try:
        server.start()
        page.goto(f"{server.url}/write?workflow={workflow.id}")
        page.get_by_role("option").first.wait_for(timeout=60_000)
        rerun_s(page, 2)  # warms caches
        return [rerun_s(page, 3 + n) for n in range(RERUNS)]
    finally:
        page.close()
        server.stop_all()


def main() -> None:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = playwright.chromium.launch(executable_path=find_or_get(), args=list(CHROMIUM_ARGUMENTS))
        starts = []
        for n in range(STARTS):
            home = Path(folder) / f"start-{n}"
            home.mkdir()
            starts.append(first_page_s(browser, home))
        home = Path(folder) / "write"
        home.mkdir()
        reruns = reruns_s(browser, home)
        browser.close()
    rows = (
        (f"app start to first page (median of {STARTS})", statistics.median(starts), FIRST_PAGE_LIMIT_S),
        (
            f"Write page, {STEPS} steps, choose another step (median of {RERUNS})",
            statistics.median(reruns),
            RERUN_LIMIT_S,
        ),
    )
    print("| what | seconds | limit |\n|---|---|---|")
    for what, seconds, limit in rows:
        print(f"| {what} | {seconds:.2f} | {limit:.0f} |")
    sys.exit(any(seconds > limit for _, seconds, limit in rows))


if __name__ == "__main__":
    main()
