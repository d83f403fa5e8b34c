"""The tree of commands, and how every way to fail ends: as a sentence and an exit code, never as a traceback."""

from __future__ import annotations

import functools
import io
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer._click.exceptions import ClickException  # typer carries its own click and exports only its base error

from autoflow.cli import output
from autoflow.errors import AutoFlowError

log = logging.getLogger(__name__)
app = typer.Typer(
    name="autoflow",
    help="Author, run and self-improve workflows for LLM agents, written in CoRE.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from autoflow import __version__

        output.emit({"version": __version__}) if output.wants_json() else output.say(f"autoflow {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    json_: Annotated[
        bool, typer.Option("--json", help="Print JSON on standard output; every command takes it.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Author, run and self-improve workflows for LLM agents, written in CoRE."""


def _add_commands() -> None:
    from autoflow.cli import (
        adopt,
        benchmark,
        compare,
        data,
        evaluate,
        examples,
        generate,
        jobs,
        models,
        optimize,
        run,
        runs,
        serve,
        suites,
        tools,
        workflows,
    )

    for module in (
        workflows,
        generate,
        run,
        runs,
        evaluate,
        compare,
        benchmark,
        adopt,
        suites,
        data,
        examples,
        models,
        optimize,
        jobs,
        tools,
        serve,
    ):
        module.register(app)


_add_commands()


def run_command(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns its exit code."""
    logging.getLogger().addHandler(logging.NullHandler())  # what is logged is for files, not for standard error
    arguments = list(sys.argv[1:] if argv is None else argv)
    output.start(arguments)
    try:
        return _run(arguments)
    except output.OutputLost as lost:
        return output.close(lost)


@functools.cache  # takes 40 ms, and tests call many commands in one process
def _command() -> Callable[..., Any]:
    return typer.main.get_command(app)


def _run(arguments: list[str]) -> int:
    try:
        result = _command()(args=arguments, prog_name="autoflow", standalone_mode=False)
        if result == output.INTERRUPTED:  # what typer makes of most Ctrl-C
            output.note("Stopped.")
        return result if isinstance(result, int) else output.FINE
    except AutoFlowError as error:
        return output.report_error(error)
    except ClickException as error:
        return _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        output.note("Stopped.")
        return output.INTERRUPTED
    except output.OutputLost:
        raise
    except Exception as error:  # the last line of defence: a fault of ours, told as one
        output.report("InternalError", f"AutoFlow itself failed: {type(error).__name__}: {error}.", _logged())
        return output.FAILED


def _logged() -> str:
    """Write the exception under way to the log; says where it is."""
    from autoflow.cli.logs import log_file

    try:
        with log_file() as path:
            log.exception("unexpected")
        return f"The log says where: {path}"
    except AutoFlowError:
        return ""


def _usage(error: ClickException) -> int:
    error.message = error.message.replace("Value error, ", "")  # pydantic's word for it, nobody else's
    if output.wants_json():
        output.report("UsageError", error.format_message())
    else:
        told = io.StringIO()
        error.show(told)
        output.tell(told.getvalue())
    return output.USAGE
