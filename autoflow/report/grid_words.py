"""What may be said of a benchmark, in sentences: which pair is best, what a variant changes, what it was made with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product

from autoflow.benchmark import Benchmark
from autoflow.report.figures import plural, signed
from autoflow.report.grid import SIDES, AgainstFirst, GridCell, Side, Synergy, is_pure
from autoflow.report.grid_read import GridReport
from autoflow.report.grid_table import WORDS, which_kept
from autoflow.statistics import Comparison, Conclusion, conclusion, p_words

NO_MIXED = "Whether two models together do better than one cannot be told: no cell has different models on both sides."
NO_PURE = "Whether two models together do better than one cannot be told: no model of the grid stands on both sides."
_DOUBTS: dict[Conclusion, str] = {
    "equal": ", which cannot tell them apart", "open": ", which cannot tell them apart",
    "not borne out": ", but the rank test does not bear it out: run more tasks",
}  # fmt: skip
METHODS = {
    "in-context": "in-context search",
    "paper": "search as in the paper",
    "lora": "fine-tuning",
    "evaluate": "scored",
}


def answers(report: GridReport) -> list[str]:
    """The answers of the whole grid, one a suite and variant, then what the variants change."""
    return [*synergy_answers(report), *(variant_words(report, one) for one in report.variants)]


def synergy_answers(report: GridReport) -> list[str]:
    """Whether two models together do better than one, for each suite and variant that can tell."""
    if report.synergies:
        return [synergy_words(report, one) for one in report.synergies]
    spec = report.benchmark.spec
    pure = [is_pure(spec, cell.cell) for cell in report.cells]
    return [NO_PURE] if not any(pure) else [NO_MIXED] if all(pure) else []


def synergy_words(report: GridReport, one: Synergy) -> str:
    """`Best mixed pair (A writes, B runs: 0.62) against best pure one (C with itself: 0.57): +0.05, ...`

    A pair whose search found nothing better than it began with is told as one `which kept the manual workflow`.
    """
    spec = report.benchmark.spec
    mixed = f"{spec.generators[one.mixed.cell.generator]} writes, {spec.interpreters[one.mixed.cell.interpreter]} runs"
    mixed += which_kept(one.mixed)
    pure = f"{spec.generators[one.pure.cell.generator]} with itself{which_kept(one.pure)}"
    return (
        f"{_place(report, one.mixed)}Best mixed pair ({mixed}: {_mean(one.mixed)}) against best pure one "
        f"({pure}: {_mean(one.pure)}): {difference_words(one.difference)} Both were chosen on validation, and are "
        "compared on the sealed test."
    )


def variant_words(report: GridReport, one: AgainstFirst) -> str:
    """`no search against search: −0.08, 95 % interval −0.15 to −0.01 over 24 tasks (mean of 4 pairs of models).`"""
    spec = report.benchmark.spec
    first, other = (spec.variants[n].name or "as it is" for n in (0, one.variant))
    suite = f"{report.suites[one.suite]}: " if len(spec.suites) > 1 else ""
    pairs = f" Mean of {plural(one.pairs, 'pair')} of models." if one.pairs > 1 else ""
    kept = "".join(_kept_in(*told, one.pairs) for told in ((first, one.kept_first), (other, one.kept)))
    return f"{suite}{other} against {first}: {difference_words(one.difference)}{pairs}{kept}"


def _kept_in(variant: str, kept: Sequence[Side], pairs: int) -> str:
    """` Of 4 pairs with search 1 kept the manual workflow.`; empty where something was found for all."""
    return "".join(
        f" Of {plural(pairs, 'pair')} with {variant} {kept.count(side)} kept the {WORDS[side]}."
        for side in SIDES
        if side in kept
    )


def difference_words(found: Comparison) -> str:
    """`+0.05, 95 % interval −0.02 to +0.11 over 24 tasks, p 0.21, which cannot tell them apart.`"""
    d, told = found.difference, conclusion(found)
    if found.tasks == 1:
        return f"{signed(d.mean)} on the one task there is, which says nothing of others."
    interval = f"95 % interval {signed(d.low)} to {signed(d.high)}"
    words = f"{signed(d.mean)}, {interval} over {plural(found.tasks, 'task')}{p_words(found.p)}"
    return f"{words}{_DOUBTS.get(told, '')}."


def signed_interval(found: Comparison | None) -> str:
    """`+0.12 (−0.01 to +0.24)`, with p where the rank test does not bear it out; empty where there is none."""
    if found is None:
        return ""
    d, told = found.difference, conclusion(found)
    if found.tasks == 1:
        return f"{signed(d.mean)} (one task)"
    doubt = f"{p_words(found.p)}: not sure" if told == "not borne out" else ""
    return f"{signed(d.mean)} ({signed(d.low)} to {signed(d.high)}{doubt})"


def pair(report: GridReport, one: GridCell) -> str:
    """`A writes, B runs`, with suite and variant where there are several."""
    spec = report.benchmark.spec
    words = f"{spec.generators[one.cell.generator]} writes, {spec.interpreters[one.cell.interpreter]} runs"
    return f"{words}{f' ({place})' if (place := place_words(report, one.cell.suite, one.cell.variant)) else ''}"


def place_words(report: GridReport, suite: int, variant: int) -> str:
    """`openagi-plan, no search`; empty where the grid has one of both."""
    spec = report.benchmark.spec
    parts = [report.suites[suite] if len(spec.suites) > 1 else "", spec.variants[variant].name]
    return ", ".join(filter(None, parts))


def places(report: GridReport) -> list[tuple[int, int]]:
    """Suite and variant of each of the grid's pictures, in order."""
    spec = report.benchmark.spec
    return list(product(range(len(spec.suites)), range(len(spec.variants))))


def facts(benchmark: Benchmark, suites: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What it was made with: name -> value."""
    spec = benchmark.spec
    limits = {
        "calls": spec.budget.max_calls, "tokens": spec.budget.max_tokens, "dollars": spec.budget.max_cost_usd,
        "seconds": spec.budget.max_time_s,
    }  # fmt: skip
    limited = [f"{value:,.10g} {name}" for name, value in limits.items() if value is not None]
    names = suites or tuple(suite.name for suite in spec.suites)
    sizes = (f"{s.train} train, {s.val} validation, {s.test} test tasks, seed {s.seed}" for s in spec.suites)
    day = time.strftime("%Y-%m-%d", time.gmtime(benchmark.created_at)) if benchmark.created_at else ""
    found = [
        ("Generators", ", ".join(spec.generators)),
        ("Interpreters", ", ".join(spec.interpreters)),
        ("Tasks", "; ".join(f"{name}: up to {size}" for name, size in zip(names, sizes, strict=True))),
        ("Method", METHODS[spec.method]),
        ("Limits of a cell", ", ".join([plural(spec.budget.max_rounds, "round"), *limited])),
        ("Runs a task", str(spec.repeats)),
        ("Seed", str(spec.seed)),
        ("Model that suites ask", spec.judge),
        ("Begun", "" if benchmark.recorded else day),
        ("Recording", benchmark.recorded),
    ]
    return [(name, value) for name, value in found if value]


def _place(report: GridReport, one: GridCell) -> str:
    found = place_words(report, one.cell.suite, one.cell.variant)
    return f"{found}: " if found else ""


def _mean(one: GridCell) -> str:
    return f"{one.sides['found'].mean.mean:.2f}"
