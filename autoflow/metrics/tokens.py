"""Texts made comparable: case, space and punctuation folded, and cut into words."""

from __future__ import annotations

import unicodedata

import regex

# Marks that stand around words. No minus, percent or currency sign: they change what is said.
_AFTER = ".,;:!?…\"'“”‘’„«»()[]{}`*_。，、；：！？"
_BEFORE = _AFTER.replace(".", "")  # `.5` is a number
_ARTICLES = frozenset({"a", "an", "the"})
# Of scripts that are written without spaces every character counts as a word.
_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(rf"[{_SPACELESS}]|[\p{{L}}\p{{N}}\p{{M}}--[{_SPACELESS}]]+", regex.VERSION1)
_PIECE = regex.compile(rf"[{_SPACELESS}]|[^\s{_SPACELESS}]+", regex.VERSION1)
_MARK = regex.compile(r"[\p{P}$+<=>^`|~]")  # what SQuAD drops, and the punctuation of other scripts


def folded(text: str, *, case: bool = True, spaces: bool = True, punctuation: bool = False) -> str:
    """The text without the differences that shall not count.

    Args:
        case: capital and small letters are the same.
        spaces: any white space is one space; none at the ends.
        punctuation: marks around words are dropped, those inside (`3.5`, `well-known`) stay. Implies `spaces`.
    """
    text = unicodedata.normalize("NFC", text)
    if case:
        text = text.casefold()
    if punctuation:
        words = (word.rstrip(_AFTER).lstrip(_BEFORE) for word in text.split())
        return " ".join(word for word in words if word)
    return " ".join(text.split()) if spaces else text


def words(text: str) -> list[str]:
    """Runs of letters and digits, in small letters: what ROUGE counts."""
    return _WORD.findall(unicodedata.normalize("NFC", text).casefold())


def squad_words(text: str) -> list[str]:
    """What SQuAD counts: punctuation dropped (`3.5` is `35`), then cut at white space, without a, an and the."""
    plain = _MARK.sub("", unicodedata.normalize("NFC", text).casefold())
    return [word for word in _PIECE.findall(plain) if word not in _ARTICLES]
