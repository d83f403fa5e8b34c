"""Which branch a reply means: read exactly first, then by the one key it holds, and never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from autoflow.interpret.replies import json_field, json_object, unfenced
from autoflow.lang.workflow import fold

_DECORATION = " \t*_`\"'“”‘’«»()[]{}<>#.,;!?…。！？、-–—=>"
_LOOKED_AT = 20_000  # characters at the end of a reply in which a key is looked for
_WITHOUT_SPACES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def read_branch(text: str, keys: Sequence[str]) -> str | None:
    """The key that a visible reply names, as the workflow spells it; None where none or several fit.

    Looked at in this order: the field `branch` of a JSON object, the last line with a word in it, the whole text.
    Each must be the key (without regard to case, white space and decoration), or else hold exactly one of the keys at
    word borders.
    """
    field = json_field(text, "branch")
    if field is not None:
        return _named(field, keys)
    if json_object(text) is not None:
        return None
    text = unfenced(text)[-_LOOKED_AT:]
    lines = [line for line in text.split("\n") if line.strip(_DECORATION)] or [text]
    return _exact(text, keys) or _named(lines[-1], keys) or _named(text, keys)


def without_choice(text: str, key: str | None) -> str:
    """A plain reply without its last line where that is the choice alone; the choice where nothing else is there."""
    head, _, last = text.rstrip().rpartition("\n")
    if key is not None and head.strip() and _exact(last, [key]):
        return head.strip()
    return text


def _named(text: str, keys: Sequence[str]) -> str | None:
    return _exact(text, keys) or _contained(text, keys)


def _exact(text: str, keys: Sequence[str]) -> str | None:
    """The key that the text is, also after a label such as `Branch:`."""
    candidates = (text, text.rpartition(":")[2])
    for spelling in (fold, _bare):
        names = {spelling(key): key for key in keys}
        if len(names) == len(keys):  # keys that differ in nothing but decoration are only told apart as written
            found = next((names[s] for c in candidates if (s := spelling(c)) and s in names), None)
            if found is not None:
                return found
    return None


def _bare(text: str) -> str:
    return fold(text.strip(_DECORATION))


def _contained(text: str, keys: Sequence[str]) -> str | None:
    """The only key that the text holds; a key inside a longer one ("yes" in "yes, later") does not count."""
    text, found = fold(text), []
    for key in sorted(keys, key=len, reverse=True):
        rest = _without(fold(key), text)
        if rest != text:
            found.append(key)
        text = rest
    return found[0] if len(found) == 1 else None


def _without(word: str, text: str) -> str:
    """The text with a mark in place of the word wherever it stands at word borders."""

    def masked(found: re.Match[str]) -> str:
        inside = _joined(text, found.start() - 1) or _joined(text, found.end() - 1)
        return found[0] if inside else "\0"

    return re.sub(re.escape(word), masked, text)


def _joined(text: str, position: int) -> bool:
    """Whether the characters at `position` and after it belong to one word."""
    if position < 0 or position + 1 >= len(text):
        return False
    pair = text[position], text[position + 1]
    return all(_in_word(c) for c in pair) and not any(_spaceless(c) for c in pair)


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_" or unicodedata.category(character).startswith("M")


def _spaceless(character: str) -> bool:
    """Whether the script of the character is written without spaces between words."""
    return not character.isascii() and unicodedata.name(character, "").startswith(_WITHOUT_SPACES)
