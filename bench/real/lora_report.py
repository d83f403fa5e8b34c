"""The report on trainings, from the lines that they left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.real.curves import curves
from bench.real.lora_file import LoraFile

Lines = list[dict[str, Any]]
EDGE, EVERY = 10, 10  # steps: of a mean at begin or end; of a row of the table
SMOOTH = 5  # steps of a curve's running mean
SHOWN = 3  # texts


def write_report(
    file: Path, names: Sequence[str], report: Path, image: Path, attempts: str, *, gpu: Path | None = None
) -> None:
    """Raises ValueError: none of the trainings has begun. `gpu`: the lines of trainings there, told of beside."""
    begun, runs = _read(file, names)
    if not runs:
        raise ValueError(f"{file} holds none of {', '.join(names)}")
    image.parent.mkdir(parents=True, exist_ok=True)
    drawn = curves(
        {name: _smooth(steps) for name, steps in runs.items()},
        title=f"Share of 16 samples that count, mean of {SMOOTH} steps", across="training step",
    )  # fmt: skip
    image.write_text(drawn, "utf-8")
    beside = list(_on_gpu(*_read(gpu, names))) if gpu else []
    report.write_text("\n".join(_report(begun, runs, image, [*beside, attempts])), "utf-8")


def _read(file: Path, names: Sequence[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Lines]]:
    """How those that have begun did so, and their steps."""
    told = {name: LoraFile(file, name).lines() for name in names}
    runs = {name: [line for line in lines if "step" in line] for name, lines in told.items() if len(lines) > 1}
    return {name: next(line for line in told[name] if "step" not in line) for name in runs}, runs


def _report(
    begun: dict[str, dict[str, Any]], runs: dict[str, Lines], image: Path, more: Sequence[str]
) -> Iterator[str]:
    first = next(iter(begun.values()))
    how = first["settings"]
    yield "# A model learns to write workflows\n"
    yield (
        f"Made by `python bench/evidence_lora.py --seed N` ({', '.join(runs)}) from the lines of `lora.jsonl`. "
        f"Begun on {', '.join(sorted({b['date'][:10] for b in begun.values()}))}; `{first['model']}` on the CPU, "
        f"{first['threads']} thread a training, "
        f"{', '.join(f'{name} {version}' for name, version in first['versions'].items())}.\n"
    )
    yield (
        "A sample counts where it ends by itself, has no error, and differs from the example in structure or by at "
        "least 0.3 of its instructions. It then earns 0.5, and up to 1 the further its instructions are from the "
        "example's (1 at 0.3); a copy earns -0.25; a text with errors -1 to -0.5, the more of its steps are sound "
        "the more. Nothing is run: this is about the language alone. Samples are drawn freely, without a grammar, and "
        "graded as they were drawn.\n"
    )
    yield (
        f"Settings: group {how['group']}, learning rate {how['learning_rate']:g} (but where the name says another), "
        f"temperature {how['sampling']['temperature']:g}, top-p {how['sampling']['top_p']:g}, top-k "
        f"{how['sampling']['top_k']}, at most {how['sampling']['max_new_tokens']} tokens, KL weight "
        f"{how['kl_weight']:g}, LoRA r {how['adapter']['r']}, alpha {how['adapter']['alpha']}, dropout "
        f"{how['adapter']['dropout']:g}, on {' and '.join(how['adapter']['targets'])}"
        f"{', layers in bfloat16' if how['half'] else ''}.\n"
    )
    yield f"![Share of samples that count](../images/{image.name})\n"
    yield f"## First and last {EDGE} steps\n"
    yield from _ends(runs)
    yield from _course(runs)
    yield from _texts(runs)
    yield from more
    yield "## The prompt\n"
    yield "```"
    yield "\n\n".join(first["messages"])
    yield "```\n"


def _ends(runs: dict[str, Lines]) -> Iterator[str]:
    yield (
        "| training | steps | counts | reward | distinct | structures | distance | entropy | KL | tokens | drift | "
        "seconds |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for name, steps in runs.items():
        a, b = steps[:EDGE], steps[-EDGE:]

        def both(get: Callable[[dict[str, Any]], float], digits: int, a: Lines = a, b: Lines = b) -> str:
            return " → ".join(f"{fmean(get(line) for line in part):.{digits}f}" for part in (a, b))

        cells = [
            both(lambda x: x["counts"], 2),
            both(lambda x: x["figures"]["reward_mean"], 2),
            both(lambda x: x["distinct_that_count"], 1),
            both(lambda x: x["structures"], 1),
            both(lambda x: x["distance"], 2),
            both(lambda x: x["figures"]["entropy"], 2),
            both(lambda x: x["figures"]["kl"], 3),
            both(lambda x: x["figures"]["length"], 0),
            f"{max(x['figures']['drift'] for x in steps):.2f}",
            f"{fmean(x['figures']['seconds'] for x in steps):.0f}",
        ]
        yield f"| {name} | {len(steps)} | {' | '.join(cells)} |"
    yield (
        "\nDistinct: different texts that count, and structures: different shapes among them, of a step's 16 samples; "
        "distance: mean edit distance of their instructions from the example's. Entropy and KL (from the base model) "
        "are nats a token; drift is the greatest difference between a token's log-probability when drawn and in the "
        "update; seconds are those of a step.\n"
    )


def _course(runs: dict[str, Lines]) -> Iterator[str]:
    yield f"## Share that counts, mean of {EVERY} steps\n"
    yield f"| steps | {' | '.join(runs)} |"
    yield "|---|" + "---:|" * len(runs)
    longest = max(len(steps) for steps in runs.values())
    for start in range(0, longest, EVERY):
        parts = [steps[start : start + EVERY] for steps in runs.values()]
        cells = [f"{fmean(x['counts'] for x in part):.2f}" if part else "" for part in parts]
        yield f"| {start + 1} to {start + EVERY} | {' | '.join(cells)} |"
    yield ""


def _on_gpu(begun: dict[str, dict[str, Any]], runs: dict[str, Lines]) -> Iterator[str]:
    if not runs:
        return
    first = next(iter(begun.values()))
    took = max(sum(x["figures"]["seconds"] for x in steps) for steps in runs.values())
    yield "## On a GPU\n"
    yield (
        f"The same command on one {first['device']}, the model in bfloat16, {len(runs)} trainings side by side on it "
        f"({', '.join(f'{name} {version}' for name, version in first['versions'].items())}; "
        f"{first['date'][:10]}). {took / 60:.0f} minutes each, with at most "
        f"{max(x['figures']['peak_memory_bytes'] for steps in runs.values() for x in steps) / 1e9:.1f} GB of its "
        f"memory. First and last {EDGE} steps:\n"
    )
    yield from _ends(runs)


def _texts(runs: dict[str, Lines]) -> Iterator[str]:
    name, steps = next(iter(runs.items()))
    kept = [line for line in steps if line["texts"]]
    yield "## What it wrote\n"
    for line in (kept[0], kept[-1]):
        yield f"{name}, step {line['step']}, the first {SHOWN} of 16:\n"
        for sample in line["texts"][:SHOWN]:
            said = sample["error"] or ("a copy" if sample["copied"] else "counts")
            yield f"```\n{sample['text'].strip()}\n```\n{said}\n"


def _smooth(steps: Lines) -> list[tuple[float, float]]:
    shares = [line["counts"] for line in steps]
    return [
        (float(line["step"]), fmean(shares[max(0, place - SMOOTH + 1) : place + 1])) for place, line in enumerate(steps)
    ]
