"""The grammar of CoRE for constrained decoding: GBNF for llama.cpp, Lark for llguidance.

Every sentence is a workflow of numbered steps that has neither errors nor warnings; it does not merely parse. A grammar
cannot remember, so what must be remembered is in the names of its rules: `i`, the line that is written, and `m`, the
highest line that was named as a target and is still to come (0: none): the text cannot end before it is written. A text
is a chain of blocks, each of which leads to the line behind it:

- a process that goes on to the next line;
- a decision that goes on to the next line, and else to any other step, back or ahead;
- a decision with a side line: a terminal (leave early), a process that goes back (mend and try again), or a process
  that skips the line behind it, which then is the other side (if and else).

So each line is reached from the line before it or from the decision before that; and going ahead at every decision
leads to the last line, a terminal: a process that goes back always hangs on a decision that also goes ahead. Left out
are steps named by words (a name that is free cannot be repeated as a target), decisions with three branches and more,
and a process that jumps further than past the other side.
"""

from __future__ import annotations

from functools import lru_cache

from autoflow.errors import SettingsError
from autoflow.llm.base import Grammar

MAX_STEPS = 40  # the number of rules grows with its square
MAX_WORDS = 200
WORD_CHARACTERS = 30  # a longer run, in scripts without spaces, is parted by a space

# Characters of words: nothing that is white space, control, direction mark or private use, and no colon.
_LETTER = r"A-Za-z\u00C0-\u024F\u0370-\u03FF\u0400-\u052F\u05D0-\u05EA\u0620-\u064A\u0904-\u0939\uAC00-\uD7A3"
_UNSPACED = r"\u0E01-\u0E2E\u3041-\u30FF\u4E00-\u9FFF"  # letters of scripts that do not part words by spaces
_CHARACTER = r"\x21-\x39\x3B-\x7E\u00A1-\u00AC\u00AE-\u061B\u061D-\u167F\u1681-\u180D\u180F-\u1FFF\u2010-\u2027"
_CHARACTER += r"\u2030-\u205E\u2070-\u2FFF\u3001-\uD7FF\uF900-\uFEFE\uFF00-\uFFEF\U00010000-\U0001FAFF"
_KEYS = (("yes", "no"), ("no", "yes"), ("free", '"otherwise"'))  # rules; `free` is never `otherwise` or `next`

# An instruction is at least three words, or four characters of an unspaced script: with less, small models write none
# at all. It holds the `:::` behind it, because llguidance reads ahead by one character only, and after a colon an
# instruction may go on.
_GBNF_WORDS = """yes ::= [Yy] "es"
no ::= [Nn] "o"
free ::= ([a-mp-z] [a-z] | "n" ([a-df-z] | "e" [a-wyz])) [a-z]{{0,13}} (" " [a-z]{{1,15}}){{0,2}}
instruction ::= (spaced | unspaced) ":::"
spaced ::= [{letter}] [{character}]{{0,{word}}} (":"? " " [{character}]{{1,{word}}}){{2,{words}}}
unspaced ::= [{unspaced}] [{character}]{{3,{word}}} (":"? " " [{character}]{{1,{word}}}){{0,{words}}}
"""
_LARK_WORDS = """yes: /[Yy]es/
no: /[Nn]o/
free: /([a-mp-z][a-z]|n([a-df-z]|e[a-wyz]))[a-z]{{0,13}}( [a-z]{{1,15}}){{0,2}}/
instruction: /([{letter}][{character}]{{0,{word}}}(:? [{character}]{{1,{word}}}){{2,{words}}}|\
[{unspaced}][{character}]{{3,{word}}}(:? [{character}]{{1,{word}}}){{0,{words}}}):::/
"""


@lru_cache(maxsize=16)
def core_grammar(min_steps: int = 2, max_steps: int = 12, *, max_words: int = 30) -> Grammar:
    """The grammar of workflows of `min_steps` to `max_steps` steps, named `Step 1`, `Step 2` ...

    Args:
        max_words: of an instruction, so that a small model cannot run on for ever.
    Raises SettingsError: unless 2 <= min_steps <= max_steps <= MAX_STEPS and 3 <= max_words <= MAX_WORDS.
    """
    if not 2 <= min_steps <= max_steps <= MAX_STEPS:
        raise SettingsError(
            f"`2 <= min_steps <= max_steps <= {MAX_STEPS}` must hold, but got {min_steps=}, {max_steps=}."
        )
    if not 3 <= max_words <= MAX_WORDS:
        raise SettingsError(f"`3 <= max_words <= {MAX_WORDS}` must hold, but got {max_words=}.")
    rules = _Rules(min_steps, max_steps).rules
    classes = {"letter": _LETTER, "unspaced": _UNSPACED, "character": _CHARACTER}
    words = {**classes, "word": WORD_CHARACTERS - 1, "words": max_words - 1}
    gbnf = "".join(f"{name} ::= {' | '.join(found)}\n" for name, found in rules.items())
    lark = "".join(f"{name}: {' | '.join(found)}\n" for name, found in rules.items())
    return Grammar(gbnf + _GBNF_WORDS.format(**words), "start: root\n" + lark + _LARK_WORDS.format(**words))


