"""What the process of a training says where it fails, what it holds of a text, and what a grammar lets it draw."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from autoflow.errors import TrainingError
from autoflow.lang import parse
from autoflow.lang.grammar import core_grammar
from autoflow.llm.local.load import load_model
from autoflow.train.child import failed
from autoflow.train.grammatical import Grammatical
from autoflow.train.policy import Policy
from autoflow.train.sampling import sample
from autoflow.train.settings import AdapterSettings, SamplingSettings, TrainSettings
from autoflow.train.talk import ANSWER, Failed, Order, Said, holdable
from tests.llm.tiny import make_tiny

pytestmark = pytest.mark.timeout(900)  # processes that load their libraries take as long as a loaded machine lets them


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
              RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried")]
)  # fmt: skip
def test_memory_that_does_not_suffice_is_told_with_what_to_change(error: Exception) -> None:
    told = failed(error, "local:big")
    assert told.message == "The memory did not suffice to train local:big."
    assert "Draw fewer samples or tokens" in told.hint


def test_other_failures_keep_their_words() -> None:
    assert failed(TrainingError("It is so.", "Do that."), "m") == Failed(message="It is so.", hint="Do that.")
    assert failed(KeyError("x\ny"), "local:m").message.startswith("The training of local:m broke off with KeyError")


def test_texts_are_held_as_databases_can() -> None:
    assert holdable("a\x00b\ud800c\n") == "a\ufffdb\ufffdc\n"


def order(folder: Path, model: str) -> Order:
    prompt = (Said(role="user", content="Write."),)
    return Order(model=model, prompts=(prompt,), settings=TrainSettings(), folder=str(folder), step=0)


def test_the_process_ends_with_its_input_and_tells_in_its_answers_alone(tmp_path: Path) -> None:
    make_tiny(tmp_path / "tiny", context=2048)
    told = order(tmp_path / "training", f"local:{tmp_path / 'tiny'}").model_dump_json()
    ran = subprocess.run(
        [sys.executable, "-m", "autoflow.train.child"], input=told + "\n", capture_output=True, text=True, timeout=600
    )
    answers = [ANSWER.validate_json(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0
    assert [answer.kind for answer in answers] in (["ready"], []), "nobody was there any more to be told"


def test_a_model_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = order(tmp_path / "training", "local:/nowhere/at/all").model_dump_json()
    process = subprocess.Popen(
        [sys.executable, "-m", "autoflow.train.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(told + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    assert answer["kind"] == "failed"
    assert "/nowhere/at/all" in answer["message"]
    process.communicate(timeout=600)
    assert process.returncode in (0, 1), "1, or 0 where the end of its input came first"


def test_under_a_grammar_every_sample_is_a_workflow_and_is_drawn_from_what_the_update_sees(tmp_path: Path) -> None:
    loaded = load_model(f"local:{make_tiny(tmp_path, context=2048)}", device="cpu")
    policy = Policy(loaded.model, AdapterSettings(r=2, dropout=0.0))
    constraint = Grammatical(core_grammar(2, 2, max_words=3), loaded)
    prompt = loaded.tokenizer("Write a workflow.")["input_ids"]
    for seed in (0, 1):  # the second time over, rows begin anew
        samples = sample(
            policy, [prompt], group=3, settings=SamplingSettings(top_k=0, top_p=1.0, max_new_tokens=700),
            ends=loaded.ends, generator=torch.Generator().manual_seed(seed), constraint=constraint,
        )  # fmt: skip
        assert samples.keep is not None
        for row in range(3):
            assert samples.ended[row]
            text = loaded.tokenizer.decode(samples.tokens(row), skip_special_tokens=True)
            assert not parse(text).errors, text
        assert torch.isfinite(samples.logprobs).all()
