"""Splits: disjoint, by seed, with about the same share of every kind."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.records import Task
from autoflow.suites.base import SPLITS, SuiteTask, split_tasks
from autoflow.suites.openagi import OpenAGIPlanSuite

sizes = st.fixed_dictionaries({split: st.integers(0, 20) for split in SPLITS})


def made(count: int, kinds: int = 3) -> list[SuiteTask]:
    return [SuiteTask(f"t{n}", Task(id=f"t{n}", objective="x"), (f"kind {n % kinds}",)) for n in range(count)]


@given(sizes, st.integers(0, 10**6))
def test_splits_have_their_sizes_and_share_no_task(sizes: dict[str, int], seed: int) -> None:
    found = split_tasks(made(60), sizes, seed, stratum=lambda t: t.tags)  # type: ignore[arg-type]
    assert {split: len(tasks) for split, tasks in found.items()} == sizes
    ids = [task.id for tasks in found.values() for task in tasks]
    assert len(set(ids)) == len(ids)
    assert found == split_tasks(made(60), sizes, seed, stratum=lambda t: t.tags)  # type: ignore[arg-type]


@given(st.integers(0, 10**6))
def test_every_split_holds_every_kind_in_its_share(seed: int) -> None:
    found = split_tasks(made(90), {"train": 9, "val": 30, "test": 51}, seed, stratum=lambda t: t.tags)
    for tasks in found.values():
        counts = Counter(task.tags for task in tasks)
        assert len(counts) == 3
        assert max(counts.values()) - min(counts.values()) <= 2


def test_another_seed_gives_other_splits() -> None:
    assert OpenAGIPlanSuite(seed=0).tasks("test") != OpenAGIPlanSuite(seed=1).tasks("test")


def test_more_tasks_than_there_are_is_told() -> None:
    with pytest.raises(SettingsError, match="ask for 186 tasks, but there are 185"):
        OpenAGIPlanSuite(sizes={"train": 100, "val": 50, "test": 36})


async def test_the_plan_suite_scores_what_an_answer_names() -> None:
    suite = OpenAGIPlanSuite(sizes={"train": 185})
    task = next(t for t in suite.tasks("train") if t.id == "openagi-1")
    found = await suite.score(task, "Image Denoising, then Image Deblurring")
    assert found.value == pytest.approx(3 / 4)
    assert found.parts == {"overlap": pytest.approx(2 / 3), "exact": 0.0, "valid": 1.0}
    assert found.expected == "Image Denoising, Image Deblurring, Colorization"
    assert "Colorization" in task.task.listed_tools
    assert task.task.tools == ()
