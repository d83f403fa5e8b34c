"""Which tools a run gets: built-in ones, the user's modules, by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autoflow.errors import SettingsError, UnknownTool
from autoflow.settings import settings
from autoflow.tools import local_tools, open_toolbox, tool

GOOD = '''
from autoflow.tools import tool

@tool
def shout(text: str) -> str:
    """Says it louder."""
    return text.upper()

again = shout  # a second name is no second tool
'''


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the Python path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def use(monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    monkeypatch.setenv("AUTOFLOW_TOOLS", names)
    settings.cache_clear()


async def test_builtin_tools_are_always_there() -> None:
    async with open_toolbox() as toolbox:
        names = [spec.name for spec in toolbox.specs]
    assert names[:5] == ["calculator", "current_date", "lookup", "read_file", "json_query"]
    assert len(names) == 5 + 15, "after them the expert tools"
    assert toolbox.problems == ()


async def test_tools_of_the_users_modules_are_found(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (modules / "af_good_tools.py").write_text(GOOD)
    use(monkeypatch, " af_good_tools , ")
    async with open_toolbox(["shout", "calculator"]) as toolbox:
        assert [(t.name, t.source) for t in toolbox.tools] == [
            ("shout", "python:af_good_tools"), ("calculator", "builtin"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "`af_bad_tools`, which cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit"),
        ("def broken(:", "cannot be imported: SyntaxError"),
        ("1/0", "cannot be imported: ZeroDivisionError"),
        ("x = 1", "holds no tool"),
        ("from autoflow.tools.builtin import calculator, BUILTIN\ncalculator = BUILTIN[0]", "holds no tool"),
        (
            "from autoflow.tools import tool\n@tool\ndef calculator() -> str:\n    return ''",
            "Two tools are named `calculator`",
        ),
    ],
)
def test_module_that_is_not_right_is_named(
    content: str | None, words: str, modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (modules / "af_bad_tools.py").write_text(content)
    use(monkeypatch, "af_bad_tools")
    monkeypatch.delitem(__import__("sys").modules, "af_bad_tools", raising=False)
    with pytest.raises(SettingsError, match=words):
        local_tools()


async def test_unknown_name_is_named_with_what_there_is() -> None:
    with pytest.raises(UnknownTool, match=r"`sing`.*calculator"):
        async with open_toolbox(["sing"]):
            pass


async def test_what_is_not_asked_for_may_be_broken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "mcp.json").write_text("{")
    async with open_toolbox(["calculator"]) as toolbox:
        assert [tool.name for tool in toolbox.tools] == ["calculator"]
    monkeypatch.setenv("AUTOFLOW_TOOLS", "no_such_module")
    settings.cache_clear()
    async with open_toolbox([]) as toolbox:
        assert toolbox.specs == ()
    with pytest.raises(SettingsError, match="no_such_module"):
        async with open_toolbox(["calculator"]):
            pass


async def test_no_names_are_no_tools() -> None:
    async with open_toolbox([]) as toolbox:
        assert toolbox.specs == ()


async def test_what_a_suite_brings_is_prepared_once_and_outside_of_a_calls_time() -> None:
    prepared: list[str] = []

    async def prepare() -> None:
        prepared.append("read")

    one, other = (replace(tool(name=name)(_nothing), prepare=prepare) for name in ("one", "other"))
    async with open_toolbox([one, "calculator", other, "one"]) as toolbox:
        assert prepared == ["read"]
        assert [spec.name for spec in toolbox.specs] == ["one", "other", "calculator"]


async def test_what_cannot_be_prepared_is_told_when_the_toolbox_is_opened() -> None:
    async def prepare() -> None:
        raise SettingsError("The data is damaged.")

    with pytest.raises(SettingsError, match="damaged"):
        async with open_toolbox([replace(tool(_nothing), prepare=prepare)]):
            pass


def _nothing() -> str:
    """Does nothing."""
    return ""
