"""What the parts of the store share: the database, and the check of ids before a query."""

from __future__ import annotations

from autoflow.errors import NotFound
from autoflow.records import IdPrefix, is_id
from autoflow.store.engine import Database

_WORDS = {"wf": "workflow", "tk": "task", "rn": "run", "jb": "job", "st": "study", "su": "suite", "bm": "benchmark"}


class Part:
    """A group of methods of `SqlStore`, over the one database."""

    def __init__(self, database: Database) -> None:
        self.database = database


def checked_id(text: str, prefix: IdPrefix) -> str:
    """`text`, if it has the form of such an id. Raises NotFound: it cannot be one, so no query is made."""
    if not is_id(text, prefix):
        raise missing(text, prefix)
    return text


def missing(identifier: str, prefix: IdPrefix) -> NotFound:
    """The error for an id that no record bears. A long text (from a URL) is cut."""
    return NotFound(f"There is no {_WORDS[prefix]} {identifier[:40]!r}.", "Look whether it is written in full.")
