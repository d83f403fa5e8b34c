"""Make the pictures of the documentation from the running app: each page light, dark and narrow.

The run on show is the worked example of the refund mail, answered from a recording of the default model
(`scripts/record.py` makes it), so that the pictures need no model and come out the same everywhere.

Usage: python scripts/screenshots.py [NAME ...]  # all, or those of these names: write, study, compare-tasks ...
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from autoflow.examples import get_example  # noqa: E402
from autoflow.records import Connection, RunPolicy  # noqa: E402
from autoflow.store import SqlStore, open_store  # noqa: E402
from autoflow.study import Study  # noqa: E402
from scripts.appserver import CHROMIUM_ARGUMENTS, AppServer, clean_environment, free_port  # noqa: E402
from scripts.browser import find_or_get  # noqa: E402
from scripts.pictured import (  # noqa: E402
    benchmark_to_show,
    proposed_examples,
    run_with_pictures,
    show_examples,
    show_table,
    study_to_show,
    study_under_way,
    training_to_show,
)

IMAGES = ROOT / "docs" / "images"
EXAMPLE = "refund-mail"
RECORDED = "recorded-qwen2.5-coder-1.5b"
LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 420)}
RUN_PATIENCE_S = 60
SETTLE_MS = 1500  # fonts and the graph
# Pictures of what stands under a heading further down.
SCROLLED = {"compare-tasks": "Tasks", "study-candidates": "Candidates", "study-map": "Candidates by tasks",
            "training": "Training", "benchmark-table": "Table"}  # fmt: skip
# Pictures that take a hand first.
ACTS: dict[str, Callable[[Page], None]] = {"tasks-table": show_table, "tasks-proposed": show_examples}


def seed(store: SqlStore, folder: Path) -> dict[str, str]:
    """Work to show; returns the path of each page."""
    example = get_example(EXAMPLE)
    task = store.add_task(example.objective, example.inputs, example.tools)
    workflow = store.create_workflow(example.title, example.text, task=task, origin="example")
    recording = ROOT / "assets" / "recordings" / f"{EXAMPLE}.jsonl"
    store.save_connection(Connection(name=RECORDED, kind="replay", path=str(recording), created_at=time.time()))
    run = store.create_run(
        text=example.text, task=task, model=RECORDED, policy=RunPolicy(), workflow_id=workflow.id, version=1
    )
    store.submit("run", {"run_id": run.id}, title=f"Run {example.title} v1", subject_id=run.id)
    ended = study_to_show(store)
    return {
        "home": "/",
        "write": f"/write?workflow={workflow.id}&step=2",
        "run": f"/run?run={run.id}",
        "run-pictures": f"/run?run={run_with_pictures(store, folder).id}",
        "models": "/models",
        **searched(store, ended),
        "tasks-table": "/optimize",
        "tasks-proposed": f"/optimize?propose={proposed_examples(store).id}",
        **compared(ended),
        **gridded(store),
    }


def searched(store: SqlStore, ended: Study) -> dict[str, str]:
    """The page Optimize: setting up, a search under way, and one that ended, with parts of it further down."""
    path = f"/optimize?study={ended.id}"
    return {
        "optimize": "/optimize", "study-running": f"/optimize?study={study_under_way(store).id}", "study": path,
        "study-candidates": path, "study-map": path, "training": f"/optimize?study={training_to_show(store).id}",
    }  # fmt: skip


def gridded(store: SqlStore) -> dict[str, str]:
    """The page Benchmark: setting up, and one that was measured, with its table further down."""
    path = f"/benchmark?benchmark={benchmark_to_show(store).id}"
    return {"benchmark": "/benchmark", "benchmark-grid": path, "benchmark-table": path}


def compared(ended: Study) -> dict[str, str]:
    """The page Compare, and further down on it its table of tasks."""
    path = f"/compare?study={ended.id}"
    return {"compare": path, "compare-tasks": path}


def wait_for_runs(store: SqlStore) -> None:
    """Raises SystemExit where the recording does not fit the prompts any more."""
    deadline = time.monotonic() + RUN_PATIENCE_S
    while any(run.stop is None for run in store.list_runs()):
        if time.monotonic() > deadline:
            raise SystemExit("The runs on show did not end; see the logs of the worker.")
        time.sleep(0.2)
    run = next((run for run in store.list_runs() if run.stop != "terminal"), None)
    if run:
        raise SystemExit(
            f"The recording does not fit any more ({run.error}). Make it anew: python scripts/record.py {EXAMPLE}"
        )


def settle(page: Page) -> None:
    page.get_by_test_id("stMain").wait_for()
    page.locator('[data-test-script-state="notRunning"]').first.wait_for(timeout=60_000)
    page.wait_for_timeout(SETTLE_MS)


def shoot(browser: Browser, url: str, paths: dict[str, str]) -> None:
    for look, (theme, width) in LOOKS.items():
        context = browser.new_context(
            color_scheme="dark" if theme == "dark" else "light", viewport={"width": width, "height": 900}
        )
        page = context.new_page()
        for name, path in paths.items():
            page.goto(url + path)
            settle(page)
            if name in SCROLLED:
                page.get_by_role("heading", name=SCROLLED[name], exact=True).evaluate("it => it.scrollIntoView()")
                page.wait_for_timeout(SETTLE_MS)
            if name in ACTS:
                ACTS[name](page)
                page.wait_for_timeout(SETTLE_MS)
            page.screenshot(path=IMAGES / f"{name}-{look}.png")
            print(f"docs/images/{name}-{look}.png", flush=True)
        context.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    models = os.environ.get("AUTOFLOW_TEST_MODELS", str(ROOT / ".cache" / "models"))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        store = open_store(f"sqlite:///{home / 'autoflow.db'}")
        paths = seed(store, home)
        env = clean_environment(home, AUTOFLOW_OFFLINE="1", AUTOFLOW_MODELS_DIR=models)
        server = AppServer(home, free_port(), env)
        browser = playwright.chromium.launch(executable_path=find_or_get(), args=list(CHROMIUM_ARGUMENTS))
        try:
            server.start()
            wait_for_runs(store)
            chosen = set(sys.argv[1:]) or set(paths)
            shoot(browser, server.url, {name: path for name, path in paths.items() if name in chosen})
        finally:
            browser.close()
            server.stop_all()


if __name__ == "__main__":
    main()
