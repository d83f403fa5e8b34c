"""A training that is killed and taken up again ends as one that was not, to the bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file

from autoflow.errors import StorageUnavailable, TrainingError
from autoflow.train.best import best_adapters
from autoflow.train.checkpoint import ADAPTER, CHANCE, OPTIMIZER, STATE
from autoflow.train.folders import disk_use, step_folder, steps_in, whole_folder
from tests.train.tiny import llama, seeded
from tests.train.trainings import SETTINGS, trainer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    torch.set_num_threads(1)
    assert trainer(folder).train() is None
    return folder


def assert_same(folder: Path, other: Path) -> None:
    """Weights, moments, chance, state and kept adapters, to the bit."""
    ours, theirs = (step_folder(f, SETTINGS.steps) for f in (folder, other))
    for name in (ADAPTER, OPTIMIZER, CHANCE, STATE):
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    assert best_adapters(folder) == best_adapters(other)
    for best in best_adapters(folder):
        kept, same = (step_folder(f / "best", best.step) / ADAPTER for f in (folder, other))
        assert kept.read_bytes() == same.read_bytes()


@pytest.mark.parametrize("cuts", [sorted(random.Random(seed).sample(range(1, 7), 5)) for seed in (1, 2)])
def test_taken_up_at_five_random_steps_it_ends_the_same(tmp_path: Path, undisturbed: Path, cuts: list[int]) -> None:
    for cut in cuts:
        ours = trainer(tmp_path)
        while ours.state.step < cut:
            ours.step()
        torch.rand(cut)  # chance of somebody else in the process
    trainer(tmp_path).train()
    assert_same(tmp_path, undisturbed)


def killed(folder: Path, where: str, call: int) -> int:
    command = [sys.executable, "-m", "tests.train.trainings", str(folder), where, str(call)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=200, check=False).returncode


def test_killed_in_the_midst_of_a_step_and_of_a_checkpoint_it_ends_the_same(tmp_path: Path, undisturbed: Path) -> None:
    assert killed(tmp_path, "reward", 3) == -signal.SIGKILL
    assert list(steps_in(tmp_path)) == [2]  # the step in flight is lost, and no other
    assert killed(tmp_path, "saving", 2) == -signal.SIGKILL
    assert list(steps_in(tmp_path)) == [3]
    assert list(tmp_path.glob(".partial-*"))
    assert killed(tmp_path, "nowhere", 0) == 0
    assert not list(tmp_path.rglob(".partial-*"))
    assert_same(tmp_path, undisturbed)


def test_another_seed_ends_otherwise(tmp_path: Path, undisturbed: Path) -> None:
    trainer(tmp_path, SETTINGS.model_copy(update={"seed": 1})).train()
    ours, theirs = (load_file(step_folder(f, SETTINGS.steps) / ADAPTER) for f in (tmp_path, undisturbed))
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)


def test_more_steps_may_be_asked_for_and_nothing_else_changed(tmp_path: Path) -> None:
    trainer(tmp_path, SETTINGS.model_copy(update={"steps": 1})).train()
    longer = trainer(tmp_path, SETTINGS.model_copy(update={"steps": 2}))
    longer.train()
    assert longer.state.step == 2
    with pytest.raises(TrainingError, match=r"other settings \(learning_rate\)"):
        trainer(tmp_path, SETTINGS.model_copy(update={"learning_rate": 1.0}))


def test_the_best_adapters_are_kept_as_they_were_when_they_earned_it(tmp_path: Path) -> None:
    scores: list[float] = []
    states: list[dict[str, torch.Tensor]] = []
    ours = trainer(tmp_path)
    while ours.state.step < SETTINGS.steps:
        states.append({name: p.detach().clone() for name, p in ours.policy.trainable().items()})
        scores.append(ours.step().figures.reward_mean)
    expected = sorted(range(len(scores)), key=lambda step: (-scores[step], step))[: SETTINGS.keep_best]
    assert [best.step for best in best_adapters(tmp_path)] == expected
    assert list(steps_in(tmp_path / "best")) == sorted(expected)
    assert list(steps_in(tmp_path)) == [SETTINGS.steps]
    for step in expected:
        saved = load_file(step_folder(tmp_path / "best", step) / ADAPTER)
        for name, weight in states[step].items():
            assert torch.equal(saved[name.replace(".default", "")], weight)


def test_peft_reads_the_adapter_and_says_the_same(tmp_path: Path) -> None:
    ours = trainer(tmp_path)
    ours.train()
    ids = torch.randint(1, 9, (2, 7), generator=seeded())
    with torch.no_grad():
        read = PeftModel.from_pretrained(llama(9), str(step_folder(tmp_path, SETTINGS.steps)))
        assert torch.equal(read(ids).logits, ours.policy.model(ids).logits)
        assert not torch.equal(read(ids).logits, llama(9)(ids).logits)
    config = json.loads((step_folder(tmp_path, SETTINGS.steps) / "adapter_config.json").read_text())
    assert config["lora_dropout"] == SETTINGS.adapter.dropout


@pytest.mark.parametrize("name", [ADAPTER, OPTIMIZER, CHANCE, STATE])
def test_a_damaged_checkpoint_is_refused_and_named(tmp_path: Path, name: str) -> None:
    ours = trainer(tmp_path)
    ours.step()
    path = step_folder(tmp_path, 1) / name
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(TrainingError, match="step-000001 cannot be read"):
        trainer(tmp_path)


def test_a_checkpoint_of_another_model_is_refused(tmp_path: Path) -> None:
    trainer(tmp_path).step()
    path = step_folder(tmp_path, 1) / ADAPTER
    weights = load_file(path)
    weights.popitem()
    save_file(weights, path)
    with pytest.raises(TrainingError, match="cannot be read"):
        trainer(tmp_path)


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "step-000001"
    filling = whole_folder(target)
    beside = filling.__enter__()
    (beside / "file").write_text("half")
    with pytest.raises(RuntimeError, match="killed"):
        filling.gen.throw(RuntimeError("killed"))  # type: ignore[attr-defined]
    assert not target.exists()
    assert steps_in(tmp_path) == {}
    for text in ("whole", "newer"):
        with whole_folder(target) as beside:
            (beside / "file").write_text(text)
    assert (target / "file").read_text() == "newer"
    assert disk_use(tmp_path) >= 5


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        whole_folder(tmp_path / "file" / "step-000001").__enter__()
