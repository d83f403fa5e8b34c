"""Adapters on the command line: listed, exported, renamed, removed; and asked wherever a model is asked."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoflow.lang import has_errors, parse
from autoflow.llm.local.engine import forget_engines
from autoflow.store import open_store
from tests.cli.conftest import Cli
from tests.grids import script
from tests.llm.tiny import make_adapter, make_tiny


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield make_tiny(tmp_path_factory.mktemp("base"), context=32_768, terse=True)
    forget_engines()


@pytest.fixture
def model(home: Path, tiny: Path) -> str:
    """An adapter as a study leaves it."""
    folder = make_adapter(home / "adapters" / "mine", tiny)
    told = {
        "base": f"local:{tiny}",
        "study": "st_0123456789ab",
        "study_name": "Re\x1b[31mfunds",
        "step": 7,
        "reward": 0.25,
    }
    (folder / "autoflow.json").write_text(json.dumps(told), "utf-8")
    return f"local:{tiny}+mine"


def test_adapters_are_listed_with_where_they_came_from(cli: Cli, model: str, home: Path) -> None:
    (home / "adapters" / "half").mkdir()
    told = {a["name"]: a for a in cli("models", "list", "--json").json["adapters"]}
    assert (told["mine"]["model"], told["mine"]["step"], told["mine"]["problem"]) == (model, 7, "")
    assert (told["half"]["model"], "adapter_config.json" in told["half"]["problem"]) == ("", True)
    shown = cli("models", "list").out
    assert "from the study Re [31mfunds, after step 7, reward 0.25" in shown
    assert "unusable" in shown


@pytest.mark.parametrize("name", ["mine", None])
def test_an_adapter_is_exported_where_it_is_asked(
    cli: Cli, model: str, name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = cli("models", "export", name or model, "--json")
    assert found.code == 0, found.err
    assert found.json == {"name": "mine", "form": "peft", "path": str(tmp_path / "mine.zip")}
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert archive.read("mine/README.md").decode().startswith("---\n")
    assert cli("models", "export", "mine", "--as", "gguf", "--to", "deep/a.gguf").code == 0
    assert Path("deep/a.gguf").read_bytes()[:4] == b"GGUF"
    assert cli("models", "export", "mine", "--as", "merged").out == f"{tmp_path / 'mine-merged'}\n"
    again = cli("models", "export", "mine", "--as", "merged")
    assert (again.code, "holds other things" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "mine", "--as", "onnx"), "There is no form onnx"),
        (("export", "nobody"), "no adapter nobody"),
        (("rename", "mine", "../up"), "no name for an adapter"),
        (("rename", "nobody", "new"), "no adapter nobody"),
        (("remove", "local:base+nobody"), "no adapter nobody"),
        (("remove", "nobody"), "catalogue knows no model nobody"),
    ],
)
def test_what_cannot_be_is_told(cli: Cli, model: str, arguments: tuple[str, ...], words: str) -> None:
    found = cli("models", *arguments)
    assert found.code != 0
    assert words in found.err


def test_an_adapter_from_elsewhere_is_told_its_base(cli: Cli, model: str, home: Path, tiny: Path) -> None:
    folder = home / "adapters" / "mine"
    (folder / "autoflow.json").unlink()
    config = json.loads((folder / "adapter_config.json").read_text()) | {"base_model_name_or_path": "/gone"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    assert cli("models", "list", "--json").json["adapters"][0]["model"] == ""
    assert cli("models", "base", "mine", "local:/nowhere/at/all").code == 2
    told = cli("models", "base", "mine", str(tiny), "--json")
    assert told.json["model"] == model


def test_renamed_and_removed_it_is_gone(cli: Cli, model: str, home: Path) -> None:
    renamed = cli("models", "rename", "mine", "ours")
    assert (renamed.code, "+ours" in renamed.out) == (0, True)
    assert cli("models", "rename", model.replace("+mine", "+ours"), "mine", "--json").json["name"] == "mine"
    assert cli("models", "remove", model).code == 0
    assert cli("models", "list", "--json").json["adapters"] == []
    assert not (home / "adapters" / "mine").exists()


def test_a_model_of_the_catalogue_is_meant_before_an_adapter_of_its_name(cli: Cli, model: str, home: Path) -> None:
    (home / "adapters" / "mine").rename(home / "adapters" / "smollm2-135m")
    assert cli("models", "remove", "smollm2-135m").code == 0
    assert (home / "adapters" / "smollm2-135m").is_dir()
    assert cli("models", "remove", "local:x+smollm2-135m").code == 0
    assert not (home / "adapters" / "smollm2-135m").exists()


def test_it_writes_workflows(cli: Cli, model: str, tmp_path: Path) -> None:
    asked = ("generate", "Answer the mail", "--steps", "3", "--json", "--model")
    found = cli(*asked, model)
    assert found.code == 0, found.err
    (draft,) = found.json["drafts"]
    assert (draft["constrained"], draft["strength"]) == (True, "grammar")
    assert not has_errors(parse(draft["text"]).diagnostics)
    bare = cli(*asked, model.removesuffix("+mine"))
    assert bare.json["drafts"][0]["text"] != draft["text"], "the adapter is asked, not the base"


def test_a_relative_path_is_asked_from_anywhere(
    cli: Cli, model: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autoflow.cli.llms import model_name

    monkeypatch.chdir(tiny.parent)
    assert model_name(f"local:{tiny.name}+mine") == model
    assert model_name("local:smollm2-135m+mine") == "local:smollm2-135m+mine"
    assert model_name(f"local:{os.path.relpath(tiny)}") == f"local:{tiny}"


def test_it_generates_in_a_search(cli: Cli, model: str, tmp_path: Path) -> None:
    interpreter = script(tmp_path / "i.jsonl")
    found = cli(
        "optimize", "--suite", "openagi-plan", "--train", "1", "--val", "1", "--test", "1", "--rounds", "1", "--method",
        "in-context", "--option", "drafts=1", "--option", 'operators=["rewrite"]', "--generator", model,
        "--interpreter", interpreter, "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    store = open_store()
    study = store.get_study(found.json["study"])
    written = [c for c in store.study_candidates(study.id) if c.round]
    assert study.spec.generator == model
    assert [c.operator for c in written] == ["rewrite"]
    assert written[0].totals.calls, "it was asked"


def test_it_generates_in_a_benchmark(cli: Cli, model: str, tmp_path: Path) -> None:
    interpreter = script(tmp_path / "i.jsonl")
    found = cli(
        "benchmark", "--generator", model, "--interpreter", interpreter, "--method", "paper", "--rounds", "1",
        "--train", "1", "--val", "1", "--test", "1", "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    assert [cell["state"] for cell in found.json["cells"]] == ["done"]
    assert any(line["generator"] == model for line in found.json["lines"])
