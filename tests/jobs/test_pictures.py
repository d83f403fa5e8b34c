"""A run whose tools work on a real picture, in a job, on both databases: durable with its pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoflow.interpret.trace import views
from autoflow.jobs.context import JobContext
from autoflow.jobs.payloads import RunPayload
from autoflow.jobs.runner import carry_out, handlers
from autoflow.records import Run, RunPolicy
from autoflow.report.visits import row
from autoflow.store import SqlStore, open_store
from autoflow.tools.openagi.degrading import degraded
from autoflow.tools.openagi.images import read_image, to_png
from tests.tools.openagi.files import no_hub
from tests.tools.openagi.pictures import natural, psnr

__all__ = ["no_hub"]  # a fixture
pytestmark = pytest.mark.usefixtures("no_hub")

TEXT = "Step 1:::process:::Mend the picture.:::next::Step 2\nStep 2:::terminal:::Say what was done.:::\n"
CAT = natural("chelsea.png")
WORSE = degraded(CAT, ["blurry", "noisy"], "seed")


def call(tool: str, image: str) -> dict[str, object]:
    return {"name": f"openagi__{tool}", "arguments": {"image": image}}


@pytest.fixture
def model(tmp_path: Path) -> str:
    lines = (
        {"match": "^picture result-1", "tool_calls": [call("image_deblurring", "result-1")]},
        {"match": "^picture result-2", "reply": "Denoised, then sharpened: result-2."},
        {"match": "^There is no picture", "tool_calls": [call("image_denoising", "photo.png")]},
        {"match": "Mend the picture", "tool_calls": [call("image_denoising", "picture.jpg")]},
        {"match": "", "reply": "It is sharp."},
    )
    path = tmp_path / "script.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"scripted:{path}"


async def carried_out(store: SqlStore, model: str, **policy: object) -> Run:
    photo = store.add_file(to_png(WORSE), name="photo.png", filename="photo.png", media_type="image/png")
    task = store.add_task("Mend it.", [photo], ["openagi.image_denoising", "openagi.image_deblurring"])
    run = store.create_run(text=TEXT, task=task, model=model, policy=RunPolicy.model_validate(policy))
    job = store.submit("run", RunPayload(run_id=run.id).model_dump(), title="Run", subject_id=run.id)
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    await carry_out(JobContext(store, lease), handlers()["run"])
    return store.get_run(run.id)


async def test_two_tools_in_a_row_on_a_real_picture(store: SqlStore, url: str, model: str) -> None:
    run = await carried_out(store, model)
    assert (run.stop, run.answer) == ("terminal", "It is sharp.")
    store.close()
    store = open_store(url)  # as after a restart
    step = views([event for _, event in store.run_events(run.id)])[0]
    refused, denoised, sharpened = step.tools
    assert "There is no picture `picture.jpg`. There are: `photo.png`." in refused.text
    assert (denoised.by, sharpened.by) == ("offline: non-local means", "offline: Richardson-Lucy")
    assert denoised.made == sharpened.took
    before, _, after = (
        read_image(store.read_file(ref.sha256), ref.name) for ref in (*denoised.took, *denoised.made, *sharpened.made)
    )
    assert before.tobytes() == WORSE.tobytes()
    assert psnr(after, CAT) > psnr(WORSE, CAT) + 1
    store.close()


async def test_the_row_of_a_trace_names_what_was_before_and_after(store: SqlStore, model: str) -> None:
    run = await carried_out(store, model)
    step = views([event for _, event in store.run_events(run.id)])[0]
    shown = row(step, running=False)
    assert [(p["before"][0]["name"], p["after"][0]["name"]) for p in shown["pictures"]] == [
        ("photo.png", "result-1"), ("result-1", "result-2"),
    ]  # fmt: skip
    told = [detail["parts"][1]["note"] for detail in shown["details"] if detail["title"].startswith("Tool: ")]
    assert "offline" not in told[0], "nothing was done where the picture was not there"
    assert told[1].startswith("offline: non-local means · ")


async def test_a_tool_that_is_not_available_is_told_at_the_start_of_the_run(store: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "plain.jsonl"
    path.write_text('{"match": "", "reply": "done"}\n')
    task = store.add_task("Caption it.", (), ["openagi.image_captioning"])
    run = store.create_run(text=TEXT, task=task, model=f"scripted:{path}", policy=RunPolicy())
    job = store.submit("run", RunPayload(run_id=run.id).model_dump(), title="Run", subject_id=run.id)
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    await carry_out(JobContext(store, lease), handlers()["run"])
    warnings = [e.data["message"] for _, e in store.run_events(run.id) if e.kind == "warning"]
    assert any("nlpconnect/vit-gpt2-image-captioning" in message for message in warnings)
    assert store.get_run(run.id).stop == "terminal"
