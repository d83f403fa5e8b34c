"""The report of `bench/evidence_execution.py`: what carrying plans out is worth, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from autoflow.statistics import Comparison, bootstrap, compare
from autoflow.suites.openagi_run import OFFLINE
from autoflow.suites.openagi_tasks import openagi_tasks
from autoflow.tools.openagi.experts import OpenAGIExperts
from autoflow.tools.openagi.table import TOOLS

Line = Mapping[str, Any]
PICTURES = ("score", "psnr", "ssim")
NAMES = {"score": "score", "psnr": "PSNR", "ssim": "SSIM"}
KINDS = {
    "image-image": "pictures restored", "image-text": "class labels of pictures", "text-text": "texts about texts",
    "image-query-text": "questions about pictures", "document-query-text": "questions about documents",
}  # fmt: skip


def report(lines: Sequence[Line], mark: str, model: str) -> str:
    parts = [*_head(lines, mark, model), *_said(lines), *_summary(lines), *_empties(lines), *_orders(lines)]
    parts += _odd(lines)
    return "\n".join(parts) + "\n"


def _head(lines: Sequence[Line], mark: str, model: str) -> list[str]:
    offline = OpenAGIExperts("offline")
    parts = {tool.name: offline.available(tool.name).part for tool in TOOLS}
    named = "; ".join(f"{tool}: {part}" for tool, part in sorted(parts.items()) if part)
    asking = sum(line["asks"] for line in lines)
    return [
        "# Plans carried out by offline tools\n",
        f"`python bench/evidence_execution.py`, {lines[-1]['date']}, mark `{mark}`. The project's own sample: each "
        "sample is seeded by the numbers of its task and its own; bootstrap seed 0. Score: "
        f"`{OFFLINE.pictures}` for pictures, `{OFFLINE.texts}` for texts, in [0, 1], higher is better. {len(lines)} "
        f"plans on {len({line['task'] for line in lines})} tasks, {asking} of the plans with tools that ask a "
        f"language model ({model}, temperature 0). Tools: {named}.\n",
        "Intervals are 95 % (BCa bootstrap over the samples of a task, four to eight); differences are paired by "
        "sample. So few samples tell large differences alone: where an interval holds 0, nothing is claimed.\n",
        "PSNR and SSIM are in-sample: the settings of the three restorers were chosen by PSNR on the very pictures "
        "that they restore here. On other pictures expect less.\n",
    ]


def _of(lines: Sequence[Line], role: str) -> dict[int, Line]:
    return {line["task"]: line for line in lines if line["role"] == role}


def _wrong(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """The right plan and a wrong order of it."""
    right = _of(lines, "right")
    for line in lines:
        if line["role"] == "wrong":
            yield right[line["task"]], line


def _compared(a: Line, b: Line, figure: str = "score") -> Comparison:
    """How much better B is than A, by sample."""
    return compare(*({str(n): value for n, value in enumerate(side[figure])} for side in (a, b)))


def _pairs(lines: Sequence[Line]) -> list[tuple[Line, Line]]:
    """The right plan and the empty one, by task."""
    right, empty = _of(lines, "right"), _of(lines, "empty")
    return [(right[n], empty[n]) for n in sorted(set(right) & set(empty))]


def _said(lines: Sequence[Line]) -> list[str]:
    """What may be said, counted: an interval that holds 0 says neither better nor worse."""
    rows = ["## In short\n"]
    for words, pairs in (("the empty plan", _pairs(lines)), ("a wrong order", list(_wrong(lines)))):
        for figure in PICTURES:
            found = [_compared(other, right, figure).difference for right, other in pairs if figure in right]
            better, worse = sum(d.low > 0 for d in found), sum(d.high < 0 for d in found)
            rows.append(
                f"- By {NAMES[figure]} the right plan is better than {words} in {better} of {len(found)} comparisons, "
                f"worse in {worse}."
            )
    return [*rows, ""]


def _summary(lines: Sequence[Line]) -> list[str]:
    rows = [
        "## By kind of task\n",
        "Means over tasks; intervals over tasks.\n",
        "| kind | figure | tasks | right plan | empty plan | difference | tasks better, worse |",
        "|---|---|---:|---|---|---|---|",
    ]
    for kind, words in KINDS.items():
        pairs = [pair for pair in _pairs(lines) if pair[0]["kind"] == kind]
        rows += [_kind(words, figure, pairs) for figure in PICTURES if pairs and figure in pairs[0][0]]
    return rows


def _kind(words: str, figure: str, pairs: Sequence[tuple[Line, Line]]) -> str:
    right, empty = ({str(pair[0]["task"]): fmean(pair[k][figure]) for pair in pairs} for k in (0, 1))
    found = compare(empty, right)
    sides = [_interval(list(side.values()), figure) for side in (right, empty)]
    return (
        f"| {words} | {NAMES[figure]} | {len(pairs)} | {' | '.join(sides)} | {_difference(found, figure)} | "
        f"{found.wins}, {found.losses} |"
    )


def _empties(lines: Sequence[Line]) -> list[str]:
    rows = [
        "\n## The right plan against the empty plan\n",
        "An empty plan gives back what the task is about. PSNR in dB.\n",
        "| task | right plan | samples | right | empty | difference | PSNR | SSIM |",
        "|---:|---|---:|---|---|---|---|---|",
    ]
    for b, a in _pairs(lines):
        more = [_difference(_compared(a, b, figure), figure) if figure in b else "" for figure in PICTURES[1:]]
        rows.append(
            f"| {b['task']} | {', '.join(b['plan'])} | {len(b['score'])} | {_interval(b['score'])} | "
            f"{_interval(a['score'])} | {_difference(_compared(a, b))} | {' | '.join(more)} |"
        )
    return rows


def _orders(lines: Sequence[Line]) -> list[str]:
    pairs = sorted(_wrong(lines), key=lambda pair: (pair[1]["task"], pair[1]["plan"]))
    same = [pair for pair in pairs if all(pair[0][f] == pair[1][f] for f in PICTURES if f in pair[0])]
    tasks = ", ".join(str(n) for n in sorted({wrong["task"] for _, wrong in same}))
    rows = [
        "\n## The right order against wrong ones\n",
        "Every other order of the restorations, the rest in place; with fewer than two of them, the plan turned round. "
        f"Above 0: the right order is better. {len(same)} of {len(pairs)} wrong orders gave the very figures of the "
        f"right one and are left out (tasks {tasks}): a plan that ends at a tool keeps what was made before.\n",
        "| task | wrong order | ended at | difference | PSNR | SSIM |",
        "|---:|---|---|---|---|---|",
    ]
    for right, wrong in (pair for pair in pairs if pair not in same):
        more = [_difference(_compared(wrong, right, f), f) if f in wrong else "" for f in PICTURES[1:]]
        rows.append(
            f"| {wrong['task']} | {', '.join(wrong['plan'])} | {wrong['failed']} | "
            f"{_difference(_compared(wrong, right))} | {' | '.join(more)} |"
        )
    return rows


def _odd(lines: Sequence[Line]) -> list[str]:
    """Where score and right plan disagree: listed, not tuned away."""
    pairs = _pairs(lines)
    pairs += sorted(_wrong(lines), key=lambda pair: (pair[1]["task"], pair[1]["plan"]))
    disagreeing = [
        (a, b)
        for a, b in pairs
        if "psnr" in a and (fmean(a["psnr"]) - fmean(b["psnr"])) * (fmean(a["score"]) - fmean(b["score"])) < 0
    ]
    below = [(a, b) for a, b in pairs if fmean(b["score"]) > fmean(a["score"])]
    return [
        "\n## Where the score prefers the worse picture\n",
        f"Of {sum('psnr' in a for a, _ in pairs)} comparisons of pictures, those in which score and PSNR (means) "
        f"prefer different plans: {len(disagreeing)}.\n",
        *_listed(disagreeing),
        "\n## Where the right plan scores below the other\n",
        f"Of {len(pairs)} comparisons: {len(below)}. Differences are right minus other.\n",
        *_listed(below),
    ]


def _listed(pairs: Sequence[tuple[Line, Line]]) -> list[str]:
    if not pairs:
        return ["None."]
    rows = ["| task | objective | other plan | score | PSNR | SSIM |", "|---:|---|---|---|---|---|"]
    for a, b in pairs:
        more = [_difference(_compared(b, a, f), f) if f in a else "" for f in PICTURES]
        plan = ", ".join(b["plan"]) or "none"
        rows.append(f"| {a['task']} | {openagi_tasks()[a['task']].objective} | {plan} | {' | '.join(more)} |")
    return rows


def _interval(values: Sequence[float], figure: str = "score") -> str:
    found, places = bootstrap(values), 1 if figure == "psnr" else 3
    return f"{found.mean:.{places}f} [{found.low:.{places}f}, {found.high:.{places}f}]"


def _difference(found: Comparison, figure: str = "score") -> str:
    d, places = found.difference, 1 if figure == "psnr" else 3
    return f"{d.mean:+.{places}f} [{d.low:+.{places}f}, {d.high:+.{places}f}]"
