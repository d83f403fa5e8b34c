"""Adapters in other forms: what peft, transformers and GGUF's own reader make of them, and what is refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from autoflow.errors import AutoFlowError, ModelNotFound, ModelRequestError, SettingsError, StorageUnavailable
from autoflow.llm.download import Progress, Stopped
from autoflow.llm.local.export import Form, export
from autoflow.llm.local.gguf_adapter import Shape, kept_gguf, shape_of, write_gguf
from autoflow.llm.local.lora import read_lora
from autoflow.llm.local.names import find_base
from autoflow.llm.local.shelf import find_adapter
from autoflow.llm.local.tensors import Held, as_bytes, read_header, read_tensor, write_file
from tests.llm.tiny import make_adapter, make_tiny

CARD = "# The card\n"
Change = Callable[[Path], object]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def make(home: Path) -> Callable[..., Path]:
    """An adapter of random weights in the folder of adapters."""

    def made(base: Path, name: str = "first", **settings: Any) -> Path:
        folder = make_adapter(home / "adapters" / name, base, scale=0.05, **settings)
        (folder / "autoflow.json").write_text(json.dumps({"base": f"local:{base}", "study_name": "S"}), "utf-8")
        return folder

    return made


def written(form: Form, target: Path, **more: Any) -> Path:
    return export(find_adapter("first"), form, target, card=CARD, **more)


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.arange(3, 40).reshape(1, -1)).logits


def merged_by_peft(base: Path, folder: Path) -> dict[str, torch.Tensor]:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).merge_and_unload().state_dict()


def test_the_zip_is_what_peft_reads(make: Callable[..., Path], tiny: Path, tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = make(tiny)
    with zipfile.ZipFile(written("peft", tmp_path / "a.zip")) as archive:
        assert sorted(archive.namelist()) == [
            f"first/{name}"
            for name in ("README.md", "adapter_config.json", "adapter_model.safetensors", "autoflow.json")
        ]
        archive.extractall(tmp_path)
        told = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    assert str(tiny.parent) not in told, "folders of this machine are nobody's business"
    assert (tmp_path / "first" / "README.md").read_text() == CARD
    ours, theirs = (
        logits(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), at))
        for at in (folder, tmp_path / "first")
    )
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_rslora": True},
        {"rank_pattern": {"v_proj": 2}, "alpha_pattern": {r"layers\.1\.self_attn\.q_proj": 3}},
        {"target_modules": ["q_proj", "k_proj", "o_proj", "up_proj"]},
    ],
    ids=["usual", "rslora", "patterns", "other layers"],
)
def test_merged_weights_are_those_that_peft_merges(
    make: Callable[..., Path], tiny: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = make(tiny, **settings)
    target = written("merged", tmp_path / "m")
    ours, theirs = AutoModelForCausalLM.from_pretrained(target), merged_by_peft(tiny, folder)
    base = AutoModelForCausalLM.from_pretrained(tiny)
    for name, weights in ours.state_dict().items():
        torch.testing.assert_close(weights, theirs[name], rtol=1e-5, atol=1e-6)
    assert not torch.allclose(logits(ours), logits(base))
    assert AutoTokenizer.from_pretrained(target).chat_template
    assert (target / "README.md").read_text() == CARD


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_merged_model_keeps_the_bits_and_the_files_of_its_base(
    make: Callable[..., Path], tiny: Path, tmp_path: Path, dtype: torch.dtype
) -> None:
    from transformers import AutoModelForCausalLM

    half = shutil.copytree(tiny, tmp_path / "half")
    (half / "model.safetensors").unlink()
    AutoModelForCausalLM.from_pretrained(tiny).to(dtype).save_pretrained(half, max_shard_size="40KB")
    folder = make(half)
    target = written("merged", tmp_path / "m")
    files = sorted(path.name for path in half.glob("*.safetensors"))
    assert len(files) > 1
    assert sorted(path.name for path in target.glob("*.safetensors")) == files
    expected = merged_by_peft(half, folder)
    for name in files:
        for key, weights in load_file(target / name).items():
            assert weights.dtype == dtype
            torch.testing.assert_close(weights.float(), expected[key].float(), rtol=2**-8, atol=1e-6)


def test_progress_grows_to_the_end(make: Callable[..., Path], tiny: Path, tmp_path: Path) -> None:
    make(tiny)
    told: list[Progress] = []
    target = written("merged", tmp_path / "m", progress=told.append)
    done = [p.done for p in told if p.total]
    assert done == sorted(done)
    assert (told[-1].done, told[-1].total) == (done[-1],) * 2
    assert done[-1] <= (target / "model.safetensors").stat().st_size


def test_stopped_in_the_middle_nothing_is_left(make: Callable[..., Path], tiny: Path, tmp_path: Path) -> None:
    make(tiny)
    place = tmp_path / "out"
    seen: list[Progress] = []
    with pytest.raises(Stopped):
        written("merged", place / "m", progress=seen.append, cancelled=lambda: len(seen) > 4)
    assert list(place.iterdir()) == []


def test_a_folder_that_holds_something_is_replaced_only_where_that_is_asked(
    make: Callable[..., Path], tiny: Path, tmp_path: Path
) -> None:
    make(tiny)
    target = tmp_path / "mine"
    target.mkdir()
    (target / "thesis.txt").write_text("years")
    with pytest.raises(SettingsError, match="holds other things"):
        written("merged", target)
    with pytest.raises(SettingsError, match="is no file"):
        written("gguf", target)
    assert (target / "thesis.txt").read_text() == "years"
    written("merged", target, replace=True)
    assert not (target / "thesis.txt").exists()


def test_no_room_and_no_right_to_write_are_told(
    make: Callable[..., Path], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tiny)
    (tmp_path / "a file").write_text("")
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        written("peft", tmp_path / "a file" / "a.zip")
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(StorageUnavailable, match="has no room for"):
        written("merged", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_an_adapter_of_another_base_is_refused(make: Callable[..., Path], tiny: Path, tmp_path: Path) -> None:
    folder = make(make_tiny(tmp_path / "wide", hidden=64))
    (folder / "autoflow.json").write_text(json.dumps({"base": f"local:{tiny}"}))
    with pytest.raises(ModelRequestError, match="does not fit its base"):
        written("merged", tmp_path / "m")
    (folder / "autoflow.json").write_text("{}")
    with pytest.raises(ModelRequestError, match="Nothing says which base"):
        written("merged", tmp_path / "m")
    assert written("peft", tmp_path / "a.zip").is_file(), "its files are whole all the same"


def config(**changes: Any) -> Change:
    def change(folder: Path) -> None:
        path = folder / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")

    return change


def more_tensors(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    save_file(load_file(path) | {"base_model.model.lm_head.weight": torch.zeros(2, 2)}, path)


def one_half(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors.pop(next(key for key in tensors if "lora_A" in key))
    save_file(tensors, path)


def whole_numbers(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    save_file({key: tensor.to(torch.int8) for key, tensor in load_file(path).items()}, path)


@pytest.mark.parametrize("form", ["merged", "gguf"])
@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (config(use_dora=True), ModelRequestError, "DoRA"),
        (config(modules_to_save=["lm_head"]), ModelRequestError, "whole layers"),
        (config(bias="all"), ModelRequestError, "biases"),
        (config(fan_in_fan_out=True), ModelRequestError, "on their side"),
        (config(lora_alpha="much"), ModelNotFound, "cannot be read"),
        (more_tensors, ModelRequestError, "lm_head.weight, which is no matrix of a pair"),
        (one_half, ModelNotFound, "do not fit together"),
        (whole_numbers, ModelNotFound, "I8, no floats"),
    ],
)
def test_what_would_be_copied_in_part_only_is_refused(
    make: Callable[..., Path], tiny: Path, tmp_path: Path, change: Change, kind: type[AutoFlowError], words: str,
    form: Form,
) -> None:  # fmt: skip
    change(make(tiny))
    with pytest.raises(kind, match=words):
        written(form, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def tensors_of(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    return {t.name: t.data for t in reader.tensors}, {name: f.contents() for name, f in reader.fields.items()}


def test_a_gguf_file_holds_both_matrices_by_llama_cpps_names(
    make: Callable[..., Path], tiny: Path, tmp_path: Path
) -> None:
    folder = make(tiny)
    tensors, fields = tensors_of(written("gguf", tmp_path / "a.gguf"))
    told = {name: value for name, value in fields.items() if not name.startswith("GGUF.")}
    assert told == {
        "general.architecture": "llama", "general.type": "adapter", "general.name": "first", "adapter.type": "lora",
        "adapter.lora.alpha": 8.0, "general.description": CARD,
    }  # fmt: skip
    assert sorted(tensors) == sorted(
        f"blk.{n}.attn_{m}.weight.lora_{half}" for n in (0, 1) for m in "qv" for half in "ab"
    )
    peft = load_file(folder / "adapter_model.safetensors")
    for n in (0, 1):
        for module in "qv":
            key = f"base_model.model.model.layers.{n}.self_attn.{module}_proj"
            a, b = (peft[f"{key}.lora_{half}.weight"].numpy() for half in "AB")
            np.testing.assert_array_equal(tensors[f"blk.{n}.attn_{module}.weight.lora_a"], a)
            ours = tensors[f"blk.{n}.attn_{module}.weight.lora_b"]
            assert np.array_equal(ours, b) == (module == "v"), "q is reordered, v is not"


@pytest.mark.parametrize(("module", "heads"), [("q_proj", 4), ("k_proj", 2)])
def test_rows_are_reordered_as_transformers_undoes_it(
    make: Callable[..., Path], tiny: Path, tmp_path: Path, module: str, heads: int
) -> None:
    from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

    folder = make(tiny, target_modules=[module])
    tensors, _ = tensors_of(written("gguf", tmp_path / "a.gguf"))
    for n in (0, 1):
        b = load_file(folder / "adapter_model.safetensors")[
            f"base_model.model.model.layers.{n}.self_attn.{module}.lora_B.weight"
        ]
        ours = tensors[f"blk.{n}.attn_{module[0]}.weight.lora_b"]
        undone = LlamaTensorProcessor()._reverse_permute_weights(ours, heads, heads)
        np.testing.assert_array_equal(undone, b.numpy())


def test_what_alpha_cannot_say_is_put_into_the_matrices(make: Callable[..., Path], tiny: Path, tmp_path: Path) -> None:
    folder = make(tiny, use_rslora=True, alpha_pattern={"v_proj": 3}, rank_pattern={"v_proj": 2})
    tensors, fields = tensors_of(written("gguf", tmp_path / "a.gguf"))
    for pair in read_lora(folder).pairs():
        name = f"blk.{pair.module.split('.')[2]}.attn_{pair.module[-6]}.weight"
        a, b = tensors[f"{name}.lora_a"], tensors[f"{name}.lora_b"]
        scale = fields["adapter.lora.alpha"] / a.shape[0]  # as llama.cpp does
        np.testing.assert_allclose(np.sort(scale * b @ a, 0), np.sort(pair.delta(), 0), rtol=1e-4, atol=1e-6)


def test_qwen_is_not_reordered(make: Callable[..., Path], tiny: Path, tmp_path: Path) -> None:
    folder = make(tiny)
    write_gguf(folder, Shape("qwen2", 2, 4, 2), tmp_path / "a.gguf")
    tensors, _ = tensors_of(tmp_path / "a.gguf")
    b = load_file(folder / "adapter_model.safetensors")[
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"
    ]
    np.testing.assert_array_equal(tensors["blk.0.attn_q.weight.lora_b"], b.numpy())


@pytest.mark.parametrize("kind", ["gpt2", "mixtral", "phi3", "gemma2"])
def test_other_kinds_are_refused_in_words(make: Callable[..., Path], tiny: Path, tmp_path: Path, kind: str) -> None:
    other = shutil.copytree(tiny, tmp_path / "other")
    told = json.loads((other / "config.json").read_text()) | {"model_type": kind}
    (other / "config.json").write_text(json.dumps(told))
    make(tiny)
    (find_adapter("first").folder / "autoflow.json").write_text(json.dumps({"base": f"local:{other}"}))
    with pytest.raises(ModelRequestError, match=f"of the kind {kind}, and those of llama, qwen2, qwen3 are known"):
        written("gguf", tmp_path / "a.gguf")
    with pytest.raises(ModelRequestError, match="a model of the hub"):
        shape_of(find_base("owner/name"))


def test_a_kept_file_is_written_once_and_anew_for_other_weights(make: Callable[..., Path], tiny: Path) -> None:
    folder = make(tiny)
    first = kept_gguf(folder, find_base(str(tiny)))
    stamp = first.stat().st_mtime_ns
    assert kept_gguf(folder, find_base(str(tiny))) == first
    assert first.stat().st_mtime_ns == stamp
    make(tiny, seed=9)
    second = kept_gguf(folder, find_base(str(tiny)))
    assert [path.name for path in folder.glob("*.gguf")] == [second.name] != [first.name]
    assert not list(folder.glob(".llama-*"))


FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=30)


@given(values=FLOATS, kind=st.sampled_from(["BF16", "F16", "F32"]))
def test_numbers_are_rounded_as_torch_rounds_them(values: list[float], kind: str) -> None:
    dtype = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32}[kind]
    expected = torch.tensor(values, dtype=torch.float32).to(dtype)
    ours = np.array(values, np.float32)
    if kind == "F16" and not torch.isfinite(expected).all():
        with pytest.raises(ValueError, match="too large"):
            as_bytes(ours, kind)
    else:
        assert as_bytes(ours, kind) == expected.view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_tensors_are_read_as_torch_reads_them(tmp_path: Path, dtype: torch.dtype) -> None:
    path = tmp_path / "t.safetensors"
    tensors = {
        "b.weight": torch.randn(3, 5).to(dtype),
        "a": torch.randn(7).to(dtype),
        "none": torch.empty(0, 4).to(dtype),
    }
    save_file(tensors, path, {"format": "pt"})
    header = read_header(path)
    assert set(header) == set(tensors)
    with path.open("rb") as file:
        for name, held in header.items():
            np.testing.assert_array_equal(read_tensor(file, held), tensors[name].float().numpy())


def test_what_is_written_is_read_by_the_library(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    held = {"x": Held("F32", (2, 3), 0, 24), "y": Held("BF16", (3,), 0, 6)}
    write_file(path, held, [as_bytes(values, "F32"), as_bytes(values[0], "BF16")])
    found = load_file(path)
    assert torch.equal(found["x"], torch.from_numpy(values))
    assert torch.equal(found["y"], torch.tensor([0, 1, 2], dtype=torch.bfloat16))


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_a_file_that_is_damaged_is_told_as_such(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    assume(not data.strip().startswith(b"{"))
    path = tmp_path_factory.mktemp("damaged") / "t.safetensors"
    for content in (data, len(data).to_bytes(8, "little") + data):
        path.write_bytes(content)
        with pytest.raises(ModelNotFound):
            read_header(path)
    save_file({"x": torch.zeros(64)}, path)
    whole = path.read_bytes()
    if cut < len(whole):
        path.write_bytes(whole[:cut])
        with pytest.raises(ModelNotFound):
            read_header(path)


@pytest.mark.parametrize(
    "about",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]},
        {"dtype": "X9", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]},
        {"shape": [1]},
        [],
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, about: Any) -> None:
    header = json.dumps({"x": about}).encode()
    path = tmp_path / "t.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(ModelNotFound, match="header cannot be read"):
        read_header(path)
