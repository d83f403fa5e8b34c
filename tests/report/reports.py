"""Reports of studies in a store."""

from __future__ import annotations

from autoflow.report.comparison import ComparisonReport
from autoflow.report.load import load_comparison
from autoflow.store import SqlStore
from autoflow.study import Split, Study


def report_of(store: SqlStore, study: Study, a: int = 0, b: int = 1, split: Split = "val") -> ComparisonReport:
    return load_comparison(store, study.id, a, b, split)
