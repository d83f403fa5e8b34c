"""Files that users name on the command line: read with a sentence for all that can be wrong, written whole or not."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from autoflow.errors import SettingsError

MAX_BYTES = 64 * 1024 * 1024  # of a workflow; far above what anybody writes
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(name: str) -> str:
    """The text of a file, or of standard input where `name` is `-`.

    Raises SettingsError: missing, a folder, unreadable, too large, or no UTF-8 text.
    """
    shown = "Standard input" if name == "-" else f"`{name}`"
    data = _stdin() if name == "-" else read_bytes(name, MAX_BYTES, "Check the path, or use `-` for standard input.")
    if data.startswith(_UTF16):
        raise SettingsError(f"{shown} is in UTF-16, not in UTF-8.", "Save it as UTF-8.")
    if b"\x00" in data[:8192]:
        raise SettingsError(f"{shown} is a binary file, not a workflow.", "Name a text file in UTF-8.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError(
            f"{shown} is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line} fits no character.",
            "Save it as UTF-8.",
        ) from error


def read_bytes(name: str, limit: int, missing: str = "Check the path.") -> bytes:
    """The content of a file of at most `limit` bytes. Raises SettingsError with the reason.

    `missing`: what to do where there is no such file.
    """
    try:
        if os.path.isdir(name):
            raise SettingsError(f"`{name}` is a folder, not a file.")
        with open(name, "rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise SettingsError(f"There is no file `{name}`.", missing) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise SettingsError(f"`{name}` cannot be read: {_reason(error)}.") from error
    if len(data) > limit:
        raise SettingsError(f"`{name}` is larger than {limit // 2**20} MB, the most that is read.")
    return data


def write_text(name: str, text: str) -> None:
    """Write a file whole: the old content stays until the new one is complete. Raises SettingsError with the reason."""
    path = Path(os.path.realpath(name))  # a link keeps being a link
    try:
        if path.exists() and not path.is_file():  # a device or a pipe is written to, never replaced
            path.write_text(text, "utf-8", "backslashreplace")
            return
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.write(text)
            os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except (OSError, ValueError) as error:
        raise SettingsError(f"`{name}` cannot be written: {_reason(error)}.") from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, and its folder. Raises SettingsError with the reason."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
    except (OSError, ValueError) as error:
        raise SettingsError(f"`{path}` cannot be written: {_reason(error)}.") from error


def _stdin() -> bytes:
    if sys.stdin is None:
        raise SettingsError("Standard input is closed.", "Name a file, or send the text through a pipe.")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SettingsError(f"Standard input holds more than {MAX_BYTES // 2**20} MB, the most that is read.")
    return data


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
