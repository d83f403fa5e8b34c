"""What people and models wrote, made harmless where Streamlit would read it as Markdown (labels, captions, badges)."""

from __future__ import annotations

import re

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")  # all that Markdown, LaTeX and icon names are made of
_LINK = re.compile(r"https?:|www|@", re.IGNORECASE)  # addresses turn into links by themselves, escaped or not
_JOINER = "\u2060"  # takes no room, and ends an address
LABEL_CHARACTERS = 80
PREVIEW = 80  # lines


def plain(text: str, limit: int = LABEL_CHARACTERS) -> str:
    """`text` on one line, cut to `limit` characters, as Markdown that shows just that."""
    line = " ".join(text.split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return _PUNCTUATION.sub(r"\\\g<0>", _LINK.sub(lambda found: found.group() + _JOINER, line))


def beginning(text: str, lines: int = PREVIEW) -> str:
    """The first lines of a long text, for reading, and how many more there are."""
    found = text.splitlines()
    more = [f"… and {len(found) - lines:,} more lines"] if len(found) > lines else []
    return "\n".join(found[:lines] + more)


def cut(text: str, limit: int) -> str:
    """`text` on one line, at most `limit` characters, for `st.text`."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
