"""A training that is killed, paused, or loses its folder ends as one that was left alone, to the bit; what it cannot
get over is told in words.

Model, training process, store and worker are real; the interpreter answers from a script.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from autoflow.jobs.handlers import study as handler
from autoflow.optimize.lora_process import Process
from autoflow.records import Job, Json
from autoflow.settings import settings
from autoflow.store import SqlStore, open_store
from autoflow.study import Study, StudyBatch
from autoflow.train.checkpoint import OPTIMIZER, STATE
from autoflow.train.folders import step_folder, steps_in
from autoflow.train.talk import Order
from tests.jobs.test_crash import within
from tests.optimize import trainable
from tests.optimize.trainable import End, children, end_of

STEPS = 16
pytestmark = pytest.mark.timeout(900)  # a process loads its libraries some times, which takes as long as it takes


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[End]:
    """What the study comes to that nobody disturbs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFLOW_HOME", str(tmp_path_factory.mktemp("alone")))
        settings.cache_clear()
        store = open_store()
        study, job = begun(store, files)
        assert trainable.carried_out(store, job).state == "done"
        yield end_of(store, study.id)
        store.close()
    settings.cache_clear()


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store()
    yield opened
    opened.close()
    assert children() == [], "no process of a training outlives its study"


def begun(store: SqlStore, files: Path, **more: object) -> tuple[Study, Job]:
    return trainable.begun(store, trainable.spec_of(store, files, steps=STEPS, **more))  # type: ignore[arg-type]


@dataclass
class Striker:
    """Kills the training process when the study says a certain thing, a moment later; each once."""

    moments: dict[str, float]  # words -> seconds to wait
    struck: int = 0

    def __call__(self, words: str) -> None:
        for start in [start for start in self.moments if words.startswith(start)]:
            (child,) = children()
            self.struck += 1
            threading.Timer(self.moments.pop(start), child.kill).start()


def test_training_process_killed_at_any_moment_is_started_again_and_draws_the_same(
    store: SqlStore, files: Path, alone: End
) -> None:
    assert alone.kept[0].step < STEPS - 1, "what is compared is older than the two checkpoints that there are"
    study, job = begun(store, files)
    striker = Striker({"Round 5: trying": 0.0, "Step 8: updating": 0.01, "Drawing 4 workflows": 0.0})
    done = trainable.carried_out(store, job, striker)
    assert (done.state, done.error, striker.struck) == ("done", "", 3)
    assert end_of(store, study.id) == alone


def test_training_process_that_dies_again_and_again_fails_the_job_in_words(store: SqlStore, files: Path) -> None:
    study, job = begun(store, files)

    def strike(words: str) -> None:
        if words.startswith("Step 3: drawing"):
            children()[0].kill()

    failed = trainable.carried_out(store, job, strike)
    assert failed.state == "failed"
    assert "was killed twice in the same step, most likely as memory ran out" in failed.error
    assert "then resume" in failed.error
    assert store.get_study(study.id).rounds == 2
    assert store.get_study(study.id).test_uses == 0


