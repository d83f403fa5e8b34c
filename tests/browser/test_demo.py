"""`make demo`: a study and a benchmark are recorded by the scripts, and opened on a folder of their own, labelled."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from autoflow.store import open_store
from scripts.appserver import ROOT, free_port
from tests.grids import written
from tests.studies import finished_study

pytestmark = pytest.mark.browser


def test_a_recorded_study_is_opened_and_its_folder_is_gone_at_the_end(page: Page, home: Path, tmp_path: Path) -> None:
    study, grid = finished_study(open_store()), written(open_store(), generators=("openai:a",), rounds=0)
    recording, temporary = tmp_path / "study.json.gz", tmp_path / "temporary"
    recorded_grid = tmp_path / "grid.json.gz"
    temporary.mkdir()
    env = {**os.environ, "AUTOFLOW_HOME": str(home), "TMPDIR": str(temporary)}
    made = [sys.executable, "scripts/record_study.py", study.id, str(recording), "By hand."]
    subprocess.run(made, cwd=ROOT, env=env, check=True, timeout=60)
    made = [sys.executable, "scripts/record_study.py", grid.id, str(recorded_grid), "By hand."]
    subprocess.run(made, cwd=ROOT, env=env, check=True, timeout=60)
    command = [sys.executable, "scripts/demo.py", str(free_port()), str(recording), str(recorded_grid)]
    demo = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        while not (found := re.search(r"http://\S+study=st_\w+", line := demo.stdout.readline())):
            assert line or demo.poll() is None, "the demo ended"
        grid_found = re.search(r"http://\S+benchmark=bm_\w+", demo.stdout.readline())
        assert grid_found
        for _ in range(100):  # it is told before the app listens
            try:
                page.goto(found[0])
                break
            except Exception:
                page.wait_for_timeout(300)
        expect(page.get_by_text("A recording, to show around.")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("interpreter scripted:reader, method in-context, seed 0. By hand.")).to_be_visible()
        page.goto(found[0].replace("/optimize", "/compare"))
        expect(page.get_by_text("This is a recording:")).to_be_visible(timeout=60_000)
        page.goto(grid_found[0])
        expect(page.get_by_text("A recording, to show around.")).to_be_visible(timeout=60_000)
        models = "generators openai:a, interpreters openai:a, openai:b, method in-context"
        expect(page.get_by_text(models).first).to_be_visible()
        expect(page.locator('tbody [data-state="done"]')).to_have_count(2, timeout=60_000)
        assert [path.name for path in temporary.glob("autoflow-demo-*")]
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
    assert demo.returncode == 0
    assert list(temporary.glob("autoflow-demo-*")) == []
    assert not [s for s in open_store().list_studies() if s.recorded], "it wrote into the person's own store"
