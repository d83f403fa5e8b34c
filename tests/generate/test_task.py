"""What the generator is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.generate.task import OBJECTIVE_BYTES, first_messages, repair_message, shorten
from autoflow.lang.diagnostics import Diagnostic
from autoflow.llm.base import ToolSpec
from autoflow.records import TaskInput

CALCULATOR = ToolSpec("calculator", "Computes\nan expression.", {"type": "object"})


def _asked(
    objective: str = "Make tea", inputs: list[TaskInput] | None = None, tools: list[ToolSpec] | None = None
) -> str:
    system, user = first_messages(objective, inputs or [], tools or [], 3, 8)
    assert (system.role, user.role) == ("system", "user")
    return user.content


def test_the_task_names_objective_inputs_with_kinds_tools_and_the_number_of_steps() -> None:
    inputs = [TaskInput(name="mail", text="SECRET CONTENT"), TaskInput(name="photo", kind="image", sha256="0")]
    asked = _asked("Decide on it", inputs, [CALCULATOR])
    assert "Decide on it" in asked
    assert "- mail (text)\n- photo (image)" in asked
    assert "- calculator: Computes an expression." in asked
    assert "3 to 8 steps" in asked
    assert "SECRET CONTENT" not in asked


def test_what_is_missing_is_said() -> None:
    assert _asked("  ").count("(none") == 3


def test_the_part_that_never_changes_comes_first() -> None:
    one, other = first_messages("a", [], [], 2, 3)[0], first_messages("b", [], [CALCULATOR], 4, 9)[0]
    assert one == other
    assert ":::" in one.content


@pytest.mark.parametrize("unit", ["x", "word ", "日本", "👩‍👩‍👧", "\ud800", "{{objective}} "])
def test_a_huge_objective_keeps_its_beginning_and_end_and_says_what_is_left_out(unit: str) -> None:
    asked = _asked("FIRST " + unit * 100_000 + " LAST")
    assert len(asked.encode()) < OBJECTIVE_BYTES + 1_000
    assert "FIRST " in asked
    assert " LAST" in asked
    assert "characters are left out here" in asked


def test_many_inputs_and_tools_stay_within_bounds() -> None:
    inputs = [TaskInput(name=f"{i} " + "n" * 190) for i in range(1_000)]
    tools = [ToolSpec(f"tool{i}", "d" * 10_000, {}) for i in range(1_000)]
    assert len(_asked("x", inputs, tools)) < 6_000


@given(st.text(max_size=300), st.integers(9, 200))
def test_shorten_keeps_short_texts_and_bounds_long_ones(text: str, limit: int) -> None:
    found = shorten(text, limit)
    data = text.encode("utf-8", "replace")
    if len(data) + sum(byte > 127 for byte in data) <= limit:
        assert found == data.decode()
    else:
        head, tail = found.split("\n[... ")[0], found.rsplit(" ...]\n")[-1]
        assert len(head.encode()) + len(tail.encode()) <= limit
        assert data.decode().startswith(head)
        assert data.decode().endswith(tail)


def test_a_repair_shows_the_errors_with_their_lines_and_no_more_than_a_dozen() -> None:
    lines = [f"Step {i}:::proces:::x:::next::Step 0" for i in range(1, 21)]
    found = [Diagnostic("unknown-type", "error", i, 1, 2, f"fault {i}.", "a hint") for i in range(1, 21)]
    found.append(Diagnostic("unreachable", "warning", 3, 1, 2, "only a warning"))
    asked = repair_message(found, "\n".join(lines), 3, 8).content
    assert "- line 1: fault 1.; a hint. In the line: Step 1:::proces:::x:::next::Step 0" in asked
    assert "fault 12." in asked
    assert "fault 13." not in asked
    assert "and 8 more" in asked
    assert "only a warning" not in asked


def test_a_diagnostic_without_a_line_of_its_own_is_shown_too() -> None:
    asked = repair_message([Diagnostic("no-steps", "error", 1, 1, 1, "There is no step.")], "", 3, 8).content
    assert "There is no step." in asked


def test_a_faulty_prompt_of_the_user_is_told_by_file_and_placeholder(home: Path) -> None:
    path = home / "prompts" / "generate" / "task.md"
    path.parent.mkdir(parents=True)
    path.write_text("Do {{objectives}}", "utf-8")
    with pytest.raises(SettingsError, match="objectives") as raised:
        first_messages("x", [], [], 3, 8)
    assert str(path) in raised.value.message
