"""Names that people gave, in Markdown that others will read: shown as they are, and nothing else."""

from __future__ import annotations

import re

_MARKUP = re.compile(r"[\\`*_\[\]<>&|~${}]")
_LINK = re.compile(r"https?:|www|@", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\ud800-\udfff]")
_JOINER = "\u2060"  # takes no room, and keeps an address from becoming a link
_LONGEST = 200


def plain(text: str) -> str:
    """Any text as Markdown that shows just that, on one line: within a sentence, a cell or a heading."""
    line = " ".join(_UNSEEN.sub(" ", text).split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    return _MARKUP.sub(r"\\\g<0>", _LINK.sub(lambda found: found.group() + _JOINER, line))
