"""`autoflow compare`: two workflows on the same tasks, and whether the one is better; as text, JSON, HTML and CSV."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from autoflow.cli import output
from autoflow.cli.files import read_text, write_text
from autoflow.cli.options import Json, Model, SuiteOption, read_suite_options
from autoflow.errors import JobError, NotFound, SettingsError

if TYPE_CHECKING:
    from autoflow.report.comparison import ComparisonReport
    from autoflow.report.comparisons import Setting
    from autoflow.report.sides import Text
    from autoflow.store import SqlStore
    from autoflow.study import Split, Study, SuiteSpec
    from autoflow.suites.base import Suite

_Out = tuple[str | None, str | None, bool]  # files for HTML and CSV; whether JSON is printed
WHAT = "A file, manual, plain, wf_ID@VERSION or st_ID:CANDIDATE"
A = Annotated[str | None, typer.Argument(metavar="A", help=f"{WHAT}; with --study the number of a candidate.")]
B = Annotated[str | None, typer.Argument(metavar="B", help="Likewise.")]
Size = Annotated[int | None, typer.Option(min=0, help="Tasks in this split.", show_default="the suite's usual")]


def register(app: typer.Typer) -> None:
    app.command()(compare)


def compare(
    a: A = None,
    b: B = None,
    suite: Annotated[str | None, typer.Option("--suite", metavar="SUITE", help="Its name or id, or a table.")] = None,
    suite_option: SuiteOption = [],  # noqa: B006
    study: Annotated[
        str | None, typer.Option("--study", metavar="ID", help="Two of its candidates, as they were scored; no runs.")
    ] = None,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(
            help="Which tasks. The test is sealed: its opening is counted.", show_default="val; of a study: test"
        ),
    ] = None,
    model: Model = None,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs a task, each with another seed.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 0,
    train: Size = None,
    val: Size = None,
    test: Size = None,
    judge: Annotated[str, typer.Option(metavar="MODEL", help="Scores, where the suite has a judge.")] = "",
    max_steps: Annotated[int, typer.Option(min=1, help="Steps visited, a run.")] = 30,
    answer_tokens: Annotated[int, typer.Option(min=1, help="Completion tokens a call may take.")] = 256,
    html: Annotated[str | None, typer.Option("--html", metavar="FILE", help="Write it as one HTML file.")] = None,
    csv: Annotated[str | None, typer.Option("--csv", metavar="FILE", help="Write a line a task.")] = None,
    json_: Json = False,
) -> int:
    """Say whether workflow B is better than A, with its interval. Exit 1 where they could not be compared.

    Runs that were done before are not done again; Ctrl-C pauses, and the same command goes on. With --study nothing is
    run: its best candidate is held against the manual workflow, or A against B where they are given.
    """
    if study is not None:
        return _as_scored(study, a, b, split, suite or model, (html, csv, json_))
    sizes: dict[Split, int | None] = {"train": train, "val": val, "test": test}
    chosen = {name: n for name, n in sizes.items() if n is not None}
    where = _Where(suite, read_suite_options(suite_option), seed, chosen, split or "val", model)
    how = {"repeats": repeats, "judge": judge, "policy": (max_steps, answer_tokens)}
    return _run_both(a, b, where, how, (html, csv, json_))


class _Where(NamedTuple):
    """On which tasks, and by which model."""

    suite: str | None
    options: dict[str, Any]  # of the suite
    seed: int
    sizes: dict[Split, int]
    split: Split
    model: str | None


def _as_scored(
    study: str, a: str | None, b: str | None, split: Split | None, superfluous: str | None, out: _Out
) -> int:
    from autoflow.store import open_store

    if superfluous is not None:
        raise SettingsError("`--study` has a suite and a model.", "Leave out `--suite` and `--model`.")
    store = open_store()
    return _tell(store, _of_study(store, study, a, b, split), *out)


def _run_both(a: str | None, b: str | None, where: _Where, how: dict[str, Any], out: _Out) -> int:
    from autoflow.report.load import load_comparison
    from autoflow.store import open_store
    from autoflow.suites.registry import open_suite, spec_of

    if a is None or b is None:
        raise SettingsError("Two workflows are needed.", "Name A and B, or a study: autoflow compare --study ID")
    if where.suite is None:
        raise SettingsError("The tasks are missing.", "Name a suite: --suite openagi-plan")
    store = open_store()
    spec = spec_of(where.suite, where.seed, where.sizes, where.options, store=store, only=where.split)
    suite = open_suite(spec, saved=store.get_suite)
    first, second = (_text(store, suite, name) for name in (a, b))
    found, numbers = _compared(store, first, second, _setting(spec, where, how))
    return _tell(store, load_comparison(store, found.id, *numbers, where.split), *out)


def _setting(spec: SuiteSpec, where: _Where, how: dict[str, Any]) -> Setting:
    from autoflow.cli.llms import check_model
    from autoflow.records import RunPolicy
    from autoflow.report.comparisons import Setting

    max_steps, answer_tokens = how["policy"]
    return Setting(
        suite=spec, model=check_model(where.model), split=where.split, repeats=how["repeats"],
        judge=check_model(how["judge"]) if how["judge"] else "",
        policy=RunPolicy(max_steps=max_steps, answer_tokens=answer_tokens),
    )  # fmt: skip


def _text(store: SqlStore, suite: Suite, name: str) -> Text:
    """What an argument means. Raises SettingsError, NotFound: nothing."""
    from autoflow.report.sides import GIVEN_REF, OF_SUITE, Text, looks_like_a_ref, text_of, text_of_suite

    if name in OF_SUITE:
        return text_of_suite(suite, name)
    if looks_like_a_ref(name):
        return text_of(store, name)
    called = "standard input" if name == "-" else " ".join(os.path.basename(name).split())
    return Text(GIVEN_REF, called, read_text(name))


def _compared(store: SqlStore, a: Text, b: Text, setting: Setting) -> tuple[Study, tuple[int, int]]:
    """A study that has run both, and their numbers in it: one that did before, or one that does so now.

    Raises JobError: it could not be carried out to its end.
    """
    from autoflow.cli.here import carry_out_here, submitted
    from autoflow.report.comparisons import begin_comparison, find_comparison

    found = find_comparison(store, a, b, setting)
    if found is None or found[0].stop == "person":
        found = (begin_comparison(store, a, b, setting), 0, 1)
    study, *numbers = found
    if study.stop is None:
        output.note(f"Study {study.id}: {output.plural(_runs(study), 'run')}")
        job = carry_out_here(store, submitted(store, study.id, f"Compare {study.name}"))
        if job.state == "paused":
            raise JobError(f"Paused after {job.done:g} runs. {job.message}".strip(), "The same command goes on.")
        if job.state != "done":
            raise JobError(f"The runs did not end: {job.error or job.state}", f"autoflow jobs show {job.id}")
    return store.get_study(study.id), (numbers[0], numbers[1])


def _runs(study: Study) -> int:
    return 2 * len(study.splits[study.spec.split]) * study.spec.repeats


def _of_study(store: SqlStore, study_id: str, a: str | None, b: str | None, split: Split | None) -> ComparisonReport:
    """Two candidates of a study; None: the manual workflow (or what else it began with), and the best."""
    from autoflow.report.load import load_comparison, load_view

    view = load_view(store, study_id, ())
    evaluated = view.study.spec.method == "evaluate"
    second = 1 if b is None and evaluated else view.study.best if b is None else _number(b)
    if second is None:
        raise NotFound(
            f"The study {study_id} has not chosen a best candidate yet.",
            f"Name two: autoflow compare 0 1 --study {study_id} --split val",
        )
    starts = (c.number for c in (view.manual, view.plain) if c is not None and c.number != second)
    first = (0 if evaluated else next(starts, 0)) if a is None else _number(a)
    return load_comparison(store, study_id, first, second, split or (view.study.spec.split if evaluated else "test"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9):
        raise SettingsError(f"`{text[:60]}` is no candidate's number.", "With `--study`, A and B are such as 0 and 7.")
    return int(text)


def _tell(store: SqlStore, report: ComparisonReport, html: str | None, csv: str | None, json_: bool) -> int:
    from autoflow.report.as_json import report_json
    from autoflow.report.csv import report_csv
    from autoflow.report.html import report_html
    from autoflow.report.load import trace_pairs
    from autoflow.report.notes import facts, notes

    if html is not None:
        write_text(html, report_html(report, trace_pairs(store, report)))
    if csv is not None:
        write_text(csv, "\ufeff" + report_csv(report))
    for line in (facts(report), *notes(report)):
        output.note(line)
    if json_:
        output.emit(report_json(report))
    else:
        _print(report)
    return output.FINE if report.comparison is not None else output.FAILED


def _print(report: ComparisonReport) -> None:
    from autoflow.cli.table import print_table
    from autoflow.report.bar import bar_words
    from autoflow.report.notes import side_figures

    output.say(report.verdict)
    if report.comparison is None:
        return
    output.say(bar_words(report.comparison, report.a.name, report.b.name))
    pairs = zip(side_figures(report.a), side_figures(report.b), strict=True)
    print_table(("", f"A {report.a.name}", f"B {report.b.name}"), [(name, one, two) for (name, one), (_, two) in pairs])
