"""How much CPU time reading takes, in all and a step: a workflow of growing size, and hostile texts.

    python bench/parsing.py            prints a Markdown table; exits 1 where a limit is broken

Limits: 4 s for the largest of the first six texts, and for all of them at most 3 times the time a step where the text
is ten times as long. The figures depend on the machine and on what else it does: the last line of the output says how
long a loop of plain Python takes beside them, to compare by.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from autoflow.lang import parse

LIMIT_S = 4.0
GROWTH = 3.0  # times as long a step at ten times the size: noise and the garbage collector, but nothing quadratic
SIZES = (1_000, 10_000, 100_000)


def plain(steps: int) -> str:
    """A workflow as people write them: two processes, then a decision that may go back."""
    return "".join(_line(number, steps) for number in range(1, steps + 1))


def _line(number: int, steps: int) -> str:
    if number == steps:
        return f"Step {number}:::terminal:::Give the answer that the steps before have found.:::\n"
    if number % 3:
        return (
            f"Step {number}:::process:::Do thing number {number} and note what came of it.:::next::Step {number + 1}\n"
        )
    return f"Step {number}:::decision:::Did thing {number} go well?:::yes::Step {number + 1}::no::Step {number - 2}\n"


def unknown_targets(steps: int) -> str:
    return "".join(f"Step {n}:::process:::Do thing {n}.:::next::Stage {n}\n" for n in range(steps))


def equal_names(steps: int) -> str:
    return "Step 1:::process:::Do it.:::next::Step 1\n" * steps


def one_line(steps: int) -> str:
    """100 characters for each of `steps`: 10 MB at 100,000, most of it branches with every fault of separators."""
    branches = "yes, of course::Step 1:::no, or later::Step 2; maybe::Step 1::::"
    return "Step 1:::decision:::Is it?:::" + branches * (steps * 100 // len(branches))


def colons(steps: int) -> str:
    """Ten for each of `steps`: a million at 100,000."""
    return ":" * (steps * 10)


def prose(steps: int) -> str:
    return "First the mail is read, and then somebody answers it in kind words.\n" * steps


def filled(head: str, piece: str, tail: str = "") -> Callable[[int], str]:
    """A line with 100 characters of `piece` for each step: 10 MB at 100,000. The step that it leads to follows."""
    return lambda steps: f"{head}{piece * (steps * 100 // len(piece))}{tail}\nStep 2:::terminal:::Stop.:::\n"


def faulty(steps: int) -> str:
    """Steps with a fault in each field, and in the branches."""
    return "".join(f":Step {n}::::proces{n}::: :Do:::it.:::yes::Step 2,no::Step {n}:\n" for n in range(steps))


DECISION = "Step 1:::decision:::Is it?:::"
TEXTS: dict[str, Callable[[int], str]] = {
    "plain": plain,
    "all targets unknown": unknown_targets,
    "all names equal": equal_names,
    "one line of 10 MB": one_line,
    "a million colons": colons,
    "all prose": prose,
    "10 MB of branches": filled(DECISION, "y::Step 2::"),
    "10 MB of `a::`": filled(DECISION, "a::"),
    "10 MB of `a:::`": filled(DECISION, "a:::"),
    "10 MB of commas in a target": filled(DECISION + "yes::", ", ", "::no::Step 2"),
    "10 MB of instruction": filled("Step 1:::process:::", "Do it. ", ":::next::Step 2"),
    "10 MB of line separators": filled("Step 1:::process:::Do", "\u2028", ":::next::Step 2"),
    "10 MB of marks out of order": filled("Step 1", "\u0301\u0323", ":::process:::Do it.:::next::Step 2"),
    "10 MB of line feeds": filled("", "\n"),
    "faults in every field": faulty,
}
LIMITED = 6  # of the texts, for which LIMIT_S holds


def seconds(text: str) -> float:
    """CPU time, the best of three (of one, where it takes long): other work on the machine only ever adds to it."""
    times: list[float] = []
    while len(times) < 3 and sum(times) < LIMIT_S:
        start = time.process_time()
        parse(text)
        times.append(time.process_time() - start)
    return min(times)


def plain_loop() -> float:
    """CPU time of 300,000 turns of a loop, the best of five: how fast the machine is right now."""
    times = []
    for _ in range(5):
        start = time.process_time()
        table: dict[int, tuple[int, str]] = {}
        for number in range(300_000):
            table[number & 1023] = (number, str(number))
        times.append(time.process_time() - start)
    return min(times)


def main() -> int:
    """Print the table. Returns 1 where a limit is broken."""
    broken = []
    print("| text | " + " | ".join(f"{size:,}" for size in SIZES) + " | growth a step |")
    print("|---|" + "---|" * (len(SIZES) + 1))
    for number, (name, make) in enumerate(TEXTS.items()):
        taken = [seconds(make(size)) for size in SIZES]
        growth = taken[-1] / SIZES[-1] / (taken[-2] / SIZES[-2])
        print(f"| {name} | " + " | ".join(f"{t:.3f} s" for t in taken) + f" | {growth:.2f} |")
        broken += [name] if growth > GROWTH or (number < LIMITED and taken[-1] > LIMIT_S) else []
    print(f"\nA plain loop took {plain_loop():.3f} s.")
    for name in broken:
        print(f"\n{name}: over {LIMIT_S:g} s, or not linear", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
