"""Where the folder of a training stands, beside where the record of its study does.

A step is on the disk before it is in the record, so that a crash between the two leaves the folder ahead by one. The
checkpoint before the last one is kept until then (`BEFORE`), and the step is done again from there: it comes to the
same. A folder that is behind, or gone, needs nothing: whoever has the record has the rewards, and goes through its
steps again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from autoflow.errors import TrainingError
from autoflow.train.best import best_folder
from autoflow.train.folders import step_folder, steps_in, whole_folder

BEFORE = "before"


def keep_before(folder: Path, step: int) -> None:
    """Before the step that follows `step` is done. Raises StorageUnavailable."""
    before = folder / BEFORE
    if step and step not in steps_in(before):
        _copy(step_folder(folder, step), step_folder(before, step))
    for other, path in steps_in(before).items():
        if other != step:
            shutil.rmtree(path)


def go_back(folder: Path, step: int) -> None:
    """Have the last checkpoint be that of `step`, or an earlier one. Raises TrainingError: it is not kept."""
    newer = {at: path for at, path in steps_in(folder).items() if at > step}
    if not newer:
        return
    if step and step not in steps_in(folder):
        if step not in steps_in(folder / BEFORE):
            raise TrainingError(
                f"The training in {folder} is at step {max(newer)}, but its study is at step {step}.",
                "Remove the folder: its steps are then done again from what the study holds, without running anything.",
            )
        _copy(step_folder(folder / BEFORE, step), step_folder(folder, step))
    for path in newer.values():
        shutil.rmtree(path)


def prune(folder: Path) -> None:
    """Once a training has ended: the adapters that were kept stay, what it would go on from goes."""
    for path in [*steps_in(folder).values(), folder / BEFORE]:
        shutil.rmtree(path, ignore_errors=True)
    for path in [*folder.glob(".partial-*"), *best_folder(folder).glob(".partial-*")]:
        shutil.rmtree(path, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Files of a checkpoint are never changed, so that both may have the same."""
    with whole_folder(target) as beside:
        shutil.copytree(source, beside, dirs_exist_ok=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without them
        shutil.copy2(source, target)
