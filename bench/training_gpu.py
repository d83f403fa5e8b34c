"""Steps an hour on a GPU, by the size of the model: random weights in the shapes of SmolLM2-135M, of 1.5B and of 7B.

What the weights hold does not matter for the time; nothing is loaded. A group of 16 completions of 256 tokens (nothing
ends one earlier) of a prompt of 600 tokens. Without CUDA it shows with the
size `tiny` that it runs.

    python bench/training_gpu.py [--size 135M 1.5B 7B] [--vocabulary 49152] [--micro-batch 16] [--steps 3]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from autoflow.train.figures import StepFigures
from autoflow.train.policy import Policy
from autoflow.train.settings import AdapterSettings, SamplingSettings, TrainSettings
from autoflow.train.step import Work
from autoflow.train.trainer import Trainer

SHAPES = {  # hidden, intermediate, layers, heads, heads of keys and values
    "tiny": (64, 128, 2, 4, 2),
    "135M": (576, 1536, 30, 9, 3),
    "1.5B": (1536, 8960, 28, 12, 2),
    "7B": (4096, 11008, 32, 32, 32),
}


def model(size: str, vocabulary: int, device: str) -> LlamaForCausalLM:
    hidden, intermediate, layers, heads, shared = SHAPES[size]
    config = LlamaConfig(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=shared, vocab_size=vocabulary, max_position_embeddings=4096,
        tie_word_embeddings=size == "135M", pad_token_id=None, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if device == "cuda" else torch.float32)
    try:
        with torch.device(device):
            return LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)


def measure(size: str, arguments: argparse.Namespace, device: str) -> StepFigures:
    """The last of the steps, and the peak of all."""
    policy = Policy(model(size, arguments.vocabulary, device), AdapterSettings(), checkpointing=True)
    settings: dict[str, Any] = {
        "group": arguments.group, "micro_batch": arguments.micro_batch, "steps": arguments.steps,
        "sampling": SamplingSettings(max_new_tokens=arguments.completion),
    }  # fmt: skip
    prompt = [number % arguments.vocabulary for number in range(arguments.prompt)]
    work = Work([prompt], lambda texts: [float(len(t) % 7) for t in texts], str, frozenset({-1}))
    trainer = Trainer(policy, work, TrainSettings(**settings))
    return [trainer.step().figures for _ in range(arguments.steps)][-1]


def row(size: str, name: str, arguments: argparse.Namespace, device: str) -> str:
    try:
        figures = measure(size, arguments, device)
    except torch.cuda.OutOfMemoryError:
        return f"| {name} | {size} | out of memory |||||||"
    return (
        f"| {name} | {size} | {figures.sampling_s:.2f} | {figures.tokens_per_s:,.0f} | {figures.update_s:.2f} | "
        f"{3600 / figures.seconds:,.0f} | {figures.peak_memory_bytes / 1e9:.1f} | {figures.drift:.2g} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    usual = ["tiny"] if device == "cpu" else ["135M", "1.5B", "7B"]
    parser.add_argument("--size", nargs="*", choices=list(SHAPES), default=usual)
    parser.add_argument(
        "--vocabulary", type=int, default=49_152, help="smaller: less memory, and less like the real one"
    )
    parser.add_argument("--group", type=int, default=16)
    parser.add_argument("--micro-batch", type=int, default=16)
    parser.add_argument("--prompt", type=int, default=600)
    parser.add_argument("--completion", type=int, default=256)
    parser.add_argument("--steps", type=int, default=3)
    arguments = parser.parse_args()
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print("| device | model | sampling, s | tokens a second | update, s | steps an hour | peak memory, GB | drift |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for size in arguments.size:
        print(row(size, name, arguments, device), flush=True)
        if device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


if __name__ == "__main__":
    main()