class _Rules:
    """The rules of structure, in the notation that GBNF and Lark share: name -> alternatives."""

    def __init__(self, min_steps: int, max_steps: int) -> None:
        self.least = min_steps
        self.most = max_steps
        self.rules: dict[str, list[str]] = {}
        self.rules["root"] = [self.line(1, 0)]

    def line(self, i: int, m: int) -> str:
        """Line i, reached from the line before it, and all that follows."""
        m = m if m > i else 0
        name = f"line{i}to{m}"
        if name not in self.rules:
            kinds = self.rules[name] = []
            if i < self.most:
                kinds.append(f'"Step {i}:::process:::" instruction "next::Step {i + 1}\\n" {self.line(i + 1, m)}')
            if i < self.most and (i > 1 or i + 2 <= self.most):
                kinds.append(f'"Step {i}:::decision:::" instruction {self.branches(i, m)}')
            if i >= self.least and not m:
                kinds.append(f'"Step {i}:::terminal:::" instruction')
        return name

    def branches(self, i: int, m: int) -> str:
        """The two branches of the decision on line i, in either order, and the lines that follow."""
        name = f"branches{i}to{m}"
        if name not in self.rules:
            found = self.rules[name] = []
            for first, second in _KEYS:
                found.append(f'{first} "::Step " "{i + 1}" "::" {second} "::Step " {self.last(i, m)}')
                found += [
                    f'{first} "::Step " {other} "::" {second} "::Step {i + 1}\\n" {then}'
                    for other, then in self.others(i, m)
                ]
        return name

    def last(self, i: int, m: int) -> str:
        """The second target of a decision whose first is the next line."""
        return self.targets(f"last{i}to{m}", self.others(i, m))

    def others(self, i: int, m: int) -> list[tuple[str, str]]:
        """Where a decision may go besides the next line, each with what follows."""
        found = [(self.back(i), self.line(i + 1, m))] if i > 1 else []
        for target in range(i + 2, self.most + 1):
            follow = self.side if target == i + 2 else self.line
            found.append((f'"{target}"', follow(i + 1, max(m, target))))
        return found

    def back(self, i: int) -> str:
        """The number of a line before line i."""
        name = f"back{i}"
        self.rules.setdefault(name, [f'"{target}"' for target in range(1, i)])
        return name

    def targets(self, name: str, found: list[tuple[str, str]]) -> str:
        """The number of the last target of a line, and what follows."""
        self.rules.setdefault(name, [f'{target} "\\n" {then}' for target, then in found])
        return name

    def side(self, i: int, m: int) -> str:
        """Line i, where the decision before it leads both here and past it (so m > i)."""
        name = f"side{i}to{m}"
        if name not in self.rules:
            kinds = self.rules[name] = []
            on = self.line(i + 1, m)
            ways = [(f'"{i + 1}"', on), (self.back(i), on)]
            if i + 2 <= self.most:
                ways.append((f'"{i + 2}"', self.other_side(i + 1, max(m, i + 2))))
            kinds.append(f'"Step {i}:::process:::" instruction "next::Step " {self.targets(f"go{name}", ways)}')
            kinds.append(f'"Step {i}:::terminal:::" instruction "\\n" {on}')
            kinds.append(f'"Step {i}:::decision:::" instruction {self.branches(i, m)}')
        return name

    def other_side(self, i: int, m: int) -> str:
        """Line i, which the line before it skips. No decision: a way back from its side line could lock that one in."""
        name = f"otherside{i}to{m}"
        if name not in self.rules:
            on = self.line(i + 1, m)
            ways = self.targets(f"go{name}", [(f'"{i + 1}"', on), (self.back(i), on)])
            self.rules[name] = [
                f'"Step {i}:::process:::" instruction "next::Step " {ways}',
                f'"Step {i}:::terminal:::" instruction "\\n" {on}',
            ]
        return name
