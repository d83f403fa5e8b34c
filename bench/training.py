"""How long a step of a training takes on this machine, and how much memory: SmolLM2-135M, a group of 16 completions.

The prompt has 300 tokens and each completion 128 (nothing ends one earlier). Each way is measured in a process of its
own, whose greatest resident memory is told; the last of `--steps` steps is told. "Apart" is every completion with its
prompt for itself, in the drawing and the update; "shared" is the prompt read once. CPU seconds depend less than seconds
on what else runs. Limit: the usual way stays under 3 GB.

    python bench/training.py [--threads 1] [--steps 2]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
sys.path.insert(0, str(ROOT))

LIMIT = 3e9  # bytes
PROMPT, COMPLETION, GROUP = 300, 128, 16


@dataclass(frozen=True, slots=True)
class Way:
    """One way to train."""

    sharing: bool
    micro_batch: int
    checkpointing: bool
    half: bool = False
    usual: bool = False

    @property
    def name(self) -> str:
        words = ["shared" if self.sharing else "apart", f"{self.micro_batch} at a time"]
        words += ["recomputed"] * self.checkpointing + ["bfloat16"] * self.half
        return ", ".join(words)


WAYS = (
    Way(False, 1, True),
    Way(False, 4, True),
    Way(False, 4, False),
    Way(True, 1, True),
    Way(True, 4, True),
    Way(True, 16, True, usual=True),
    Way(True, 4, False),
    Way(True, 8, False),
    Way(True, 16, True, half=True),
    Way(True, 4, False, half=True),
)


def measure(way: Way, threads: int, steps: int) -> dict[str, float]:
    """In this process."""
    import torch

    torch.set_num_threads(threads)
    from autoflow.llm.local.load import load_model
    from autoflow.train.policy import Policy
    from autoflow.train.settings import AdapterSettings, SamplingSettings, TrainSettings
    from autoflow.train.step import Work
    from autoflow.train.trainer import Trainer

    loaded = load_model("local:smollm2-135m")
    policy = Policy(
        loaded.model, AdapterSettings(), checkpointing=way.checkpointing, half=way.half, sharing=way.sharing
    )
    how = TrainSettings(
        group=GROUP, micro_batch=way.micro_batch, checkpointing=way.checkpointing, half=way.half, steps=steps,
        sampling=SamplingSettings(max_new_tokens=COMPLETION),
    )  # fmt: skip
    text = (ROOT / "assets" / "workflows" / "openagi-manual.core").read_text("utf-8")
    prompt = (loaded.tokenizer(text).input_ids * 2)[:PROMPT]
    work = Work([prompt], lambda texts: [float(len(t) % 7) for t in texts], loaded.tokenizer.decode, frozenset({-1}))
    trainer = Trainer(policy, work, how)
    for _ in range(steps):
        before = time.process_time()
        figures = trainer.step().figures
        cpu = time.process_time() - before
    return {
        "sampling": figures.sampling_s, "update": figures.update_s, "cpu": cpu, "peak": figures.peak_memory_bytes,
        "drift": figures.drift,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(Way(**json.loads(arguments.way)), arguments.threads, arguments.steps)))
        return
    print(f"Threads: {arguments.threads}; load average {os.getloadavg()[0]:.1f} when it began.\n")
    print(
        "| way | sampling, s | update, s | a step, s | CPU, s | peak memory, GB | drift |\n"
        "|---|---:|---:|---:|---:|---:|---:|"
    )
    peaks = {way: _row(way, arguments.threads, arguments.steps) for way in WAYS}
    if over := [way.name for way, peak in peaks.items() if way.usual and peak > LIMIT]:
        sys.exit(f"Over {LIMIT / 1e9:g} GB: {', '.join(over)}.")


def _row(way: Way, threads: int, steps: int) -> float:
    command = [
        sys.executable,
        __file__,
        "--threads",
        str(threads),
        "--steps",
        str(steps),
        "--way",
        json.dumps(asdict(way)),
    ]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(told.splitlines()[-1])
    sampling, update = found["sampling"], found["update"]
    print(
        f"| {way.name} | {sampling:.1f} | {update:.1f} | {sampling + update:.1f} | {found['cpu']:.1f} | "
        f"{found['peak'] / 1e9:.2f} | {found['drift']:.1g} |",
        flush=True,
    )
    return float(found["peak"])


if __name__ == "__main__":
    main()
