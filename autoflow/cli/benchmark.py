"""`autoflow benchmark`: a grid of generators and interpreters, carried out here or by workers, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autoflow.cli import output
from autoflow.cli.files import write_text
from autoflow.cli.options import Json, Ray
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.benchmark import Benchmark, BenchmarkSpec
    from autoflow.report.grid_read import GridReport
    from autoflow.store import SqlStore
    from autoflow.study import Split

Models = Annotated[
    list[str], typer.Option(metavar="MODEL", help="May be given several times.", show_default="the embedded one")
]
Size = Annotated[int | None, typer.Option(min=0, help="Tasks in this split.", show_default="the preset's")]
Suites = Annotated[
    list[str],
    typer.Option(
        "--suite", metavar="SUITE", help="Its name or id, or a table; several times.", show_default="the preset's"
    ),
]
Method = Annotated[
    Literal["in-context", "paper", "lora"] | None,
    typer.Option(help="How workflows are proposed.", show_default="the preset's"),
]
Provider = Annotated[
    Literal["hub", "offline"] | None,
    typer.Option(help="Whose tools carry OpenAGI's plans out.", show_default="the hub's if it answers"),
]
Data = Annotated[str | None, typer.Option(metavar="DIR", help="Official data of OpenAGI, for the suite openagi.")]
Out = Annotated[str | None, typer.Option(metavar="OUT", help="Write it there as well.")]


def register(app: typer.Typer) -> None:
    app.command()(benchmark)


def benchmark(  # long: each option of the command is a parameter
    preset: Annotated[
        str | None, typer.Option(help="quick, paper, search, memory, reward or length.", show_default="quick")
    ] = None,
    generator: Models = [],  # noqa: B006
    interpreter: Models = [],  # noqa: B006
    suite: Suites = [],  # noqa: B006
    method: Method = None,
    train: Size = None,
    val: Size = None,
    test: Size = None,
    data: Data = None,
    provider: Provider = None,
    repeats: Annotated[int | None, typer.Option(min=1, max=20, help="Runs a task.", show_default="1")] = None,
    rounds: Annotated[
        int | None, typer.Option(min=0, help="Of each cell; 0: nothing is searched.", show_default="the preset's")
    ] = None,
    max_calls: Annotated[int | None, typer.Option(min=1, help="Of each cell.", show_default="the preset's")] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Likewise US dollars.")] = None,
    max_minutes: Annotated[float | None, typer.Option(min=0.01, help="Likewise of work; pauses do not count.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the splits and of the searches.", show_default="0")] = None,
    judge: Annotated[str | None, typer.Option(metavar="MODEL", help="What suites ask themselves.")] = None,
    name: Annotated[str | None, typer.Option(help="What it is called.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="BENCHMARK", help="Go on with this one.")] = None,
    show: Annotated[str | None, typer.Option("--show", metavar="BENCHMARK", help="Only its table.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Leave it to workers.")] = False,
    html: Out = None,
    csv: Out = None,
    csv_tasks: Annotated[str | None, typer.Option(metavar="OUT", help="Likewise, a line a test task.")] = None,
    latex: Out = None,
    ray: Ray = None,
    json_: Json = False,
) -> int:  # fmt: skip
    """Measure generators with interpreters: the manual workflow beside what each finds, on sealed tests. Exit 1 where
    a cell failed.

    Ctrl-C pauses; `autoflow benchmark --resume BENCHMARK` goes on. Several may work at one: each cell is one job.
    """
    from autoflow.cli.cells import carry_out_cells
    from autoflow.cli.here import refuse_both
    from autoflow.report.grid_read import read_grid
    from autoflow.store import open_store

    refuse_both(detach, ray)
    told = {
        "preset": preset, "generator": generator, "interpreter": interpreter, "suite": suite, "method": method,
        "train": train, "val": val, "test": test, "data": data, "provider": provider, "repeats": repeats,
        "rounds": rounds, "max-calls": max_calls, "max-usd": max_usd,
        "max-minutes": max_minutes, "seed": seed, "judge": judge, "name": name,
    }  # fmt: skip
    store = open_store()
    found = _found(store, resume, show, told)
    output.note(f"Benchmark {found.id}")
    failed = 0
    if show is None and not found.recorded:
        failed = 0 if _left_to_workers(detach) else carry_out_cells(store, found, ray)
    report = read_grid(store, found)
    _write(store, report, html, csv, csv_tasks, latex)
    _tell(store, report, json_=json_)
    return output.FAILED if failed else output.FINE


def _found(store: SqlStore, resume: str | None, show: str | None, told: dict[str, Any]) -> Benchmark:
    """The benchmark that is meant, or a new one. Raises NotFound; SettingsError: it cannot begin, or both are meant."""
    given = [f"--{name}" for name, value in told.items() if value not in (None, [])]
    if resume is not None and show is not None:
        given.append("--show")
    named = resume if resume is not None else show
    if named is None:
        return _begun(store, told)
    if given:
        raise SettingsError(
            f"A benchmark that is there goes on as it was set up, so that {given[0]} means nothing.",
            "Leave it out, or begin a new one without --resume and --show.",
        )
    found = store.get_benchmark(named)
    if resume is not None and found.recorded:
        output.note("This is a recording: it is shown, and cannot go on.")
    return found


def _left_to_workers(detach: bool) -> bool:
    if detach:
        output.note("Its cells wait for a worker: `autoflow serve`, or `python -m autoflow.jobs.worker`.")
    return detach


def _begun(store: SqlStore, told: dict[str, Any]) -> Benchmark:
    from autoflow.optimize.benchmarking import start_benchmark

    name = told["name"] or str(told["preset"] or "quick").capitalize()
    return start_benchmark(store, " ".join(name.split()), _spec(store, told))


def _spec(store: SqlStore, told: dict[str, Any]) -> BenchmarkSpec:
    from autoflow.cli.llms import check_model
    from autoflow.metrics.kinds import near
    from autoflow.optimize.presets import PRESETS, adjusted
    from autoflow.study import SPLITS

    preset = told["preset"] or "quick"
    if preset not in PRESETS:
        raise SettingsError(f"There is no preset `{preset}`.", near(preset, PRESETS))
    models = [[check_model(one) for one in told[side]] or [check_model(None)] for side in ("generator", "interpreter")]
    sizes: dict[Split, int] = {split: told[split] for split in SPLITS if told[split] is not None}
    options = {key: told[key] for key in ("data", "provider") if told[key] is not None}
    minutes = told["max-minutes"]
    budget = {
        "max_rounds": told["rounds"], "max_calls": told["max-calls"], "max_cost_usd": told["max-usd"],
        "max_time_s": None if minutes is None else minutes * 60,
    }  # fmt: skip
    return adjusted(
        PRESETS[preset][1](*models), store=store, suites=told["suite"], method=told["method"], sizes=sizes,
        openagi=options, budget=budget, repeats=told["repeats"], seed=told["seed"] or 0,
        judge=check_model(told["judge"]) if told["judge"] else "",
    )  # fmt: skip


def _write(
    store: SqlStore, report: GridReport, html: str | None, csv: str | None, csv_tasks: str | None, latex: str | None
) -> None:
    from autoflow.report.grid_files import grid_csv, grid_latex, grid_tasks_csv
    from autoflow.report.grid_html import grid_html
    from autoflow.report.grid_read import objectives

    if html is not None:
        write_text(html, grid_html(report, objectives(store, report.benchmark), saved=store.get_suite))
    if csv is not None:
        write_text(csv, "\ufeff" + grid_csv(report))  # without the mark, Excel takes UTF-8 for something else
    if csv_tasks is not None:
        write_text(csv_tasks, "\ufeff" + grid_tasks_csv(report))
    if latex is not None:
        write_text(latex, grid_latex(report))


def _tell(store: SqlStore, report: GridReport, *, json_: bool) -> None:
    from autoflow.report.grid_files import grid_json
    from autoflow.report.grid_html import notes
    from autoflow.report.grid_scoring import PUBLISHED
    from autoflow.report.grid_words import answers, pair

    if json_:
        output.emit(grid_json(report, store.get_suite))
        return
    _print(report)
    for one in report.cells:
        if one.state in ("failed", "stopped", "deleted"):
            output.note(f"{pair(report, one)}: {one.state}: {one.words}")
    for line in notes(report, store.get_suite):
        output.note(line)
    for answer in answers(report):
        output.say(answer)
    for known in PUBLISHED:
        output.note(
            f"Published, not measured here: {known.interpreter}: manual {known.manual}, generated {known.generated} "
            f"(by {known.generator})."
        )


def _print(report: GridReport) -> None:
    from autoflow.cli.table import print_table
    from autoflow.report.grid_table import columns, count_words, lines, span_words, workflow_words
    from autoflow.report.grid_words import signed_interval

    metrics = columns(report)
    head = ("interpreter", "generator", "workflow", "tasks of", "variant", *metrics, "score", "95 % interval", "usable",
            "above manual")  # fmt: skip
    rows = [
        (
            line.interpreter, line.generator or "–", workflow_words(line), line.suite, line.variant or "–",
            *(f"{line.metrics[c].mean:.3f}{count_words(line, c)}" if c in line.metrics else "–" for c in metrics),
            f"{line.mean.mean:.3f}", span_words(line.mean, line.tasks, 3), f"{line.valid:.0%}",
            signed_interval(line.gain),
        )
        for line in lines(report)
    ]  # fmt: skip
    print_table(head, rows or [("nothing was measured yet", *[""] * (len(head) - 1))])
