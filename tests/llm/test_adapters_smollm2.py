"""One adapter on a real model, asked through transformers and through llama.cpp: the same weights, the same words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelError
from autoflow.llm.base import LLM, Message, Options
from autoflow.llm.embedded import open_embedded
from autoflow.llm.local import open_local
from autoflow.llm.local.choices import embedded_name
from autoflow.llm.local.engine import forget_engines
from autoflow.llm.local.gguf_adapter import kept_gguf
from autoflow.llm.local.load import load_model
from autoflow.llm.local.names import Base
from autoflow.llm.local.shelf import find_adapter
from autoflow.testing import LLMContract
from tests.adapters import write_adapter
from tests.llm.dequantized import dequantized
from tests.models import SMOLLM2, shared_model_server, smollm2, smollm2_file  # noqa: F401

pytestmark = pytest.mark.model
SUBJECTS = ("cats", "rain", "steel", "love", "bread", "the sea", "snow", "hope", "old trees", "the night")
PROMPTS = [
    *(f"Write a poem about {subject}" for subject in SUBJECTS), "The capital of France is", "Once upon a time",
    "Name three colours.", "What is two plus two?", "The quick brown fox", "Water boils at", "My favourite food is",
    "In the beginning", "A workflow has steps", "Dear Sir or Madam",
]  # fmt: skip
TOLD = 4  # of the most likely tokens that llama.cpp tells, so many are compared


@dataclass(frozen=True)
class Worn:
    """SmolLM2 with an adapter of random weights that moves it far."""

    model: Any  # of peft
    tokenizer: Any
    folder: Path

    def logprobs(self, ids: list[int], *, base: bool = False) -> Any:
        import torch

        asked = torch.tensor([ids])
        with torch.inference_mode():
            if not base:
                return self.model(asked).logits[0, -1].log_softmax(-1)
            with self.model.disable_adapter():
                return self.model(asked).logits[0, -1].log_softmax(-1)


@pytest.fixture
def worn(smollm2: str, home: Path) -> Worn:  # noqa: F811
    import torch
    from peft import LoraConfig, get_peft_model

    loaded = load_model(SMOLLM2)
    torch.manual_seed(0)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "down_proj"]
    model = get_peft_model(loaded.model, LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM"))
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, 0.3)
    folder = home / "adapters" / "moved"
    model.save_pretrained(folder)
    (folder / "autoflow.json").write_text(json.dumps({"base": f"local:{SMOLLM2}"}), "utf-8")
    return Worn(model, loaded.tokenizer, folder)


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    forget_engines()


def test_llama_cpp_says_the_same_with_the_adapter(worn: Worn, smollm2_file: Path, tmp_path: Path) -> None:  # noqa: F811
    """Against the file's own weights without their packing: on packed ones llama.cpp rounds what goes in to 8 bits."""
    import xllamacpp

    base = dequantized(smollm2_file, tmp_path / "f16.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(base)
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(kept_gguf(worn.folder, Base("f16", base))), 1.0)]
    params.n_ctx, params.n_parallel, params.verbosity, params.fit_params = 512, 1, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    server = xllamacpp.Server(params)
    same = moved = 0
    for prompt in PROMPTS:
        ids = worn.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        asked = {"prompt": ids, "n_predict": 1, "temperature": 0, "n_probs": TOLD, "cache_prompt": False}
        told = server.handle_completions(asked)["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        ours = worn.logprobs(ids)
        for token in told:
            assert token["logprob"] == pytest.approx(float(ours[token["id"]]), abs=0.1), prompt
        same += told[0]["id"] == int(ours.argmax())
        moved += int(ours.argmax()) != int(worn.logprobs(ids, base=True).argmax())
    assert same == len(PROMPTS) == 20
    assert moved >= 10, "an adapter that changes little proves little"


async def test_embedded_answers_with_the_adapter_as_local_does(worn: Worn) -> None:
    name = embedded_name(find_adapter("moved"))
    assert name == f"embedded:{SMOLLM2}+moved"
    embedded, bare, local = open_embedded(f"{SMOLLM2}+moved"), open_embedded(SMOLLM2), open_local(f"{SMOLLM2}+moved")
    same = other = 0
    for subject in SUBJECTS:
        asked = [Message("user", f"Write a poem about {subject}")]
        answers = [(await llm.complete(asked, Options(max_tokens=2))).text for llm in (embedded, local, bare)]
        same += answers[0] == answers[1]
        other += answers[0] != answers[2]
    await embedded.aclose()
    await bare.aclose()
    assert same >= 7, "on packed weights llama.cpp rounds, so that a near choice may fall the other way"
    assert other >= 7


class TestContract(LLMContract):
    """An adapter on llama.cpp is a model as any other."""

    max_tokens = 8

    @pytest.fixture(autouse=True)
    def _with_a_model(self, smollm2: str, home: Path, smollm2_file: Path) -> None:  # noqa: F811
        made = write_adapter(home / "adapters" / "small")
        assert made.is_dir()

    async def open(self) -> LLM:
        return open_embedded(f"{SMOLLM2}+small")


async def test_an_adapter_of_another_base_is_refused_by_llama_cpp_in_words(smollm2: str, home: Path) -> None:  # noqa: F811
    write_adapter(home / "adapters" / "wide", rows=1152)
    llm = open_embedded(f"{SMOLLM2}+wide")
    with pytest.raises(ModelError, match="wide"):
        await llm.complete([Message("user", "Hello")], Options(max_tokens=2))
    await llm.aclose()


async def test_an_adapter_saved_anew_is_asked_anew(smollm2: str, home: Path) -> None:  # noqa: F811
    folder = write_adapter(home / "adapters" / "changing")
    llm = open_embedded(f"{SMOLLM2}+changing")
    before = llm.mark
    assert before == open_embedded(f"{SMOLLM2}+changing").mark != open_embedded(SMOLLM2).mark
    write_adapter(folder, rank=3)
    assert llm.mark != before
