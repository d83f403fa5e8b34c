"""Workflows and texts for property tests: `workflows()` without errors, `texts()` with all kinds of faults.

`mutated` changes a text with a plain random generator, for loops that are too long for hypothesis.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from autoflow.lang import Branch, Comment, Step, Workflow, fold
from autoflow.lang.formatter import one_line

# Letters of several scripts and cases, letters that casefold or normalize to others, and the marks of the language.
ALPHABET = "abzABZ019 .,;|:#-*_'\"`<>()ßİſéñç日本語한글🙂\u0301\u00a0\u3000\u200b\ufb01"
TOKENS = [
    ":", "::", ":::", "::::", ":::::", "::::::", ": ", " :", ",", ";", "|", "#", "next", "NEXT", "yes", "no", "process",
    "Decision", "terminal", "proces", "end", "Step 1", "step  1", "Step 2", "Step 3", "Step 1, a", "Read it.", "", " ",
    "\t", "\x0b", "\r", "\u2028", "\ufeff", "\x00", "\ud800", "\u00a0", "\r\n", "\n", "\n\n", "# note", "1. ", "- ",
]  # fmt: skip

_words = st.text(ALPHABET, min_size=1, max_size=12).map(one_line)
_names = _words.map(lambda text: text.strip(": #")).filter(lambda text: text and "::" not in text)
_keys = _words.map(lambda text: text.strip(": ")).filter(lambda text: text and "::" not in text)
_instructions = _words.map(lambda text: text.lstrip(": ")).filter(lambda text: text and ":::" not in text)
_comments = st.one_of(
    st.sampled_from(["", "  indented", "#"]),
    _words.map(lambda text: f"# {text}".rstrip()),
    _words.filter(lambda text: ":::" not in text),
)


@st.composite
def workflows(draw: st.DrawFn, max_steps: int = 8) -> Workflow:
    """A canonical workflow without errors: from every step some way leads forward to the last, which is a terminal."""
    names = draw(st.lists(_names, min_size=1, max_size=max_steps, unique_by=fold))
    steps = [draw(_steps(names, position)) for position in range(len(names))]
    places = sorted(draw(st.lists(st.integers(0, len(steps)), max_size=4)))
    return Workflow(tuple(steps), tuple(Comment(draw(_comments), place) for place in places))


@st.composite
def _steps(draw: st.DrawFn, names: list[str], position: int) -> Step:
    last = position == len(names) - 1
    kind = "terminal" if last else draw(st.sampled_from(["process", "process", "decision", "terminal"]))
    branches: list[Branch] = []
    if kind == "process":
        branches = [Branch("next", draw(st.sampled_from(names[position + 1 :])))]
    if kind == "decision":
        keys = draw(st.lists(_keys, min_size=2, max_size=4, unique_by=fold))
        forward = draw(st.sampled_from(names[position + 1 :]))
        branches = [Branch(keys[0], forward), *(Branch(key, draw(st.sampled_from(names))) for key in keys[1:])]
    return Step(names[position], kind, draw(_instructions), tuple(branches))


HEADS = ["Step 1:::process:::Do it:::", "Step 2:::decision:::Is it?:::", "Step 3:::terminal:::Say.:::"]
BRANCHES = ["next::Step 2", "yes::Step 1::no::Step 3", "yes::Step 3, no::Step 1", "Step 2", "next:::Step 3", ""]


def texts() -> st.SearchStrategy[str]:
    """Texts with many faults: tokens of the language in any order, and well-formed lines among them."""
    well_formed = st.tuples(st.sampled_from(HEADS), st.sampled_from(BRANCHES)).map("".join)
    tokens = st.lists(st.sampled_from(TOKENS), max_size=12).map("".join)
    return st.lists(st.one_of(well_formed, tokens), max_size=6).map("\n".join)


def mutated(random: Random, text: str, changes: int = 3) -> str:
    """The text with up to `changes` pieces deleted, doubled, moved, or replaced by a token or a stray character."""
    for _ in range(random.randint(1, changes)):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 1, 1, 2, 3, 8, 40)))
        piece = text[start:end]
        rest = text[:start] + text[end:]
        place = random.randint(0, len(rest))
        action = random.randrange(5)
        if action == 0:
            text = rest
        elif action == 1:
            text = rest[:place] + piece + rest[place:]
        elif action == 2:
            text = text[:end] + piece + text[end:]
        elif action == 3:
            text = text[:start] + random.choice(TOKENS) + text[end:]
        else:
            text = text[:start] + chr(random.choice((random.randrange(0x80), random.randrange(0x110000)))) + text[end:]
    return text
