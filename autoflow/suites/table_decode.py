"""Bytes of a user's file as text. What was assumed or lost on the way is told in notes, never kept quiet."""

from __future__ import annotations

import codecs
import re

from autoflow.errors import SettingsError

Decoded = tuple[str, str, list[str]]  # text, encoding, notes
_BOMS = (  # UTF-32 before UTF-16: the mark of one begins with that of the other
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_AS_CSV = "Open it in its program and save it as CSV in UTF-8."
_OTHERS = (
    (b"PK\x03\x04", "a spreadsheet or another packed file"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of an older kind"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
)
_SAMPLE = 65_536  # bytes that are looked at to tell UTF-16 without a mark, and text from anything else
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MOST_CONTROLS = 0.1  # share of control characters up to which it counts as text
_FEW_CONTROLS = 32  # so many are text in any case
_UNHELD = re.compile(r"[\x00\ud800-\udfff]")  # what no database holds: NUL, halves of surrogate pairs


def decode(data: bytes, shown: str) -> Decoded:
    """The text of a file: UTF-8, UTF-16 or UTF-32 where its bytes say so, else Windows-1252 with a note.

    Args:
        shown: what the file is called in errors.
    Raises SettingsError: it is no text.
    """
    for start, kind in _OTHERS:
        if data.startswith(start):
            raise SettingsError(f"{shown} is {kind}, not a table in text form.", _AS_CSV)
    text, encoding, notes = _decoded(data)
    sample = text[:_SAMPLE]
    if len(_CONTROLS.findall(sample)) > max(_FEW_CONTROLS, _MOST_CONTROLS * len(sample)):
        raise SettingsError(f"{shown} is a binary file, not a table in text form.", _AS_CSV)
    nuls = text.count("\x00")
    if nuls:
        notes.append(f"NUL characters that were taken out: {nuls:,}.")
        text = text.replace("\x00", "")
    return text, encoding, notes


def clean(text: str) -> str:
    """The text as every database holds it: NUL and halves of surrogate pairs become U+FFFD."""
    return _UNHELD.sub("\ufffd", text)


def _decoded(data: bytes) -> Decoded:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], encoding)
    if encoding := _unmarked_utf16(data[:_SAMPLE]):
        text, _, notes = _marked(data, encoding)
        return text, encoding, [f"The file does not say its encoding; {encoding.upper()} was assumed.", *notes]
    try:
        return data.decode("utf-8"), "utf-8", []
    except UnicodeDecodeError:
        return _broken_utf8(data) or _western(data)


def _marked(data: bytes, encoding: str) -> Decoded:
    text = data.decode(encoding, "replace")
    return text, encoding, _lost(text) if not _exact(data, encoding) else []


def _exact(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _unmarked_utf16(sample: bytes) -> str:
    """Its name, where nearly every second byte is 0, as in Latin text; else empty."""
    pairs = len(sample) // 2
    low, high = sample[0::2].count(0), sample[1::2].count(0)
    if pairs and high > 0.7 * pairs and low < 0.1 * pairs:
        return "utf-16-le"
    return "utf-16-be" if pairs and low > 0.7 * pairs and high < 0.1 * pairs else ""


def _broken_utf8(data: bytes) -> Decoded | None:
    """Read as UTF-8 all the same, where most of what is not ASCII fits: then a few bytes were damaged."""
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return (text, "utf-8", _lost(text)) if good > 10 * bad else None


def _western(data: bytes) -> Decoded:
    note = "The file is not UTF-8; {} was assumed. Look whether letters with accents are right."
    try:
        return data.decode("cp1252"), "windows-1252", [note.format("Windows-1252 (Western European)")]
    except UnicodeDecodeError:  # five bytes mean nothing there
        return data.decode("latin-1"), "latin-1", [note.format("Latin-1 (ISO 8859-1)")]


def _lost(text: str) -> list[str]:
    count = text.count("\ufffd")
    return [f"Characters that could not be read: {count:,}. `\ufffd` stands in their place."] if count else []
