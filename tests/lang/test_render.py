"""Diagnostics as a terminal shows them."""

from __future__ import annotations

import re

import pytest

from autoflow.lang import parse, render
from autoflow.lang.render import WIDTH


def carets(text: str, slug: str) -> tuple[str, str]:
    """The source line and the caret line of the first finding of this slug."""
    block = next(b for b in render(parse(text), "x.core").split("\n\n") if f"[{slug}]" in b)
    source, marks = block.split("\n")[1:3]
    return source, marks


def test_a_block_is_place_message_line_caret_and_hint() -> None:
    text = (
        "Step 1:::process:::List the models.:::next::Step 2\n"
        "Step 2:::decision:::Is every model in the list?:::Yes::Step 5::No::Step 1\n"
        "Step 3:::terminal:::Stop.:::\n"
    )
    assert render(parse(text), "plan.core") == (
        "plan.core:2:56: error[unknown-target] branch `Yes` goes to `Step 5`, which does not exist\n"
        "2 | Step 2:::decision:::Is every model in the list?:::Yes::Step 5::No::Step 1\n"
        "  |                                                        ^^^^^^\n"
        "hint: steps are `Step 1`, `Step 2`, `Step 3`; did you mean `Step 3`?\n"
    )


@pytest.mark.parametrize(
    ("name", "columns"),
    [("A", 1), ("段落", 4), ("e\u0301", 1), ("🙂", 2), ("\u200bA", 1), ("ｱ", 1), ("Ａ", 2)],
)
def test_the_caret_stands_under_its_range_in_terminal_columns(name: str, columns: int) -> None:
    source, marks = carets(f"{name}:::process:::Do.:::next::Nowhere\nEnd:::terminal:::Stop.:::\n", "unknown-target")
    assert marks == "  | " + " " * (columns + len(":::process:::Do.:::next::")) + "^" * len("Nowhere")
    assert source.endswith("next::Nowhere")


def test_a_tab_is_shown_up_to_its_stop() -> None:
    source, marks = carets("A\tb:::process:::Do.:::next::Nowhere\nEnd:::terminal:::Stop.:::\n", "unknown-target")
    assert source.startswith("1 | A   b:::process")
    assert marks.index("^") == source.index("Nowhere")


def test_control_characters_of_a_text_reach_no_terminal() -> None:
    text = "A:::process:::Do \x1b[31mred\x07\r:::next::\x1b]0;x\x07\nEnd:::terminal:::Stop.:::\n"
    shown = render(parse(text), "evil\x1b.core")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


def test_a_long_line_is_cut_around_the_range() -> None:
    text = f"A:::process:::{'x' * 100_000}:::next::Nowhere\nEnd:::terminal:::{'y' * 100_000}"
    source, marks = carets(text, "unknown-target")
    assert len(source) < WIDTH + 20
    assert source.startswith("1 | ... xxx")
    assert source[marks.index("^") : marks.index("^") + 7] == "Nowhere"
    source, marks = carets(text, "missing-branches")
    assert source.endswith(" ...")
    assert len(marks) <= len(source)


def test_colour_changes_nothing_but_colour() -> None:
    result = parse("A:::proces:::Do.:::next::B\nprose\nB:::terminal:::Stop.")
    coloured = render(result, "x.core", colour=True)
    assert "\033[1;31merror" in coloured
    assert "\033[1;33mwarning" in coloured
    assert re.sub("\033\\[[0-9;]*m", "", coloured) == render(result, "x.core")


def test_nothing_is_rendered_where_nothing_was_found() -> None:
    assert render(parse("A:::terminal:::Stop.:::\n"), "x.core") == ""


def test_an_empty_text_has_no_line_to_show() -> None:
    assert render(parse(""), "x.core").startswith("x.core:1:1: error[no-steps]")
