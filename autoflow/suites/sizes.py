"""Sizes of splits that a table of people has room for."""

from __future__ import annotations

from collections.abc import Mapping

from autoflow.errors import SettingsError
from autoflow.study import SPLITS, Split

USUAL: Mapping[Split, int] = {"train": 8, "val": 12, "test": 24}


def fit_sizes(rows: int, wanted: Mapping[Split, int] = USUAL) -> dict[Split, int]:
    """`wanted` where there are rows enough, else about the same shares of what there is.

    Each split that is wanted at all gets a row before another gets its second; where there are too few for that, the
    test goes without first: what cannot be learned from and selected by needs no measuring.

    Args:
        rows: that can be used.
    Raises SettingsError: fewer rows than train and val need, which is one each.
    """
    asked = {split: max(0, wanted.get(split, 0)) for split in SPLITS}
    total = sum(asked.values())
    if total <= rows:
        return asked
    order = [split for split in SPLITS if asked[split]]
    if rows < sum(split != "test" for split in order) or rows < 1:
        raise SettingsError(_too_few(rows), _MORE)
    found: dict[Split, int] = {split: int(n < rows) for n, split in enumerate(order)}
    while sum(found.values()) < rows:  # one row at a time to the split that is the furthest behind its share
        behind = max(order, key=lambda split: asked[split] / total - found[split] / rows)
        found[behind] += 1
    return {split: found.get(split, 0) for split in SPLITS}


_MORE = "Add rows to the table, or have a model propose examples of the task and correct them."


def _too_few(rows: int) -> str:
    if rows == 0:
        return "The table has no row that can be used."
    return "The table has one row that can be used. A search needs two at least: one to learn from, one to select by."
