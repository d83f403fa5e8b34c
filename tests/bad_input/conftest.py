"""Bad input goes in where people and models put it: a page, a command, the worker's handler of a job."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from autoflow.jobs.context import JobContext
from autoflow.jobs.payloads import RunPayload
from autoflow.jobs.runner import carry_out, handlers
from autoflow.records import Job, Run
from autoflow.store import SqlStore
from tests.app.conftest import fresh_caches, store, visit, words
from tests.cli.conftest import cli

__all__ = ["carried_out", "cli", "fresh_caches", "run_job", "store", "visit"]

GOOD = """Read:::process:::Read the mail.:::next::Refund?
Refund?:::decision:::Does it ask for money?:::yes::Answer::no::Read
Answer:::terminal:::Answer the mail.:::
"""
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=http://evil.example/a.png onerror=x> &amp; </textarea>",
    "markdown": "![x](http://evil.example/a.png) [y](javascript:alert(1)) **b** $x$ :red[r] :material/home: `c` ~~s~~",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x1b[8mhidden\x9b31m\x08\x7f",
    "bidi": "abc \u202etxt.exe\u202c \u2066x\u2069 \u200f\u061c",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 \U0001f9d1\U0001f3ff\u200d\U0001f680",
    "surrogates": "half \ud83d and \udcff",
    "nul": "a\0b",
    "marks": "z" + "\u0301" * 10_000,
    "separators": "a\u2028b\u2029c\x0bd\x0ce\x1cf\x85g",
    "noncharacters": "\ufffe\uffff\U0010ffff\ue000",
}
hostile = pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))


PAGES = ("home", "write", "run", "models")


@pytest.fixture
def workflow(store: SqlStore) -> str:
    return store.create_workflow("Mails", GOOD, task=store.add_task("Answer the mail")).id


@pytest.fixture
def open_all(visit: Callable[..., AppTest], workflow: str) -> Callable[[], dict[str, str]]:
    """What every page shows; none may fail."""

    def look() -> dict[str, str]:
        found = {}
        for page in PAGES:
            app = visit(page, **({"workflow": workflow} if page in ("write", "run") else {}))
            assert not app.exception, (page, app.exception)
            found[page] = words(app)
            assert "Something in AutoFlow failed" not in found[page], (page, found[page])
        return found

    return look


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write a script for a scripted model; returns the model's name."""

    def write(*lines: dict[str, Any]) -> str:
        path = tmp_path / "script.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return f"scripted:{path}"

    return write


def carried_out(store: SqlStore, job: Job) -> Job:
    """The job as the worker leaves it."""
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    asyncio.run(carry_out(JobContext(store, lease), handlers()[job.kind]))
    return store.get_job(job.id)


def run_job(store: SqlStore, run: Run) -> Run:
    """The run as it ended in the worker."""
    payload = RunPayload(run_id=run.id).model_dump()
    job = carried_out(store, store.submit("run", payload, title="run", subject_id=run.id))
    assert job.state == "done", job.error
    return store.get_run(run.id)
