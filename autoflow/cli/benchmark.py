"""`autoflow benchmark`: a grid of generators and interpreters, carried out here or by workers, and its table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoflow.cli import output
from autoflow.cli.options import Json, Ray
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.benchmark import Benchmark, BenchmarkSpec
    from autoflow.report.grid_table import GridReport
    from autoflow.store import SqlStore

Models = Annotated[
    list[str], typer.Option(metavar="MODEL", help="May be given several times.", show_default="the embedded one")
]


def register(app: typer.Typer) -> None:
    app.command()(benchmark)


def benchmark(
    preset: Annotated[str, typer.Option(help="quick, paper, search, memory, reward or length.")] = "quick",
    generator: Models = [],  # noqa: B006
    interpreter: Models = [],  # noqa: B006
    rounds: Annotated[int | None, typer.Option(min=0, help="Of each cell.", show_default="the preset's")] = None,
    max_calls: Annotated[int | None, typer.Option(min=1, help="Of each cell.", show_default="the preset's")] = None,
    seed: Annotated[int, typer.Option(help="Of the splits and of the searches.")] = 0,
    judge: Annotated[str | None, typer.Option(metavar="MODEL", help="What offline tools of OpenAGI ask.")] = None,
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="BENCHMARK", help="Go on with this one, or show it.")] = None,
    show: Annotated[bool, typer.Option("--show", help="With --resume: only the table, nothing is carried out.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it to workers.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the table there as well.")] = None,
    latex: Annotated[Path | None, typer.Option(metavar="OUT", help="Likewise, for a paper.")] = None,
    ray: Ray = None,
    json_: Json = False,
) -> int:
    """Measure generators with interpreters: the manual workflow beside what each finds, on sealed tests. Exit 1 where
    a cell failed.

    Ctrl-C pauses; `autoflow benchmark --resume BENCHMARK` goes on. Several may work at one: each cell is one job.
    """
    from autoflow.cli.here import refuse_both
    from autoflow.report.grid_table import read_grid
    from autoflow.store import open_store

    refuse_both(detach, ray)
    store = open_store()
    if resume is not None:
        found = store.get_benchmark(resume)
    else:
        found = _begun(store, _spec(preset, generator, interpreter, rounds, max_calls, seed, judge), name or preset)
    output.note(f"Benchmark {found.id}")
    failed = 0 if show or detach else _carry_out(store, found, ray)
    report = read_grid(store, found)
    _write(report, csv, latex)
    _tell(report, json_=json_)
    return output.FAILED if failed else output.FINE


def _spec(
    preset: str, generators: list[str], interpreters: list[str], rounds: int | None, max_calls: int | None, seed: int,
    judge: str | None,
) -> BenchmarkSpec:  # fmt: skip
    from autoflow.cli.llms import check_model
    from autoflow.metrics.kinds import near
    from autoflow.optimize.presets import PRESETS

    if preset not in PRESETS:
        raise SettingsError(f"There is no preset `{preset}`.", near(preset, PRESETS))
    models = [[check_model(one) for one in chosen] or [check_model(None)] for chosen in (generators, interpreters)]
    spec = PRESETS[preset][1](*models)
    limits = {"max_rounds": rounds, "max_calls": max_calls}
    budget = spec.budget.model_copy(update={key: value for key, value in limits.items() if value is not None})
    suites = tuple(suite.model_copy(update={"seed": seed}) for suite in spec.suites)
    told = {"budget": budget, "suites": suites, "seed": seed, "judge": check_model(judge) if judge else ""}
    return spec.model_copy(update=told)


def _begun(store: SqlStore, spec: BenchmarkSpec, name: str) -> Benchmark:
    from autoflow.optimize.benchmarking import start_benchmark

    return start_benchmark(store, name, spec)


def _carry_out(store: SqlStore, benchmark: Benchmark, ray: str | None) -> int:
    """Cell after cell; returns how many failed. One that is paused ends it: Ctrl-C means all."""
    from autoflow.cli.here import carry_out_here, submitted

    failed, studies = 0, list(benchmark.studies.values())
    for n, study_id in enumerate(studies):
        study = store.get_study(study_id)
        if study.stop is not None and study.best is not None:
            continue
        output.note(f"Cell {n + 1} of {len(studies)}: {study.name}")
        job = carry_out_here(store, submitted(store, study.id, study.name), ray)
        if job.state == "failed":
            failed += 1
            output.note(f"The cell {study.name} failed: {job.error}")
        if job.state in ("paused", "cancelled"):
            output.note(f"Paused. Go on: autoflow benchmark --resume {benchmark.id}")
            break
    return failed


def _write(report: GridReport, csv: Path | None, latex: Path | None) -> None:
    from autoflow.report.grid_table import grid_csv, grid_latex

    if csv is not None:
        csv.write_text(grid_csv(report), "utf-8", newline="")
    if latex is not None:
        latex.write_text(grid_latex(report), "utf-8")


def _tell(report: GridReport, *, json_: bool) -> None:
    from autoflow.cli.table import print_table
    from autoflow.report.figures import signed
    from autoflow.report.grid import PUBLISHED
    from autoflow.report.grid_table import grid_json, lines, synergy_words

    if json_:
        output.emit(grid_json(report))
        return
    head = ("interpreter", "generator", "workflow", "variant", "score", "95 % interval", "usable", "above manual")
    rows = [
        (
            line.interpreter, line.generator or "–", line.workflow, line.variant or "–", f"{line.mean:.3f}",
            f"{line.low:.3f} to {line.high:.3f}", f"{line.valid:.0%}",
            "" if line.gain is None else f"{signed(line.gain)} ({signed(line.gain_low or 0)} to {signed(line.gain_high or 0)})",
        )
        for line in lines(report)
    ]  # fmt: skip
    print_table(head, rows or [("nothing was measured yet", *[""] * 7)])
    output.note(f"{report.done} of {len(report.cells)} cells are done.")
    for one in report.synergies:
        output.say(synergy_words(report, one))
    for interpreter, manual, best, by in PUBLISHED:
        output.note(f"Published, not measured: {interpreter}: manual {manual}, generated {best} (by {by}).")
