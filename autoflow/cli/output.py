"""What commands print: results on standard output, everything said about them on standard error."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TextIO

from autoflow.errors import AutoFlowError, ModelNotFound, NotFound, SettingsError, UnknownTool

FINE, FAILED, USAGE, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141
PIECE = 32_768  # characters written at a time
_COLOURS = {"error": "31;1", "warning": "33;1", "information": "36;1", "hint": "36", "good": "32", "quiet": "2"}
# What steers a terminal or turns the order of letters round. Our own colours, matched first, may pass.
_STEERS = re.compile(
    "(\x1b\\[(?:[0-2]|1;3[1-6]|3[1-6](?:;1)?)m)|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)


class _State:
    """Whether the command that runs was asked for JSON."""

    json = False


def wants_json() -> bool:
    """Known before the arguments are read, so that a fault in them is told as JSON too."""
    return _State.json


def start(arguments: Sequence[str]) -> None:
    """UTF-8 on both streams whatever the locale says; what has no UTF-8 form is escaped, never an exception."""
    _State.json = "--json" in arguments
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _open_closed_streams() -> None:
    """Where a standard stream was closed, the next file that is opened would take its number: a database, say, into
    which a library then prints. So the numbers are taken by the null device, and what is written to it is lost."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115  (for the life of the process)
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


class OutputLost(Exception):
    """A stream takes nothing more; no `reason` where its reader has left. Not an OSError: typer looks at those."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def write(text: str, *, coloured: bool = False) -> None:
    """A result, on standard output; exactly as it is, but on a terminal harmless. `coloured`: it bears our colours."""
    _send(sys.stdout, harmless(text, coloured) if sys.stdout.isatty() else text)


def say(text: str) -> None:
    """A line of a result."""
    write(text + "\n")


def emit(value: Any) -> None:
    """A result as JSON."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def note(text: str) -> None:
    """A line for the person who watches, on standard error."""
    tell(text + "\n")


def tell(text: str) -> None:
    """Text for the person who watches, with nothing in it that steers the terminal but our colours."""
    _send(sys.stderr, harmless(text, coloured=True))


def retell(text: str) -> None:
    """A line that takes the place of the one before, where that was told by this function too."""
    _send(sys.stderr, "\r\x1b[K")
    tell(text)


def harmless(text: str, coloured: bool = False) -> str:
    """`text` as a terminal can show it: control characters and overrides of direction as `\\u001b`.

    Files, servers and models wrote much of what is printed; none of it may move the cursor or hide a word. The escape
    is that of JSON, so that JSON stays JSON.
    """

    def shown(found: re.Match[str]) -> str:
        return found[0] if coloured and found[1] else f"\\u{ord(found[0][0]):04x}{found[0][1:]}"

    return _STEERS.sub(shown, text)


def _send(stream: TextIO, text: str) -> None:
    try:
        for start in range(0, len(text), PIECE):  # of a long text that is written at once the end may be lost unnoticed
            stream.write(text[start : start + PIECE])
            stream.flush()
    except BrokenPipeError as error:
        raise OutputLost("") from error
    except OSError as error:
        raise OutputLost(error.strerror or str(error)) from error


def plural(number: int, word: str) -> str:
    """`1 call`, `2 calls`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def colours(stream: TextIO) -> bool:
    """Whether colours may be used: on a terminal, unless NO_COLOR is set."""
    if not stream.isatty():
        return False
    from autoflow.settings import environment  # takes 0.1 s to load

    return environment("NO_COLOR") is None and environment("TERM") != "dumb"


def paint(text: str, style: str) -> str:
    """`text` in the colour of `style`, for standard error."""
    return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if colours(sys.stderr) else text


def report(kind: str, message: str, hint: str = "") -> None:
    """An error: JSON on standard output where JSON was asked for, else a sentence and what to do."""
    if wants_json():
        emit({"error": {"type": kind, "message": message, "hint": hint}})
        return
    note(f"{paint('error:', 'error')} {message}")
    if hint:
        note(f"{paint('hint:', 'hint')} {hint}")


def report_error(error: AutoFlowError) -> int:
    """Report an error that was raised on purpose; returns the exit code it stands for."""
    report(type(error).__name__, error.message, error.hint)
    return USAGE if isinstance(error, SettingsError | NotFound | ModelNotFound | UnknownTool) else FAILED


def close(lost: OutputLost) -> int:
    """Say why output was lost, nothing where its reader left; what is still buffered must not fail again at exit."""
    if lost.reason:
        with suppress(OSError):
            sys.stderr.write(f"error: The output cannot be written: {lost.reason}.\n")
            sys.stderr.flush()
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(devnull, stream.fileno())
    return FAILED if lost.reason else BROKEN_PIPE
