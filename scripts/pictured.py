"""What pictures show: what was recorded, a study under way that is made up and says so, and tasks of a person."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from autoflow.benchmark import Benchmark
from autoflow.generate.examples import Example
from autoflow.jobs.payloads import ProposePayload
from autoflow.records import Job
from autoflow.report.benchmark_recording import load_benchmark
from autoflow.report.recording import load_recording
from autoflow.store import SqlStore
from autoflow.study import Study

RECORDINGS = Path(__file__).resolve().parents[1] / "assets" / "recordings"


def study_to_show(store: SqlStore) -> Study:
    """Put the recorded study into the store."""
    return load_recording(store, min(RECORDINGS.glob("study-*.json.gz")))


def benchmark_to_show(store: SqlStore) -> Benchmark:
    """Put the recorded benchmark into the store; where none is shipped, one that is made up and says so."""
    recorded = sorted(RECORDINGS.glob("benchmark-*.json.gz"))
    if recorded:
        return load_benchmark(store, recorded[0])
    from tests.grids import written

    models = ("openai:gpt-5.4-mini", "embedded:qwen2.5-coder-1.5b")
    return written(store, "Made up for a picture", generators=models, interpreters=models, rounds=3)


def study_under_way(store: SqlStore) -> Study:
    """A made-up one in its fourth round, held by a worker that is this process: nobody goes on with it."""
    from tests.studies import new_study

    writer = new_study(store, "Made up for a picture: a search under way", seed=3, rounds=8)
    writer.begin()
    for number in range(1, 4):
        writer.round(number)
    study = writer.study
    job = store.submit("study", {"study_id": study.id}, title=f"Optimize {study.name}", subject_id=study.id)
    lease = store.claim("pictures", lease_s=3600, job_id=job.id)
    assert lease is not None
    store.checkpoint(lease, done=3, total=8, unit="rounds")
    store.heartbeat(lease, {"round": 4, "doing": "Round 4: trying 4 on train tasks"})
    return study


TASK = "Which department does this mail belong to: delivery, refund, or other?"
MAILS = (
    ("Where is my parcel? It should have been here on Monday.", "delivery"),
    ("The shoes do not fit. I want my money back.", "refund"),
    ("Do you have a shop in Leipzig?", "other"),
    ("My parcel says delivered, but nobody has seen it.", "delivery"),
    ("You charged me twice for one order.", "refund"),
    ("Can I change the address of my order?", "delivery"),
    ("The kettle broke after a week.", "refund"),
    ("Who designed your logo?", "other"),
)
_BELOW_HEADER = """it => { it.scrollIntoView(); it.closest('[data-testid="stMain"]').scrollBy(0, -75); }"""


def proposed_examples(store: SqlStore) -> Job:
    """A job that has proposed examples; made up."""
    asked = ProposePayload(model="a model", objective=TASK, inputs=("mail",), count=len(MAILS))
    job = store.submit("propose-examples", asked.model_dump(), title="Propose examples")
    lease = store.claim("pictures", lease_s=60, job_id=job.id)
    assert lease is not None
    examples = [Example(inputs={"mail": mail}, expected=answer).model_dump() for mail, answer in MAILS]
    return store.finish(lease, "done", result={"model": "a model", "examples": examples, "errors": [], "totals": {}})


def show_examples(page: Page) -> None:
    """The part of the page with the examples."""
    page.get_by_text("From a task alone").evaluate(_BELOW_HEADER)


def show_table(page: Page) -> None:
    """A table with faults, given to the page."""
    rows = [*MAILS, MAILS[0], ("", "refund"), ("Is it waterproof?", ""), ("=SUM(A1:A9)", "other")]
    text = "mail,department\n" + "".join(f'"{mail}",{answer}\n' for mail, answer in rows)
    page.get_by_text("From a table: your own rows").click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "mails.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    found = page.get_by_text("rows can be used")
    found.wait_for()
    page.get_by_text("The first row holds").evaluate(_BELOW_HEADER)
