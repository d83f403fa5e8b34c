"""Prompt files: the shipped one, the user's own, and what filling never does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow import prompts
from autoflow.errors import SettingsError
from autoflow.prompts import Prompt, fill, list_prompts, load


def _prompt(text: str) -> Prompt:
    found = tuple(dict.fromkeys(prompts._PLACEHOLDER.findall(text)))
    return Prompt("generate", "task", text, Path("own.md"), Path("own.md"), found)


def _replace(home: Path, content: bytes) -> Path:
    path = home / "prompts" / "generate" / "task.md"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_every_shipped_prompt_loads_and_says_where_it_may_be_replaced(home: Path) -> None:
    found = list_prompts()
    assert {p.area for p in found} >= {"generate"}
    for prompt in found:
        assert prompt.text.strip()
        assert not prompt.replaced
        assert prompt.replacement == home / "prompts" / prompt.area / f"{prompt.name}.md"


def test_a_file_of_the_user_takes_the_place_of_the_shipped_one_at_once(home: Path) -> None:
    assert "Only this" not in load("generate", "task").text
    path = _replace(home, "\ufeffOnly this: {{objective}}".encode())
    prompt = load("generate", "task")
    assert prompt.replaced
    assert prompt.path == path
    assert fill(prompt, objective="tea", inputs="unused") == "Only this: tea"


def test_an_unknown_placeholder_names_the_file_and_itself_and_what_is_known(home: Path) -> None:
    path = _replace(home, b"{{objektive}}")
    with pytest.raises(SettingsError) as raised:
        fill(load("generate", "task"), objective="tea")
    assert str(path) in raised.value.message
    assert "{{objektive}}" in raised.value.message
    assert "{{objective}}" in raised.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a\x80"])
def test_a_file_that_is_no_text_is_named(home: Path, content: bytes) -> None:
    path = _replace(home, content)
    with pytest.raises(SettingsError, match="cannot be read") as raised:
        load("generate", "task")
    assert str(path) in raised.value.message


def test_a_folder_in_place_of_the_file_is_named(home: Path) -> None:
    (home / "prompts" / "generate" / "task.md").mkdir(parents=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        load("generate", "task")


@pytest.mark.parametrize(("area", "name"), [("nowhere", "task"), ("generate", "../../errors"), ("generate", "nothing")])
def test_only_prompts_that_exist_are_loaded(area: str, name: str) -> None:
    with pytest.raises(SettingsError, match="no prompt"):
        load(area, name)


@given(st.text())
def test_a_value_never_acts_as_a_placeholder(noise: str) -> None:
    value = f"{{{{b}}}} {noise} \\1 {{{{a}}}}"
    assert fill(_prompt("<{{a}}|{{ b }}>"), a=value, b="B") == f"<{value}|B>"


def test_braces_that_are_no_placeholder_stay() -> None:
    assert fill(_prompt('{"a": {{A}} {{}} {x}} {{{a}}}'), a="1") == '{"a": {{A}} {{}} {x}} {1}'
