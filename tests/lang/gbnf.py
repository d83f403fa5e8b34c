"""Random sentences of a GBNF grammar, for the part of the notation that the grammar of CoRE is written in."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|[A-Za-z0-9]+|[()|?]|\{\d+,\d+\}')


@dataclass(frozen=True)
class Literal:
    text: str


@dataclass(frozen=True)
class CharacterClass:
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Reference:
    name: str


@dataclass(frozen=True)
class Repeat:
    item: object
    least: int
    most: int


Alternatives = tuple[tuple[object, ...], ...]


def read(gbnf: str) -> dict[str, Alternatives]:
    """The rules, by name."""
    rules = {}
    for line in gbnf.splitlines():
        name, _, body = line.partition(" ::= ")
        tokens = TOKEN.findall(body)
        assert "".join(tokens).replace(" ", "") == body.replace(" ", ""), f"cannot read {body}"
        rules[name], rest = _alternatives(tokens)
        assert not rest
    return rules


def _alternatives(tokens: list[str]) -> tuple[Alternatives, list[str]]:
    found: list[list[object]] = [[]]
    while tokens:
        token, *tokens = tokens
        if token == ")":
            break
        if token == "|":
            found.append([])
        elif token == "(":
            group, tokens = _alternatives(tokens)
            found[-1].append(group)
        elif token == "?":
            found[-1][-1] = Repeat(found[-1][-1], 0, 1)
        elif token[0] == "{":
            least, most = map(int, token[1:-1].split(","))
            found[-1][-1] = Repeat(found[-1][-1], least, most)
        else:
            found[-1].append(_leaf(token))
    return tuple(map(tuple, found)), tokens


def _leaf(token: str) -> object:
    if token[0] == '"':
        return Literal(token[1:-1].replace("\\n", "\n"))
    if token[0] != "[":
        return Reference(token)
    ends = [
        chr(int(code[2:], 16)) if code[0] == "\\" else code
        for code in re.findall(r"\\x\w{2}|\\u\w{4}|\\U\w{8}|-|[^\\]", token[1:-1])
    ]
    ranges = []
    while ends:
        if len(ends) > 2 and ends[1] == "-":
            ranges.append((ord(ends[0]), ord(ends[2])))
            ends = ends[3:]
        else:
            ranges.append((ord(ends[0]), ord(ends[0])))
            ends = ends[1:]
    return CharacterClass(tuple(ranges))


def sentence(rules: dict[str, Alternatives], dice: random.Random) -> str:
    """A random sentence of `root`. Repetitions are mostly short, now and then as long as they may be."""
    written: list[str] = []
    waiting: list[object] = [Reference("root")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Literal):
            written.append(item.text)
        elif isinstance(item, CharacterClass):
            first, last = dice.choice(item.ranges)
            written.append(chr(dice.choice((first, last, dice.randint(first, last)))))
        elif isinstance(item, Repeat):
            short = min(item.most, item.least + 2)
            most = item.most if dice.random() < 0.02 else short
            waiting.extend([item.item] * dice.randint(item.least, most))
        else:
            alternatives = rules[item.name] if isinstance(item, Reference) else item
            waiting.extend(reversed(dice.choice(alternatives)))  # type: ignore[arg-type]
    return "".join(written)
