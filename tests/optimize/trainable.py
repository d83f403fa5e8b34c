"""A study that trains for real, in a second: a tiny random Llama whose words are whole lines of workflows.

A text is right or wrong by its lines alone: one step of some skill is a workflow, two of them are not. The tasks are
rows of a table, of two kinds; a scripted model does one of them with skill 2, and both with skill 4.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from autoflow.jobs.context import JobContext
from autoflow.jobs.payloads import StudyPayload
from autoflow.jobs.runner import carry_out, handlers
from autoflow.optimize.lora_adapter import adapter_of
from autoflow.optimize.lora_process import MODULE
from autoflow.optimize.start import start_study
from autoflow.records import Job, Json
from autoflow.settings import settings
from autoflow.store import SqlStore
from autoflow.study import Study, StudyBudget, StudySpec, SuiteSpec, TrainingStep
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from autoflow.train.best import Best, best_adapters
from autoflow.train.figures import StepFigures
from tests.llm.tiny import CHAT
from tests.searching import came_to

LINES = [f"Answer:::terminal:::Use skill {skill}, {how}.:::\n" for skill in (0, 2, 4) for how in ("fast", "slow")]
LINES += ["Look:::process:::Look at it.:::next::Answer\n", "Look:::process:::Look at it.:::next::Nowhere\n", "Well,\n"]
OPTIONS = {
    "group": 8, "learning_rate": 0.1, "warmup": 2, "max_new_tokens": 3, "threads": 1, "compare": 4, "micro_batch": 8,
    "temperature": 1.0, "top_p": 1.0, "top_k": 0, "kl_weight": 0.0, "novelty": 0.0, "repeated": 1.0, "dropout": 0.1,
}  # fmt: skip


def make_model(folder: Path, *, context: int = 256) -> str:
    """Save one; returns its name, as users write it."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<unk>", *LINES]
    plain = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Split(Regex("[^\n]*\n"), "isolated")
    plain.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token="<|im_end|>", pad_token="<|endoftext|>", unk_token="<unk>",
        additional_special_tokens=["<|im_start|>"],
    )  # fmt: skip
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=context, initializer_range=0.3, eos_token_id=2, bos_token_id=1,
        pad_token_id=0,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return f"local:{folder}"


def make_interpreter(path: Path, *, latency_s: float = 0.0) -> str:
    """Says more, the more skill is asked for."""
    said = (("skill 2", "two"), ("skill 4", "two, four"), ("", "nothing"))
    lines = [{"match": match, "reply": reply, "latency_s": latency_s} for match, reply in said]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return f"scripted:{path}"


def make_suite(store: SqlStore) -> SuiteSpec:
    """Half of the rows take skill 2, half skill 4."""
    rows = [Row(f"Number {n}.", {}, "two" if n % 2 else "four", row=n) for n in range(1, 17)]
    saved = store.save_suite("Skills", suite_body(rows, "contains"))
    return SuiteSpec(name="table", seed=1, train=4, val=4, test=8, options={"suite": saved.id})


def spec_of(store: SqlStore, folder: Path, *, steps: int = 4, latency_s: float = 0.0, **options: object) -> StudySpec:
    folder.mkdir(parents=True, exist_ok=True)
    return StudySpec(
        method="lora", suite=make_suite(store), generator=make_model(folder / "model"),
        interpreter=make_interpreter(folder / "interpreter.jsonl", latency_s=latency_s),
        budget=StudyBudget(max_rounds=steps), options={**OPTIONS, **options}, baseline=LINES[0],
    )  # fmt: skip


def begun(store: SqlStore, spec: StudySpec, name: str = "Skilful answers") -> tuple[Study, Job]:
    study = start_study(store, name, spec)
    payload = StudyPayload(study_id=study.id).model_dump()
    return study, store.submit("study", payload, title=f"Train {name}", subject_id=study.id)


class Watched(JobContext):
    """Tells what a study says that it does, as it says it."""

    heard: Callable[[str], None] = staticmethod(lambda words: None)

    def live(self, **data: Any) -> None:
        super().live(**data)
        if words := data.get("doing"):
            self.heard(words)


def carried_out(store: SqlStore, job: Job, heard: Callable[[str], None] = lambda words: None) -> Job:
    """What a worker does with it, in this process; as it is then."""
    lease = store.claim("test", lease_s=60, job_id=job.id)
    assert lease is not None
    context = Watched(store, lease)
    context.heard = heard  # type: ignore[method-assign]
    asyncio.run(carry_out(context, handlers()["study"]))
    return store.get_job(job.id)


@dataclass(frozen=True)
class End:
    """What a training came to, without times."""

    study: Json
    steps: list[Json]
    adapter: bytes
    kept: list[Best]


def end_of(store: SqlStore, study_id: str) -> End:
    name = adapter_of(study_id)
    assert name is not None
    weights = settings().adapters / name / "adapter_model.safetensors"
    kept = best_adapters(settings().trainings / study_id)
    return End(
        came_to(store, study_id), [_timeless(s) for s in store.training_steps(study_id)], weights.read_bytes(), kept
    )


def _timeless(step: TrainingStep) -> Json:
    timed = {name for name in StepFigures.model_fields if name.endswith("_s")} | {"seconds", "peak_memory_bytes"}
    return step.model_dump(exclude={"figures": timed})


def children() -> list[psutil.Process]:
    """The training processes that this process has started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if MODULE in process.cmdline():
                found.append(process)
    return found
