"""A study that trains for real, in a second: a tiny random Llama whose words are whole lines of workflows.

A text is right or wrong by its lines alone: one step of some skill is a workflow, two of them are not. The tasks are
rows of a table, each of a difficulty; a scripted model answers right where the skill is as high as that.
"""

from __future__ import annotations

import json
from pathlib import Path

from autoflow.jobs.payloads import StudyPayload
from autoflow.optimize.start import start_study
from autoflow.records import Job
from autoflow.store import SqlStore
from autoflow.study import Study, StudyBudget, StudySpec, SuiteSpec
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests.llm.tiny import CHAT

LINES = [
    f"Answer:::terminal:::Use skill {skill}, {how}.:::\n" for skill in range(4) for how in ("at once", "with care")
]
LINES += ["Look:::process:::Look at it.:::next::Answer\n", "Look:::process:::Look at it.:::next::Nowhere\n", "Well,\n"]
OPTIONS = {
    "group": 6, "learning_rate": 0.03, "warmup": 2, "max_new_tokens": 4, "threads": 1, "compare": 4, "micro_batch": 6,
    "temperature": 1.0, "top_p": 1.0, "top_k": 0, "kl_weight": 0.0, "novelty": 0.0, "dropout": 0.1,
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
    """Answers right where the skill reaches the difficulty."""
    lines = [
        {"match": f"(?s)^(?=.*skill [{skill}-9])(?=.*difficulty {skill})", "reply": "right", "latency_s": latency_s}
        for skill in range(1, 5)
    ]
    lines.append({"match": "", "reply": "wrong", "latency_s": latency_s})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return f"scripted:{path}"


def make_suite(store: SqlStore) -> SuiteSpec:
    rows = [Row(f"Number {n}, of difficulty {1 + n % 4}.", {}, "right", row=n) for n in range(1, 17)]
    saved = store.save_suite("Skills", suite_body(rows, "exact"))
    return SuiteSpec(name="table", train=4, val=4, test=8, options={"suite": saved.id})


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
