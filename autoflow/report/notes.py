"""What a reader of a comparison must know, in sentences, and the figures of each side, in words."""

from __future__ import annotations

from autoflow.report.comparison import Cell, ComparisonReport, Side
from autoflow.report.figures import duration, money, plural


def facts(report: ComparisonReport) -> str:
    """What was compared on what: suite, split, model, seed, repeats."""
    spec = report.study.spec
    repeats = f", {spec.repeats} runs a task" if spec.repeats > 1 else ""
    return (
        f"Suite {report.suite} (seed {spec.suite.seed}), {SPLIT_WORDS[report.split]}, carried out by "
        f"{spec.interpreter}{repeats}; study {report.study.id}."
    )


SPLIT_WORDS = {"train": "training tasks", "val": "validation tasks", "test": "sealed test"}


def notes(report: ComparisonReport) -> list[str]:
    """Sentences that a reader needs so as not to be misled; the gravest first."""
    found = [_text_error(side) for side in (report.a, report.b)]
    if report.study.recorded:
        found.append(f"This is a recording: {report.study.recorded}")
    if report.missing:
        found.append(f"Not finished: {plural(report.missing, 'run')} still missing.")
    if count := waiting(report):
        found.append(f"{plural(count, 'task')} left out until a person has rated the answers.")
    if report.sealed:
        found.append(_sealed(report.test_openings))
    if report.split == "val" and report.study.spec.method != "evaluate":
        found.append("The search chose by these validation tasks, so that what it found looks better here than it is.")
    if report.proposed:
        found.append(f"Proposed by a model: {', '.join(report.proposed)}.")
    if cached := report.a.totals.cached + report.b.totals.cached:
        found.append(f"{plural(cached, 'call')} answered from the cache: they cost nothing and took no time.")
    return [note for note in found if note]


def side_figures(side: Side) -> list[tuple[str, str]]:
    """What a side scored and took: name -> figure with its unit. The same names for every side."""
    total, runs = side.totals, side.runs
    mean = f"{side.score.mean:.2f} ({side.score.low:.2f} to {side.score.high:.2f})" if side.score else "–"
    valid = "–" if side.valid is None else f"{side.valid:.0%}"
    used = f"{total.prompt_tokens:,} → {total.completion_tokens:,}" if not total.unknown_tokens else "not told"
    return [
        ("Score (95 % interval)", mean),
        ("Runs with a usable answer", f"{valid} of {runs:,}" if runs else "–"),
        ("Model calls a run", f"{total.calls / runs:.1f}" if runs else "–"),
        ("Median time of a run", "–" if side.p50_s is None else duration(side.p50_s)),
        ("Tokens", used if runs else "–"),
        ("Cost", money(total.cost_usd) if runs else "–"),
        ("Cost of judging", money(side.judge.cost_usd) if side.judge.calls else "–"),
    ]


def _text_error(side: Side) -> str:
    return f"{side.name} cannot run: {side.error}" if side.error else ""


def waiting(report: ComparisonReport) -> int:
    """Tasks that count only when a person has rated the answers."""
    return sum(1 for row in report.rows if _waits(row.a) or _waits(row.b))


def _waits(cell: Cell | None) -> bool:
    return cell is not None and cell.score is None


def _sealed(openings: int) -> str:
    times = "once" if openings == 1 else f"{openings} times"
    if openings <= 1:
        return f"Scored on the sealed test, which was opened {times}." if openings else "Scored on the sealed test."
    return (
        f"Scored on the sealed test, which was opened {times} by now: the oftener it is looked at before a choice, "
        "the less it proves."
    )
