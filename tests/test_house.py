"""Rules of the house that no other tool checks: sizes, walls between rooms, start-up weight, what may not be said."""

from __future__ import annotations

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = sorted((ROOT / "autoflow").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
LONGEST_PAGE = 120
LONGEST_FUNCTION = 50
ONE_FILE_EACH = ("openai", "xllamacpp", "ray")


def imports_of(path: Path) -> set[str]:
    """Top-level names of all packages that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", ONE_FILE_EACH)
def test_a_vendors_sdk_stays_in_one_file(package: str) -> None:
    users = [str(p.relative_to(ROOT)) for p in LIBRARY + PAGES if package in imports_of(p)]
    assert len(users) <= 1, users


def test_the_library_knows_no_screen() -> None:
    assert [p for p in LIBRARY if "streamlit" in imports_of(p)] == []


def test_only_settings_reads_the_environment() -> None:
    readers = [p.name for p in LIBRARY if re.search(r"os\.(environ|getenv)", p.read_text("utf-8"))]
    assert set(readers) <= {"settings.py"}, readers


def test_pages_are_thin() -> None:
    long = [p.name for p in (ROOT / "pages").glob("*.py") if len(p.read_text("utf-8").splitlines()) > LONGEST_PAGE]
    assert long == []


def test_functions_are_short() -> None:
    """A function over the limit needs a comment `long:` with its reason in its first lines."""
    long = []
    for path in LIBRARY + PAGES:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                reason = "# long:" in "\n".join(text.splitlines()[node.lineno - 2 : node.lineno + 3])
                if length > LONGEST_FUNCTION and not reason:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({length})")
    assert long == []


def test_model_text_is_never_html() -> None:
    html = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write")
    users = [p for p in PAGES if "unsafe_allow_html" in p.read_text("utf-8")]
    users += [p for p in (ROOT / "pages").rglob("*.js") if html.search(p.read_text("utf-8"))]
    assert users == []


def test_nothing_is_unpickled() -> None:
    assert [p for p in LIBRARY + PAGES if imports_of(p) & {"pickle", "cloudpickle", "dill", "shelve", "marshal"}] == []


def test_importing_the_library_loads_nothing_heavy() -> None:
    heavy = ("openai", "torch", "transformers", "sqlalchemy", "streamlit", "xllamacpp", "mcp")
    code = f"import sys, autoflow; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_requirements_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
        loose = [line for line in lines if line and not line.startswith("-r ") and "==" not in line]
        assert loose == []


def test_every_setting_of_the_app_is_commented() -> None:
    lines = (ROOT / ".streamlit" / "config.toml").read_text().splitlines()
    server = lines[lines.index("[server]") : lines.index("[theme]")]
    pairs = itertools.pairwise(server)
    bare = [line for above, line in pairs if "=" in line and not line.startswith("#") and not above.startswith("#")]
    assert bare == []
