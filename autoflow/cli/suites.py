"""`autoflow suites`: what there is to run and score on, and tables of one's own as suites."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import output
from autoflow.cli.options import Json, SuiteOption, read_option, read_suite_options
from autoflow.cli.table import print_table
from autoflow.cli.trace import clip
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.study import SavedSuite, SuiteSpec
    from autoflow.suites.table_add import Choice
    from autoflow.suites.table_read import Table
    from autoflow.suites.table_rows import Preview

SHOWN = 10  # tasks
Suite = Annotated[str, typer.Argument(metavar="SUITE", help="Its name, or the id of a saved one.")]
Column = Annotated[str, typer.Option(metavar="COLUMN", show_default="as its name says")]
Many = Annotated[list[str], typer.Option(metavar="COLUMN", show_default="as their names say")]


def register(app: typer.Typer) -> None:
    from autoflow.cli.propose import propose

    group = typer.Typer(help="Tasks to run and score on; your tables among them.", no_args_is_help=True)
    group.command("list")(list_)
    for command in (show, add, propose, delete):
        group.command()(command)
    app.add_typer(group, name="suites")


def list_(json_: Json = False) -> None:
    """List the suites that are always there, and those you saved, the latest change first."""
    from autoflow.store import open_store
    from autoflow.suites.registry import describe, suite_names

    store = open_store()
    specs = [_spec(name) for name in suite_names()]
    specs += [_spec(suite_id) for suite_id in store.suite_names(limit=1000)]
    told = [{**_named(spec), "about": describe(spec, store.get_suite)} for spec in specs]
    if json_:
        output.emit(told)
        return
    print_table(("suite", "name", "about"), [(t["suite"], clip(t["name"])[:40], clip(t["about"])) for t in told])


def show(
    suite: Suite,
    suite_option: SuiteOption = [],  # noqa: B006
    limit: Annotated[int, typer.Option(min=1, help="Tasks to show.")] = SHOWN,
    json_: Json = False,
) -> None:
    """Show what a suite is, and its first tasks."""
    from autoflow.store import open_store
    from autoflow.suites.registry import describe, spec_of

    store = open_store()
    _refuse_files(suite)
    spec = spec_of(suite, options=read_suite_options(suite_option), store=store, only="train")
    body = store.get_suite(str(spec.options["suite"])).body if spec.name == "table" else {}
    tasks = body["rows"][:limit] if body else _tasks(spec, limit)
    about = {**_named(spec), "about": describe(spec, store.get_suite)}
    if json_:
        output.emit({**about, "body": body, "tasks": tasks})
        return
    output.say(f"{about['name']} ({about['suite']})\n{about['about']}")
    for note in body.get("notes", ()):
        output.say(f"  {note}")
    for task in tasks:
        inputs = "".join(f" | {name}: {text}" for name, text in task.get("inputs", {}).items())
        output.say(clip(f"- {task['objective']}{inputs}"))
        if task.get("expected"):
            output.say(f"    expected: {clip(task['expected'])}")


def add(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A table: CSV, TSV, JSONL or JSON.")],
    name: Annotated[str, typer.Option(help="Of the suite.", show_default="as the file")] = "",
    objective: Column = "",
    instruction: Annotated[str, typer.Option(metavar="TEXT", help="What to do with every row.")] = "",
    input_: Annotated[list[str], typer.Option("--input", metavar="COLUMN", show_default="as their names say")] = [],  # noqa: B006
    expected: Column = "",
    tag: Many = [],  # noqa: B006
    scorer: Annotated[str, typer.Option(metavar="SCORER", show_default="as the answers look")] = "",
    option: Annotated[list[str], typer.Option(metavar="NAME=VALUE", help="Of the scorer.")] = [],  # noqa: B006
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong; save nothing.")] = False,
    json_: Json = False,
) -> int:
    """Save a table as a suite, and say what is wrong in which row. Exit 1 where no row can be used."""
    from autoflow.store import open_store
    from autoflow.suites.table_add import add_table, name_of_file
    from autoflow.suites.table_read import read_file
    from autoflow.suites.table_rows import preview

    table = read_file(file)
    choice = _choice(table, objective, instruction, input_, expected, tag, scorer, option)
    columns, chosen = choice.completed(table)
    seen = preview(table, columns, chosen, choice.options)
    told = {"columns": columns.model_dump(), "scorer": chosen, "options": choice.options or {}, **_seen(seen)}
    saved = None
    if seen.rows and not check:
        saved, _ = add_table(open_store(), table, name or name_of_file(file), choice, source=os.path.basename(file))
    if json_:
        output.emit({**told, "suite": saved.id if saved else None, "name": saved.name if saved else None})
    else:
        _tell(told, seen, saved)
    return output.FINE if seen.rows else output.FAILED


def delete(suite_id: Annotated[str, typer.Argument(metavar="ID", help="Such as su_8k2m1x0c9d7e.")]) -> None:
    """Hide a saved suite; searches on it cannot be run any more."""
    from autoflow.store import open_store

    open_store().delete_suite(suite_id)
    output.note(f"{suite_id} was deleted.")


def _choice(
    table: Table, objective: str, instruction: str, inputs: Sequence[str], expected: str, tags: Sequence[str],
    scorer: str, options: Sequence[str],
) -> Choice:  # fmt: skip
    """What was chosen, with guesses for the rest; a column that was chosen for one part is no guess for another."""
    from autoflow.suites.table_add import Choice
    from autoflow.suites.table_mapping import guess_columns

    guess = guess_columns(table)
    chosen = {objective, expected, *inputs, *tags}
    columns = guess.model_copy(
        update={
            "objective": objective or (guess.objective if guess.objective not in chosen else ""),
            "inputs": tuple(inputs) or tuple(c for c in guess.inputs if c not in chosen),
            "expected": expected or (guess.expected if guess.expected not in chosen else ""),
            "tags": tuple(tags) or tuple(c for c in guess.tags if c not in chosen),
            "origin": guess.origin if guess.origin not in chosen else "",
        }
    )
    return Choice(columns, instruction, scorer, dict(map(read_option, options)) or None)


def _seen(seen: Preview) -> dict[str, Any]:
    problems = [{"row": p.row, "kind": p.kind, "words": p.words} for p in seen.problems]
    return {
        "rows": len(seen.rows), "total": seen.total, "notes": list(seen.notes), "problems": problems,
        "counts": dict(seen.counts), "unused": list(seen.unused),
    }  # fmt: skip


def _tell(told: dict[str, Any], seen: Preview, saved: SavedSuite | None) -> None:
    columns = {name: value for name, value in told["columns"].items() if value}
    shown = ", ".join(f"{n}: {', '.join(v) if isinstance(v, list | tuple) else v}" for n, v in columns.items())
    output.note(f"{output.plural(told['rows'], 'row')} of {told['total']:,} can be used. {clip(shown)}")
    output.note(f"scorer: {told['scorer']}")
    for sentence in (*seen.notes, *seen.sentences()):
        output.note(f"  {sentence}")
    if seen.unused:
        output.note(f"  Not used: {clip(', '.join(seen.unused))}.")
    if saved:
        output.say(saved.id)


def _refuse_files(suite: str) -> None:
    if os.path.isfile(suite):
        raise SettingsError(
            f"`{suite}` is a file, not a suite.", f"Look at it first: autoflow suites add {suite} --check"
        )


def _spec(name: str) -> SuiteSpec:
    from autoflow.records import is_id
    from autoflow.study import SuiteSpec

    return SuiteSpec(name="table", options={"suite": name}) if is_id(name, "su") else SuiteSpec(name=name)


def _named(spec: SuiteSpec) -> dict[str, Any]:
    from autoflow.store import open_store
    from autoflow.suites.registry import title_of

    return {"suite": spec.options.get("suite", spec.name), "name": title_of(spec, open_store().get_suite)}


def _tasks(spec: SuiteSpec, limit: int) -> list[dict[str, Any]]:
    from autoflow.suites.registry import open_suite

    suite = open_suite(spec)
    return [
        {"objective": task.task.objective, "expected": suite.expected(task), "tags": list(task.tags)}
        for task in suite.tasks("train")[:limit]
    ]