def test_crash_between_the_two_checkpoints_and_a_lost_folder_change_nothing(
    store: SqlStore, files: Path, alone: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, job = begun(store, files)
    folder = settings().trainings / study.id
    real = handler.JobSink.keep

    def crashing_at(step: int) -> Callable[..., object]:
        async def keep(sink: handler.JobSink, batch: StudyBatch, message: str = "") -> None:
            if any(one.step == step for one in batch.steps):
                raise RuntimeError("The power is gone.")
            await real(sink, batch, message)

        return keep

    monkeypatch.setattr(handler.JobSink, "keep", crashing_at(6))
    assert "The power is gone" in trainable.carried_out(store, job).error
    assert (list(steps_in(folder)), store.get_study(study.id).rounds) == ([6], 5), "the study does not know"
    store.request(job.id, "resume")
    monkeypatch.setattr(handler.JobSink, "keep", crashing_at(9))
    assert "The power is gone" in trainable.carried_out(store, job).error
    runs = len(store.study_outcomes(study.id))
    shutil.rmtree(folder)
    store.request(job.id, "resume")
    monkeypatch.setattr(handler.JobSink, "keep", real)
    heard: list[str] = []
    assert trainable.carried_out(store, job, heard.append).state == "done"
    assert "Step 1 of 8: done again, as its checkpoint was lost" in heard
    assert end_of(store, study.id) == alone
    assert len(store.study_outcomes(study.id)) > runs


def test_pause_while_it_draws_ends_the_process_at_once_and_resuming_draws_the_same(
    store: SqlStore, files: Path, alone: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, job = begun(store, files)

    def hang(words: str) -> None:
        """A step that takes for ever."""
        if words.startswith("Step 4: drawing"):
            children()[0].suspend()
            store.request(job.id, "pause")

    assert trainable.carried_out(store, job, hang).state == "paused"
    assert children() == []
    assert store.get_study(study.id).rounds == 3
    assert not (settings().home / "adapters").exists() or store.training_steps(study.id)
    store.request(job.id, "resume")
    assert trainable.carried_out(store, job).state == "done"
    assert end_of(store, study.id) == alone


def test_cancel_ends_the_process_at_once_and_keeps_the_adapter_that_there_is(store: SqlStore, files: Path) -> None:
    study, job = begun(store, files)

    def hang(words: str) -> None:
        if words.startswith("Step 11: drawing"):
            children()[0].suspend()
            store.request(job.id, "cancel")

    assert trainable.carried_out(store, job, hang).state == "cancelled"
    assert (store.get_study(study.id).stop, store.get_study(study.id).rounds) == ("person", 10)
    assert (settings().adapters / "skilful-answers" / "autoflow.json").is_file()


# -- a worker of its own
def works(process: psutil.Process) -> bool:
    """One that has ended may stay as a zombie, where nobody asks for its status."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Worker:
    """The real one, in a process of its own."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.process = subprocess.Popen([sys.executable, "-m", "autoflow.jobs.worker"], env=os.environ.copy())

    def training(self) -> list[psutil.Process]:
        return [p for p in psutil.Process(self.process.pid).children() if "autoflow.train.child" in p.cmdline()]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.store.orphan(f"{socket.gethostname()}-{self.process.pid}")


def test_killed_worker_takes_the_training_process_with_it_and_another_goes_on(
    store: SqlStore, files: Path, alone: End
) -> None:
    study, job = begun(store, files, latency_s=0.02)
    worker = Worker(store)
    try:
        for step in (2, 7):
            with within(120) as waiting:
                while waiting(len(store.training_steps(study.id)) >= step):
                    assert store.get_job(job.id).state in ("queued", "running", "done"), store.get_job(job.id).error
            (training,) = worker.training()
            worker.kill()
            with within(20) as waiting:
                while waiting(not works(training)):
                    pass
            worker = Worker(store)
        with within(120) as waiting:
            while waiting(store.get_job(job.id).state == "done"):
                assert store.get_job(job.id).state in ("queued", "running", "done"), store.get_job(job.id).error
    finally:
        worker.kill()
    assert end_of(store, study.id) == alone


# -- what it cannot get over
def test_one_text_alone_for_some_steps_is_a_collapse_which_says_what_to_change(
    store: SqlStore, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the worker dies just then."""
    study, job = begun(store, files, top_k=1, learning_rate=0.0)
    real = handler.JobSink.keep

    async def keep(sink: handler.JobSink, batch: StudyBatch, message: str = "") -> None:
        await real(sink, batch, message)
        if any(one.ending for one in batch.steps):
            raise RuntimeError("The power is gone.")

    monkeypatch.setattr(handler.JobSink, "keep", keep)
    assert "The power is gone" in trainable.carried_out(store, job).error
    assert store.get_study(study.id).stop is None
    monkeypatch.setattr(handler.JobSink, "keep", real)
    store.request(job.id, "resume")
    assert trainable.carried_out(store, job).result == {"study_id": study.id, "stop": "collapsed"}
    steps = store.training_steps(study.id)
    assert [bool(step.ending) for step in steps] == [False] * 4 + [True]
    assert "is the same text" in steps[-1].ending
    assert "raise the temperature" in steps[-1].ending
    assert store.get_study(study.id).test_uses == 1


def paused_after(store: SqlStore, files: Path, step: int) -> tuple[Study, Job]:
    study, job = begun(store, files)

    def pause(words: str) -> None:
        if words.startswith(f"Step {step + 1}: drawing"):
            store.request(job.id, "pause")
            children()[0].suspend()

    assert trainable.carried_out(store, job, pause).state == "paused"
    store.request(job.id, "resume")
    return study, job


def test_a_folder_that_cannot_be_gone_on_from_is_refused_in_words_until_it_is_mended(
    store: SqlStore, files: Path, alone: End
) -> None:
    study, job = paused_after(store, files, 3)
    folder = settings().trainings / study.id
    third = step_folder(folder, 3)

    def refused() -> str:
        failed = trainable.carried_out(store, job)
        assert failed.state == "failed"
        store.request(job.id, "resume")
        return failed.error

    told = (third / STATE).read_text()
    other: Json = json.loads(told)
    other["settings"]["learning_rate"] = 0.5
    (third / STATE).write_text(json.dumps(other))
    assert "belongs to a training with other settings (learning_rate)" in refused()
    (third / STATE).write_text(told)

    third.rename(step_folder(folder, 9))
    shutil.rmtree(folder / "before")
    assert "is at step 9, but its study is at step 3. Remove the folder" in refused()
    step_folder(folder, 9).rename(third)

    (third / OPTIMIZER).write_bytes((third / OPTIMIZER).read_bytes()[:30])
    assert f"The checkpoint {third} cannot be read" in refused()
    shutil.rmtree(third)
    assert trainable.carried_out(store, job).state == "done"
    assert end_of(store, study.id) == alone


def test_model_that_is_gone_and_a_prompt_that_is_too_long_are_told(
    store: SqlStore, files: Path, tmp_path: Path
) -> None:
    study, job = begun(store, tmp_path / "mine")
    (tmp_path / "mine" / "model" / "model.safetensors").unlink()
    failed = trainable.carried_out(store, job)
    assert failed.state == "failed"
    assert str(tmp_path / "mine" / "model") in failed.error
    trainable.make_model(tmp_path / "mine" / "model", context=24)
    store.request(job.id, "resume")
    failed = trainable.carried_out(store, job)
    assert "longer than the model" in failed.error or "are to be drawn. Draw fewer tokens" in failed.error
    assert store.get_study(study.id).stop is None


def otherwise(order: Order) -> Order:
    """What draws other samples, as a GPU may where it goes through a step again."""
    seeded = order.settings.model_copy(update={"seed": 99})
    return order.model_copy(update={"settings": seeded, "folder": f"{order.folder}-otherwise", "step": 0})


def start_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """All processes but the first."""
    real, orders = Process.start, []

    async def start(order: Order, name: str) -> Process:
        orders.append(order)
        return await real(order if len(orders) == 1 else otherwise(order), name)

    monkeypatch.setattr(Process, "start", start)


def test_samples_that_are_other_ones_when_drawn_again_are_run_as_well(
    store: SqlStore, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, job = begun(store, files, constrained=False)
    start_otherwise(monkeypatch)
    failed = trainable.carried_out(store, job, Striker({"Step 1: updating": 0.0}))
    assert failed.state == "failed"
    assert "now draws other samples. Resume the study" in failed.error
    before = len(store.study_candidates(study.id))
    store.request(job.id, "resume")
    assert trainable.carried_out(store, job).state == "done"
    first = store.training_steps(study.id)[0]
    candidates = store.study_candidates(study.id)
    assert len(candidates) > before
    assert all(sample.candidate is not None for sample in first.samples if not sample.error)


def test_steps_that_cannot_be_done_again_after_their_checkpoint_was_lost_are_told(
    store: SqlStore, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, job = begun(store, files)
    start_otherwise(monkeypatch)
    failed = trainable.carried_out(store, job, Striker({"Step 3: updating": 0.0}))
    assert failed.state == "failed"
    assert "The checkpoint of step 2 is lost, and step 1 cannot be done again" in failed.error
