"""Evidence that fine-tuning teaches a model to write workflows: SmolLM2-135M, trained by REINFORCE on the CPU.

The model samples freely, without a grammar, from a prompt that shows the manual workflow. What it writes is graded by
the parser and checker: a text counts where it ends by itself, has no error, and is no copy of the example. A training
is kept step by step in `docs/evidence/lora.jsonl` and its checkpoint in `.cache`, so that the same command goes on
where it was stopped. The report is `docs/evidence/lora.md`, its curves are in `docs/images/lora.svg`.

    python bench/evidence_lora.py [--seed 0] [--rate 0] [--minutes 60] [--report]

Without a seed it goes on with the first of the report's trainings that has steps left.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ["AUTOFLOW_HOME"] = str(ROOT / ".cache" / "evidence")  # the shipped prompts, whatever the user's own are
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from autoflow.llm.local.load import Loaded, load_model  # noqa: E402
from autoflow.llm.local.row import prompt_tokens  # noqa: E402
from autoflow.optimize.grading import shared_out  # noqa: E402
from autoflow.optimize.lora_prompt import chat  # noqa: E402
from autoflow.optimize.telling import cut  # noqa: E402
from autoflow.suites.base import asked  # noqa: E402
from autoflow.suites.openagi import OpenAGIPlanSuite  # noqa: E402
from autoflow.train.policy import Policy  # noqa: E402
from autoflow.train.settings import SamplingSettings, TrainSettings  # noqa: E402
from autoflow.train.step import Work  # noqa: E402
from autoflow.train.trainer import Trainer  # noqa: E402
from bench.real.lora_file import COPIED, LoraFile, Mark, mark  # noqa: E402
from bench.real.lora_report import write_report  # noqa: E402

MODEL = "local:smollm2-135m"
FILE = ROOT / "docs" / "evidence" / "lora.jsonl"
GPU_FILE = FILE.with_stem("lora-gpu")  # of trainings where there is CUDA; told in the report, beside those on the CPU
REPORT, IMAGE = ROOT / "docs" / "evidence" / "lora.md", ROOT / "docs" / "images" / "lora.svg"
ATTEMPTS = ROOT / "bench" / "real" / "lora_attempts.md"  # what was tried before, told in the report
FOLDER = ROOT / ".cache" / "evidence" / "lora"
SHOWN = 160  # characters of a task in the prompt
TOKENS = 192
RATE, STEPS = 1e-3, 30
REPORTED = {"seed-0": (0, RATE), "seed-1": (1, RATE), "seed-2": (2, RATE), "seed-0-rate-0": (0, 0.0)}


def settings(seed: int, rate: float) -> TrainSettings:
    return TrainSettings(
        seed=seed, learning_rate=rate, steps=STEPS, group=16, micro_batch=16, checkpointing=True, half=True,
        warmup=5, kl_weight=0.02, sampling=SamplingSettings(max_new_tokens=TOKENS),
    )  # fmt: skip


class Evidence:
    """One training of the model, and what became of the texts of its last step."""

    def __init__(self, loaded: Loaded, how: TrainSettings, folder: Path) -> None:
        suite = OpenAGIPlanSuite()
        self._loaded, self._limit = loaded, how.sampling.max_new_tokens
        self._example = "\n".join(line for line in suite.baseline.splitlines() if not line.startswith("#"))
        wanted, *shown = (cut(asked(task), SHOWN) for task in suite.tasks("train")[:3])
        self.messages = chat(self._example, [wanted], shown=shown, steps="three")
        self.marked: list[Mark] = []
        self._ended: list[bool] = []
        policy = Policy(
            loaded.model, how.adapter, seed=how.seed, checkpointing=how.checkpointing, half=how.half
        )  # fmt: skip
        work = Work([prompt_tokens(loaded, self.messages)], self._reward, self._decode, loaded.ends)
        self.trainer = Trainer(policy, work, how, folder)

    def _decode(self, tokens: Sequence[int]) -> str:
        self._ended.append(len(tokens) < self._limit)  # the end token is left out
        return str(self._loaded.tokenizer.decode(tokens, skip_special_tokens=True))

    def _reward(self, texts: Sequence[str]) -> list[float]:
        self.marked = [mark(t, self._example, ended=e) for t, e in zip(texts, self._ended, strict=True)]
        self._ended = []
        return shared_out([found.reward for found in self.marked], texts, COPIED)


def train(seed: int, rate: float, minutes: float) -> None:
    until = time.monotonic() + minutes * 60
    name = f"seed-{seed}" if rate == RATE else f"seed-{seed}-rate-{rate:g}"
    loaded = load_model(MODEL)
    how, file = settings(seed, rate), LoraFile(FILE if loaded.device == "cpu" else GPU_FILE, name)
    evidence = Evidence(loaded, how, FOLDER / loaded.device / name)
    file.begin({
        "model": MODEL, "device": torch.cuda.get_device_name() if loaded.device == "cuda" else "CPU",
        "date": time.strftime("%Y-%m-%d %H:%M"), "settings": how.model_dump(mode="json"),
        "messages": [m.content for m in evidence.messages], "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in ("torch", "transformers", "peft")}},
    })  # fmt: skip
    trainer = evidence.trainer
    while trainer.state.step < how.steps and time.monotonic() < until:
        result = trainer.step()
        figures = result.figures
        file.add(figures.model_dump(), [sample.text for sample in result.samples], evidence.marked)
        good = [m for m in evidence.marked if m.counts]
        share, far = len(good) / len(evidence.marked), fmean([m.distance for m in good] or [0.0])
        print(
            f"{name} step {figures.step}: counts {share:.2f} ({far:.2f} off), reward {figures.reward_mean:.2f}, "
            f"distinct {figures.distinct}, entropy {figures.entropy:.2f}, KL {figures.kl:.3f}, "
            f"{figures.length:.0f} tokens, ended {figures.ended:.2f}, drift {figures.drift:.3f}, "
            f"{figures.seconds:.0f} s",
            flush=True,
        )
    left = how.steps - trainer.state.step
    print(f"{name}: {left} steps are left; the same command goes on from here." if left else f"{name}: all steps done.")


def first_left() -> tuple[int, float] | None:
    """Seed and learning rate of the first of the report's trainings that has steps left."""
    file = FILE if not torch.cuda.is_available() else GPU_FILE
    return next((which for name, which in REPORTED.items() if len(LoraFile(file, name).steps) < STEPS), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="those of the report are 0, 1 and 2")
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate; 0: nothing is learned")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--report", action="store_true", help="only write the report")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    which = first_left() if arguments.seed is None else (arguments.seed, arguments.rate)
    if which and not arguments.report:
        train(*which, arguments.minutes)
    if FILE.exists():
        write_report(FILE, list(REPORTED), REPORT, IMAGE, ATTEMPTS.read_text("utf-8"), gpu=GPU_FILE)


if __name__ == "__main__":
    main()
