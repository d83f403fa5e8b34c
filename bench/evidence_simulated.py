"""Evidence: methods `paper` and `in-context` at equal calls, where success depends on what a workflow says.

Landscapes and models are simulated (`bench/simulated`): figures say how the searches compare, nothing about language
models. Every finished search is a line of `docs/evidence/simulated.jsonl`; the same command goes on where it was
stopped, and begins anew where the code of the landscapes or of the searches has changed. The report is
`docs/evidence/simulated.md`.

    python bench/evidence_simulated.py [--seeds 20] [--report]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
os.environ["AUTOFLOW_HOME"] = tempfile.mkdtemp(prefix="autoflow-evidence-")  # the shipped prompts
sys.path.insert(0, str(ROOT))

from autoflow.statistics import bootstrap, compare  # noqa: E402
from bench.simulated.landscape import LANDSCAPES  # noqa: E402
from bench.simulated.search import search  # noqa: E402

FOLDER = ROOT / "docs" / "evidence"
METHODS = ("paper", "in-context")
CALLS = 3_000  # of a search, generator and interpreter together
ATTENTION = (0.0, 0.5)  # how often the generator uses feedback that it is shown
POINTS = tuple(range(250, CALLS + 1, 250))
OF_PARTS = ("parts", "wording", "cues", "questions", "trying", "ending", "cue", "warnings", "estimate", "adopt")
Line = dict[str, Any]
Key = tuple[str, str, float, int]


def mark() -> str:
    """What the results depend on: the landscapes and models, the searches, the settings.

    Operators that are for answers of known words alone have nothing to do here.
    """
    files = [file for folder in ("bench/simulated", "autoflow/optimize") for file in (ROOT / folder).rglob("*.*")]
    content = [f.read_bytes() for f in sorted(files) if f.suffix in (".py", ".md") and f.stem not in OF_PARTS]
    return hashlib.sha256(b"\0".join(content) + str(CALLS).encode()).hexdigest()[:12]


def one(key: Key) -> Line:
    landscape, method, attention, seed = key
    began = time.monotonic()
    found = asyncio.run(search(landscape, method, seed, calls=CALLS, attention=attention))  # type: ignore[arg-type]
    return {
        "landscape": landscape, "method": method, "attention": attention, "seed": seed, **found,
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


class Log:
    """The finished searches of this experiment."""

    def __init__(self) -> None:
        self.path = FOLDER / "simulated.jsonl"
        self.mark = mark()
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        self.lines = [line for line in map(json.loads, lines) if line["mark"] == self.mark]

    def add(self, line: Line) -> None:
        """Results of other code are dropped from the file with the first new one."""
        line = {"mark": self.mark, "date": time.strftime("%Y-%m-%d", time.gmtime()), **line}
        self.lines.append(line)
        if len(self.lines) == 1:
            self.path.write_text("", "utf-8")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def missing(self, seeds: int) -> list[Key]:
        there = {(line["landscape"], line["method"], line["attention"], line["seed"]) for line in self.lines}
        every = [(a, m, t, s) for s in range(seeds) for t in ATTENTION for a in LANDSCAPES for m in METHODS]
        return [key for key in every if key not in there]


def best_after(line: Line, calls: int) -> float:
    """Test score of the best so far when so many calls were spent."""
    reached: list[float] = [score for spent, score in line["curve"] if spent <= calls]
    return reached[-1] if reached else float(line["manual"])


def report(log: Log) -> str:
    seeds = len({line["seed"] for line in log.lines})
    parts = [
        "# `paper` and `in-context` on simulated landscapes\n",
        f"`python bench/evidence_simulated.py`, {log.lines[-1]['date']}, {seeds} seeds, {CALLS:,} calls a search, mark "
        f"`{log.mark}`. Simulated generator and interpreter (`bench/simulated`): the figures compare searches and say "
        "nothing about language models. Scores are means over 40 test tasks that no search sees, of the workflow "
        "that each search would choose; intervals are 95 % (bootstrap over seeds). Attention is how often the "
        "generator uses feedback that it is shown: at 0 only the search itself differs.\n",
        "| landscape | attention | manual | paper | in-context | difference (paired by seed) | p |",
        "|---|---|---|---|---|---|---|",
    ]
    parts += [_row(log.lines, landscape, attention) for landscape in LANDSCAPES for attention in ATTENTION]
    parts += ["\n## Curves: test score of the best so far, by calls\n"]
    for landscape in LANDSCAPES:
        for attention in ATTENTION:
            parts += _curve(log.lines, landscape, attention)
    return "\n".join(parts) + "\n"


def _of(lines: Sequence[Line], landscape: str, attention: float, method: str) -> dict[str, Line]:
    return {
        str(line["seed"]): line
        for line in lines
        if (line["landscape"], line["attention"], line["method"]) == (landscape, attention, method)
    }


def _row(lines: Sequence[Line], landscape: str, attention: float) -> str:
    paper, ours = (_of(lines, landscape, attention, method) for method in METHODS)
    if not set(paper) & set(ours):
        return f"| {landscape} | {attention:g} | | | | not yet | |"
    found = compare({s: x["test"] for s, x in paper.items()}, {s: x["test"] for s, x in ours.items()})
    manual = bootstrap([x["manual"] for x in paper.values()])
    cells = [_interval([x["test"] for x in side.values()]) for side in (paper, ours)]
    d = found.difference
    p = "" if found.p is None else f"{found.p:.4f}"
    return (
        f"| {landscape} | {attention:g} | {manual.mean:.3f} | {cells[0]} | {cells[1]} | "
        f"{d.mean:+.3f} [{d.low:+.3f}, {d.high:+.3f}] | {p} |"
    )


def _curve(lines: Sequence[Line], landscape: str, attention: float) -> list[str]:
    rows = [f"**{landscape}**, attention {attention:g}\n", "| calls | " + " | ".join(METHODS) + " |", "|---|---|---|"]
    for calls in POINTS:
        cells = []
        for method in METHODS:
            found = [best_after(line, calls) for line in _of(lines, landscape, attention, method).values()]
            cells.append(_interval(found) if found else "")
        rows.append(f"| {calls:,} | " + " | ".join(cells) + " |")
    return [*rows, ""]


def _interval(values: Sequence[float]) -> str:
    found = bootstrap(values)
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", action="store_true", help="only write the report")
    arguments = parser.parse_args()
    log = Log()
    left = [] if arguments.report else log.missing(arguments.seeds)
    began = time.monotonic()
    with ProcessPoolExecutor(arguments.workers) as pool:
        for n, future in enumerate(as_completed([pool.submit(one, key) for key in left]), 1):
            log.add(future.result())
            rest = (time.monotonic() - began) / n * (len(left) - n)
            print(f"{n} of {len(left)} searches, about {rest / 60:.0f} minutes left", flush=True)
    if log.lines:
        (FOLDER / "simulated.md").write_text(report(log), "utf-8")
        print(f"Report: {FOLDER / 'simulated.md'}")


if __name__ == "__main__":
    main()
