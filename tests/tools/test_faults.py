"""The table of the docs says what AutoFlow says."""

from __future__ import annotations

import pytest

from tests.tools.faults import FAULTS, TABLE, table, told

ROWS = dict(line[2:-2].split(" | ", 1) for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| "))


@pytest.mark.parametrize("fault", FAULTS)
async def test_fault_is_told_as_the_docs_say(fault: str) -> None:
    assert ROWS[fault] == await told(fault), "write the table anew: python -m tests.tools.faults"


def test_table_holds_every_fault_and_no_other() -> None:
    rows = [(fault, ROWS[fault]) for fault in FAULTS]
    assert TABLE.read_text("utf-8") == table(rows)
