"""What pictures show: what was recorded, a study under way that is made up and says so, and tasks of a person."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page

from autoflow.benchmark import Benchmark
from autoflow.generate.examples import Example
from autoflow.jobs.payloads import ProposePayload
from autoflow.records import Connection, Job, Run, RunPolicy
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


MENDED = "Step 1:::process:::Mend the picture.:::next::Step 2\nStep 2:::terminal:::Say what was done.:::\n"
SAYS = (
    {
        "match": "^picture result-1",
        "tool_calls": [{"name": "openagi__image_deblurring", "arguments": {"image": "result-1"}}],
    },
    {"match": "^picture result-2", "reply": "The noise is gone, and the edges are sharp."},
    {"match": "Mend the", "tool_calls": [{"name": "openagi__image_denoising", "arguments": {"image": "cat.png"}}]},
    {"match": "", "reply": "The picture was denoised, then sharpened: result-2."},
)


def run_with_pictures(store: SqlStore, folder: Path) -> Run:
    """A run whose tools work on a picture; its model answers from a script."""
    from autoflow.tools.openagi.degrading import degraded
    from autoflow.tools.openagi.images import to_png
    from tests.tools.openagi.pictures import natural

    script = folder / "says.jsonl"
    script.write_text("".join(json.dumps(line) + "\n" for line in SAYS), "utf-8")
    worse = to_png(degraded(natural("chelsea.png"), ["blurry", "noisy"], "docs"))
    photo = store.add_file(worse, name="cat.png", filename="cat.png", media_type="image/png")
    store.save_connection(Connection(name="scripted-answers", kind="scripted", path=str(script)))
    task = store.add_task("Mend the picture.", [photo], ["openagi.image_denoising", "openagi.image_deblurring"])
    workflow = store.create_workflow("Mend a picture", MENDED, task=task)
    run = store.create_run(
        text=MENDED, task=task, model="scripted-answers", policy=RunPolicy(), workflow_id=workflow.id, version=1
    )
    store.submit("run", {"run_id": run.id}, title="Run Mend a picture v1", subject_id=run.id)
    return run


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


def training_to_show(store: SqlStore) -> Study:
    """The recorded one."""
    return load_recording(store, min(RECORDINGS.glob("training-*.json.gz")))


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
