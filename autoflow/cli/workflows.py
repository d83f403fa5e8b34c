"""Commands on workflow files: check, fix, format, extract, export, diff."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import output
from autoflow.cli.files import read_text, write_text
from autoflow.cli.options import File, Json
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.lang import ParseResult

Write = Annotated[bool, typer.Option("--write", "-w", help="Write the file instead of printing it.")]


class Target(StrEnum):
    """What a workflow can be exported to."""

    mermaid = "mermaid"
    dot = "dot"
    json = "json"


def register(app: typer.Typer) -> None:
    for command in (check, fix, extract, export, diff):
        app.command()(command)
    app.command("format")(format_)


def check(file: File, json_: Json = False) -> int:
    """Say what is wrong with a workflow. Exit 1 where it has errors."""
    from autoflow.lang import parse

    result = parse(read_text(file))
    if json_:
        output.emit(_as_json(file, result))
        return _code(result)
    from autoflow.lang import render

    output.write(render(result, _shown(file), output.colours(sys.stdout)), coloured=True)
    output.note(_summary(file, result))
    return _code(result)


def fix(file: File, write: Write = False, json_: Json = False) -> int:
    """Mend all that can be mended for certain. Exit 1 where errors remain."""
    from autoflow.lang import fix_all, parse

    _refuse_writing_stdin(file, write)
    before = parse(read_text(file))
    text, applied = fix_all(before.text)
    if not json_:
        for found in applied:
            output.note(f"{output.paint('mended', 'good')} [{found.slug}] {found.message}")
    return _give_text(file, before, text, write, json_)


def format_(file: File, write: Write = False, json_: Json = False) -> int:
    """Print a workflow in its canonical form. Exit 1, and nothing printed or written, where it has errors."""
    from autoflow.lang import format as canonical
    from autoflow.lang import parse

    _refuse_writing_stdin(file, write)
    before = parse(read_text(file))
    if not before.ok:
        return _refuse(file, before, json_)
    return _give_text(file, before, canonical(before.workflow), write, json_)


def extract(file: File, json_: Json = False) -> int:
    """Find the workflow in a model's reply: CoRE on standard output, diagnostics on standard error.

    Exit 1 where there is no workflow (nothing is printed then), or where it has errors.
    """
    from autoflow.lang.extract import extract as find

    result = find(read_text(file))
    if not result.workflow.steps:
        return _refuse(file, result, json_)
    if json_:
        output.emit({**_as_json(file, result), "text": result.text})
        return _code(result)
    _print_diagnostics(file, result)
    output.write(_ended(result.text))
    return _code(result)


def export(
    file: File,
    to: Annotated[Target, typer.Option("--to", help="mermaid, dot or json.")] = Target.mermaid,
    json_: Json = False,
) -> int:
    """Print a workflow as a Mermaid flowchart, a Graphviz digraph or JSON. Exit 1 where it has errors."""
    from autoflow.lang import parse
    from autoflow.lang.export import to_dot, to_mermaid
    from autoflow.lang.jsonform import to_json

    result = parse(read_text(file))
    if to is Target.json:
        output.emit(to_json(result.workflow))
    else:
        text = to_mermaid(result.workflow) if to is Target.mermaid else to_dot(result.workflow)
        output.emit({"file": file, "to": to.value, "text": text}) if json_ else output.write(text)
    if not result.ok:
        output.note(_summary(file, result))
    return _code(result)


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The old workflow.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The new workflow.")],
    json_: Json = False,
) -> int:
    """Say what changed between two workflows, step by step. Exit 1 where one has errors; both are compared still."""
    from autoflow.lang import parse
    from autoflow.lang.diff import diff as compare
    from autoflow.lang.diff import render, to_json

    if a == b == "-":
        raise SettingsError("Standard input can be one of the two workflows, not both.")
    old, new = parse(read_text(a)), parse(read_text(b))
    found = compare(old.workflow, new.workflow)
    output.emit(to_json(found)) if json_ else output.say(render(found))
    for file, result in ((a, old), (b, new)):
        if not result.ok:
            output.note(_summary(file, result))
    return max(_code(old), _code(new))


def _give_text(file: str, before: ParseResult, text: str, write: bool, json_: bool) -> int:
    """Print or write a text that came of `before`, with what is still wrong with it."""
    from autoflow.lang import parse

    after = parse(text)
    if write and text != before.text:
        write_text(file, text)
    if json_:
        output.emit({**_as_json(file, after), "changed": text != before.text, "text": text})
        return _code(after)
    if not write:
        output.write(_ended(text))
    _print_diagnostics(file, after)
    return _code(after)


def _refuse_writing_stdin(file: str, write: bool) -> None:
    if write and file == "-":
        raise SettingsError("Standard input cannot be written to.", "Name a file, or leave out --write.")


def _refuse(file: str, result: ParseResult, json_: bool) -> int:
    if json_:
        output.emit({**_as_json(file, result), "text": None})
    else:
        _print_diagnostics(file, result)
    return output.FAILED


def _print_diagnostics(file: str, result: ParseResult) -> None:
    from autoflow.lang import render

    output.tell(render(result, _shown(file), output.colours(sys.stderr)))


def _as_json(file: str, result: ParseResult) -> dict[str, Any]:
    """The fixed shape of `autoflow check --json`."""
    return {
        "file": file,
        "steps": len(result.workflow.steps),
        "diagnostics": [d.to_json() for d in result.diagnostics],
    }


def _summary(file: str, result: ParseResult) -> str:
    counts = [_count(result, severity) for severity in ("error", "warning", "information")]
    found = ", ".join(filter(None, counts)) or output.paint("nothing wrong", "good")
    return f"{_shown(file)}: {output.plural(len(result.workflow.steps), 'step')}, {found}"


def _count(result: ParseResult, severity: str) -> str:
    number = sum(d.severity == severity for d in result.diagnostics)
    word = "note" if severity == "information" else severity
    return output.paint(output.plural(number, word), severity) if number else ""


def _shown(file: str) -> str:
    return "<stdin>" if file == "-" else file


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _code(result: ParseResult) -> int:
    return output.FINE if result.ok else output.FAILED
