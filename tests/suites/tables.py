"""Saved suites without a database, for tests of what opens them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoflow.study import SavedSuite, SuiteSpec
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row


def saved(rows: Sequence[Row], scorer: str = "exact", options: dict[str, Any] | None = None) -> SavedSuite:
    return SavedSuite(id="su_000000000000", name="Mails", body=suite_body(rows, scorer, options))


def spec(train: int = 1, val: int = 1, test: int = 1, seed: int = 0) -> SuiteSpec:
    return SuiteSpec(
        name="table", seed=seed, train=train, val=val, test=test, options={"suite": "su_000000000000"}
    )  # fmt: skip


def numbered(count: int, **more: Any) -> list[Row]:
    return [Row(f"What is {n} + 1?", {}, str(n + 1), row=n + 2, **more) for n in range(count)]
