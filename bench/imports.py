"""How fast things start: `import autoflow`, and the command line until it has checked a workflow.

    python bench/imports.py            prints a Markdown table; exit 1 where a limit is broken

The least of seven runs of a fresh process each: other work on the machine can only add. Limits are held against CPU
time, which is the wall-clock time of an idle machine, as one thread does it all.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = str(ROOT / "assets" / "examples" / "refund-mail" / "workflow.core")
RUNS = 7
MEASURED = (  # what, arguments of Python, limit in seconds
    ("python, doing nothing", ["-c", "pass"], None),
    ("`import autoflow`", ["-c", "import autoflow"], 0.3),
    ("`import autoflow.lang`", ["-c", "import autoflow.lang"], 0.3),
    ("`autoflow check FILE`", ["-m", "autoflow.cli", "check", EXAMPLE], 0.4),
)


def seconds(arguments: list[str]) -> tuple[float, float]:
    """CPU and wall-clock seconds of one process."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - began


def main() -> int:
    broken = 0
    print("| what | CPU seconds | wall-clock seconds | limit |\n|---|---:|---:|---:|")
    for what, arguments, limit in MEASURED:
        seconds(arguments)  # compiles what was never compiled
        cpu, wall = map(min, zip(*(seconds(arguments) for _ in range(RUNS)), strict=True))
        broken += limit is not None and cpu > limit
        print(f"| {what} | {cpu:.2f} | {wall:.2f} | {limit or ''} |")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
