"""The list of adapters: what is known of each, what is wrong with it in words, renaming and removing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelNotFound, SettingsError
from autoflow.llm.local.choices import embedded_name, local_base, local_models
from autoflow.llm.local.shelf import Adapter, find_adapter, list_adapters, look_at, remove_adapter, rename_adapter
from tests.llm.model_files import gguf
from tests.llm.tiny import make_adapter, make_tiny

ORIGIN = {"study": "st_0123456789ab", "study_name": "Refunds", "step": 12, "reward": 0.5, "created_at": 1.0}
Spoil = Callable[[Path], object]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def folder(home: Path, tiny: Path) -> Path:
    """An adapter as a study leaves it."""
    made = make_adapter(home / "adapters" / "first", tiny)
    origin(made, base=f"local:{tiny}", **ORIGIN)
    return made


def origin(folder: Path, **told: Any) -> None:
    (folder / "autoflow.json").write_text(json.dumps(told), "utf-8")


def config(folder: Path, **changes: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def cut(folder: Path) -> None:
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def the_one() -> Adapter:
    (found,) = list_adapters()
    return found


def test_without_a_folder_of_adapters_there_are_none(home: Path) -> None:
    assert list_adapters() == []


def test_an_adapter_tells_what_it_is_and_where_it_came_from(folder: Path, tiny: Path) -> None:
    found = the_one()
    assert (found.name, found.problem, found.whole) == ("first", "", True)
    assert found.model == f"local:{tiny}+first"
    assert (found.rank, found.alpha, found.targets) == (4, 8, ("q_proj", "v_proj"))
    assert found.size == (folder / "adapter_model.safetensors").stat().st_size
    assert (found.origin.study, found.origin.step, found.origin.reward) == ("st_0123456789ab", 12, 0.5)
    assert find_adapter("first") == find_adapter(found.model) == found


@pytest.mark.parametrize(
    ("spoil", "words", "whole"),
    [
        (lambda f: (f / "adapter_config.json").unlink(), "has no file adapter_config.json", False),
        (lambda f: (f / "adapter_model.safetensors").unlink(), "has no file adapter_model.safetensors", False),
        (cut, "damaged or incomplete: it has", False),
        (lambda f: (f / "adapter_model.safetensors").write_bytes(b"\x80\x04 no tensors"), "damaged", False),
        (lambda f: (f / "adapter_config.json").write_text("{"), "cannot be read", False),
        (lambda f: (f / "adapter_config.json").write_text("[" * 100_000), "cannot be read", False),
        (lambda f: (f / "adapter_config.json").write_text("[]"), "holds no configuration", False),
        (lambda f: config(f, peft_type="IA3"), "of type IA3", False),
        (lambda f: (f / "autoflow.json").write_text("{"), "autoflow.json cannot be read", False),
        (lambda f: (f / "autoflow.json").write_text(" " * (2 << 20)), "autoflow.json cannot be read", False),
        (lambda f: origin(f, base="local:smollm3"), "catalogue knows no model smollm3", True),
        (lambda f: origin(f, base="local:/no/such/model"), "no folder or file /no/such/model", True),
        (lambda f: origin(f, base="local:/no/such/model.gguf"), "no longer there", True),
        (lambda f: origin(f, base="local:smollm2-135m+other"), "which is none", True),
        (lambda f: origin(f, base="openai:gpt-5"), "which is none", True),
        (lambda f: origin(f, base="local:all-minilm-l6-v2"), "cannot be talked to", True),
        (lambda f: origin(f, base=""), "Nothing in it says which base", True),
    ],
)
def test_what_is_wrong_is_told_and_the_adapter_cannot_be_chosen(
    folder: Path, spoil: Spoil, words: str, whole: bool
) -> None:
    spoil(folder)
    found = the_one()
    assert words in found.problem
    assert (found.whole, found.model) == (whole, "")
    assert local_models(()) == []


def test_a_folder_whose_name_is_none_is_told_and_others_are_listed(folder: Path) -> None:
    (folder.parent / "not a name").mkdir()
    (folder.parent / ".partial-second").mkdir()
    (folder.parent / "a file").write_text("")
    assert [(a.name, bool(a.problem)) for a in list_adapters()] == [("first", False), ("not a name", True)]


def test_numbers_that_are_none_are_not_told(folder: Path) -> None:
    config(folder, r="many", lora_alpha=None, target_modules="all-linear")
    assert (the_one().rank, the_one().alpha, the_one().targets) == (None, None, ("all-linear",))


@pytest.mark.parametrize("told", [{"step": 3, "later": [1]}, {"step": "x"}])
def test_fields_of_another_version_are_passed_over_and_wrong_ones_told(folder: Path, tiny: Path, told: Any) -> None:
    origin(folder, base=f"local:{tiny}", **told)
    found = the_one()
    assert (found.origin.step, bool(found.problem)) == ((3, False) if told["step"] == 3 else (None, True))


def test_an_adapter_put_there_by_hand_is_asked_on_the_base_that_peft_was_told(folder: Path, tiny: Path) -> None:
    (folder / "autoflow.json").unlink()
    assert the_one().model == f"local:{tiny}+first"
    for told, base in [("Qwen/Qwen2.5-0.5B-Instruct", "local:Qwen/Qwen2.5-0.5B-Instruct"), ("/gone/away", "")]:
        config(folder, base_model_name_or_path=told)
        assert the_one().origin.base == base


def test_a_base_unpacked_from_the_catalogue_is_known_by_its_name(folder: Path, home: Path) -> None:
    (folder / "autoflow.json").unlink()
    config(folder, base_model_name_or_path=str(home / "models" / "smollm2-135m" / "safetensors-0123"))
    assert the_one().model == "local:smollm2-135m+first"


def test_renamed_it_is_found_by_the_new_name_alone(folder: Path) -> None:
    assert rename_adapter("first", "second").name == "second"
    assert [a.name for a in list_adapters()] == ["second"]
    with pytest.raises(ModelNotFound, match="no adapter first"):
        rename_adapter("first", "third")


@pytest.mark.parametrize("new", ["../up", "", "a b", ".hidden", "x" * 65, "first"])
def test_a_name_that_leads_elsewhere_or_is_taken_is_refused(folder: Path, new: str) -> None:
    with pytest.raises(SettingsError):
        rename_adapter("first", new)
    assert the_one().name == "first"


def test_removed_it_is_gone_and_nothing_is_left(folder: Path, tiny: Path) -> None:
    remove_adapter("first")
    assert list(folder.parent.iterdir()) == []
    assert tiny.is_dir()


def test_a_damaged_one_and_a_link_can_be_removed(folder: Path, tmp_path: Path) -> None:
    cut(folder)
    other = folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(other)
    remove_adapter("first")
    assert not folder.is_symlink()
    assert (other / "adapter_config.json").is_file(), "what a link leads to is not ours"


@pytest.mark.parametrize("name", ["", ".", "..", "../adapters/first", "/", "first/.."])
def test_nothing_else_is_ever_removed(folder: Path, name: str) -> None:
    with pytest.raises(ModelNotFound):
        remove_adapter(name)
    assert the_one().name == "first"


def test_bases_that_are_here_can_be_chosen_with_what_they_take(home: Path, own_model: Callable[..., Any]) -> None:
    entry = own_model("mine", gguf())
    base = local_base(entry)
    assert base is not None
    assert (base.name, base.memory, base.disk, base.problem) == ("local:mine", 2 * 64 * 4, 2 * 64 * 2, "")
    assert local_models([entry]) == ["local:mine"]


def test_bases_that_cannot_run_so_say_why(home: Path, own_model: Callable[..., Any]) -> None:
    for name, data, words in [
        ("rare", gguf(architecture="jamba"), "reads no GGUF file of jamba"),
        ("plain", gguf(template=None), "without a chat template"),
    ]:
        base = local_base(own_model(name, data))
        assert base is not None
        assert words in base.problem
        assert local_models([own_model(name + "2", data)]) == []


def test_llama_cpp_is_offered_where_it_reads_base_and_adapter(
    folder: Path, tiny: Path, own_model: Callable[..., Any]
) -> None:
    assert embedded_name(the_one()) == "", "its base is no GGUF file"
    own_model("mine", gguf())
    origin(folder, base="local:mine")
    assert embedded_name(the_one()) == "embedded:mine+first"
    assert local_models(()) == ["local:mine+first", "embedded:mine+first"]
    own_model("falcon", gguf(architecture="falcon"))
    origin(folder, base="local:falcon")
    assert (the_one().model, embedded_name(the_one())) == ("local:falcon+first", "")


@pytest.fixture
def own_model(home: Path, tmp_path: Path) -> Callable[..., Any]:
    """Add a GGUF file of the user's to the catalogue."""
    from autoflow.llm.catalogue import add_file

    def add(name: str, data: bytes) -> Any:
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(data)
        return add_file(path, name)

    return add


def test_looking_never_raises(folder: Path) -> None:
    assert look_at(folder.parent / "nowhere").problem
    folder.chmod(0o755)
    assert look_at(folder).problem == ""
