"""What can be wrong with a database, as one table: how it is known, and the sentence a person gets.

The documentation (`docs/errors-storage.md`) is made from this table by `as_markdown`; a test keeps the two in step.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from autoflow.errors import NewerDatabase, SettingsError, StorageUnavailable, StoreError


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble. `message` and `hint` hold `{name}`, the database or folder, and maybe `{detail}`."""

    when: str
    error: type[StoreError] | type[SettingsError]
    message: str
    hint: str
    sqlite: frozenset[int] = frozenset()  # primary result codes, https://sqlite.org/rescode.html
    postgres: tuple[str, ...] = ()  # beginnings of SQLSTATE codes


FAULTS: dict[str, Fault] = {
    "full": Fault(
        "the disk is full",
        StorageUnavailable,
        "The disk that holds {name} is full.",
        "Make room and try again; everything that was saved before is still there.",
        frozenset({13}),
        ("53100",),
    ),
    "locked": Fault(
        "another process keeps the database locked",
        StorageUnavailable,
        "The database {name} is kept locked by another program.",
        "Close what else has it open and try again; this change was not saved.",
        frozenset({5, 6}),
        ("55P03", "40P01", "57014"),
    ),
    "busy": Fault(
        "too many connections at once",
        StorageUnavailable,
        "The database {name} has no connection to spare.",
        "Try again in a moment; this change was not saved.",
        postgres=("53300",),
    ),
    "read-only": Fault(
        "the database or its folder is read-only",
        StorageUnavailable,
        "The database {name} cannot be written: the file or its folder is read-only.",
        "Give yourself the right to write there, or set AUTOFLOW_HOME to a folder of your own.",
        frozenset({8}),
        ("25006", "42501"),
    ),
    "folder": Fault(
        "the data folder cannot be made",
        StorageUnavailable,
        "The data folder {name} cannot be made: {detail}.",
        "Set AUTOFLOW_HOME to a folder in which you may write.",
    ),
    "cannot-open": Fault(
        "the file cannot be opened",
        StorageUnavailable,
        "The database {name} cannot be opened.",
        "Look whether it is a file that you may read and write, in such a folder; or set AUTOFLOW_HOME to your own.",
        frozenset({14, 23}),
    ),
    "gone": Fault(
        "the file is moved, removed or replaced while AutoFlow runs",
        StorageUnavailable,
        "The database {name} was moved, removed or replaced while AutoFlow ran.",
        "Put it back where it was, or start AutoFlow again to begin with what is there now; this change was not saved.",
    ),
    "damaged": Fault(
        "the file is no database, or is damaged",
        StorageUnavailable,
        "The file {name} is no database, or is damaged.",
        "Put a copy of it back, or move it away: then a new, empty one is made.",
        frozenset({11, 26}),
    ),
    "disk": Fault(
        "the disk fails",
        StorageUnavailable,
        "The disk that holds {name} failed to read or write.",
        "Look whether the drive is still there and in order, then try again.",
        frozenset({10}),
        ("58",),
    ),
    "unreachable": Fault(
        "the database server is down, its address is wrong, or it refuses the user or the database",
        StorageUnavailable,
        "The database {name} cannot be reached: {detail}.",
        "Start the server, or look at AUTOFLOW_DATABASE_URL; what was saved before is still there.",
        postgres=("08", "57P", "28", "3D000"),
    ),
    "url": Fault(
        "the address of the database cannot be read",
        SettingsError,
        "The address {name} means no database that AutoFlow knows.",
        "Use sqlite:////path/to/file.db or postgresql://user@host/name, or leave AUTOFLOW_DATABASE_URL unset.",
    ),
    "newer": Fault(
        "a newer version of AutoFlow wrote the database",
        NewerDatabase,
        "The database {name} was written by a newer version of AutoFlow (schema {detail}).",
        "Update AutoFlow, or set AUTOFLOW_HOME to another folder.",
    ),
    "other": Fault(
        "anything else that the database reports",
        StorageUnavailable,
        "The database {name} reports: {detail}.",
        "Try again; if it stays, look at the log of the database.",
    ),
}


def fault(kind: str, name: str, detail: str = "") -> StoreError | SettingsError:
    """The error of this kind, with its sentence."""
    found = FAULTS[kind]
    return found.error(found.message.format(name=name, detail=detail.rstrip(". \n")), found.hint)


def kind_of(error: BaseException) -> str:
    """Which fault a driver's error means, by its code and never by its words."""
    code: Any = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return next((kind for kind, known in FAULTS.items() if code & 0xFF in known.sqlite), "other")
    state = getattr(error, "sqlstate", None)
    if state is None:  # psycopg gives no code where it did not get as far as the server, or lost it on the way
        return "unreachable" if type(error).__name__ == "OperationalError" else "other"
    return next((kind for kind, known in FAULTS.items() if state.startswith(known.postgres or "-")), "other")


def as_markdown() -> str:
    """The table of the documentation."""
    rows = [f"| {f.when} | `{f.error.__name__}` | {f.message} {f.hint} |" for f in FAULTS.values()]
    return "\n".join(["| fault | error | what you read |", "|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
