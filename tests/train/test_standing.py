"""The folder of a training goes back by the one step that its study may not know of, and by no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file

from autoflow.errors import TrainingError
from autoflow.train.best import best_adapters
from autoflow.train.checkpoint import ADAPTER
from autoflow.train.folders import disk_use, step_folder, steps_in
from autoflow.train.standing import go_back, keep_before, prune
from tests.train.trainings import SETTINGS, trainer


def trained(folder: Path, steps: int) -> None:
    ours = trainer(folder)
    while ours.state.step < steps:
        keep_before(folder, ours.state.step)
        ours.step()


@pytest.mark.parametrize("step", [1, 4])
def test_a_step_that_is_done_again_comes_to_the_same(tmp_path: Path, step: int) -> None:
    trained(tmp_path, step)
    first = (step_folder(tmp_path, step) / ADAPTER).read_bytes()
    kept = best_adapters(tmp_path)
    go_back(tmp_path, step - 1)
    assert list(steps_in(tmp_path)) == ([step - 1] if step > 1 else [])
    trained(tmp_path, step)
    assert (step_folder(tmp_path, step) / ADAPTER).read_bytes() == first
    assert best_adapters(tmp_path) == kept


def test_a_folder_that_is_not_ahead_stays_as_it_is(tmp_path: Path) -> None:
    go_back(tmp_path / "none", 3)
    trained(tmp_path, 2)
    for step in (2, 5):
        go_back(tmp_path, step)
        assert list(steps_in(tmp_path)) == [2]


def test_a_folder_that_is_further_ahead_is_refused_and_left_alone(tmp_path: Path) -> None:
    trained(tmp_path, 4)
    with pytest.raises(TrainingError, match="at step 4, but its study is at step 2"):
        go_back(tmp_path, 2)
    assert list(steps_in(tmp_path)) == [4]


def test_only_one_step_before_is_kept_and_it_takes_no_more_room(tmp_path: Path) -> None:
    trained(tmp_path, 3)
    last, before = step_folder(tmp_path, 3) / ADAPTER, step_folder(tmp_path / "before", 2) / ADAPTER
    assert list(steps_in(tmp_path / "before")) == [2]
    assert load_file(last).keys() == load_file(before).keys()
    keep_before(tmp_path, 3)
    assert (step_folder(tmp_path / "before", 3) / ADAPTER).samefile(last)


def test_pruned_it_holds_the_best_adapters_alone(tmp_path: Path) -> None:
    folder = tmp_path / "training"
    trained(folder, 4)
    (folder / ".partial-step-000005").mkdir()
    before, kept = disk_use(folder), best_adapters(folder)
    prune(folder)
    assert [path.name for path in folder.iterdir()] == ["best"]
    assert best_adapters(folder) == kept
    assert len(kept) == SETTINGS.keep_best
    assert disk_use(folder) < before
    assert load_file(step_folder(folder / "best", kept[0].step) / ADAPTER)
