"""What people call the columns of tables of tasks. In each list, the surest name stands first."""

from __future__ import annotations

import re

OBJECTIVE = (
    "objective", "task", "instruction", "instructions", "question", "prompt", "query", "request", "goal", "problem",
)  # fmt: skip
EXPECTED = (
    "expected", "expected answer", "expected output", "correct answer", "right answer", "gold", "gold answer", "answer",
    "target", "ground truth", "reference", "solution", "output", "expected result", "response", "completion", "result",
)  # fmt: skip
LABELS = ("label", "category", "class", "intent", "sentiment")  # the answer, where no column above is there; else tags
INPUTS = (
    "input", "inputs", "text", "context", "document", "passage", "mail", "email", "e mail", "message", "subject",
    "body", "content", "article", "review", "sentence", "data",
)  # fmt: skip
TAGS = ("tag", "tags", "kind", "type", "topic", "difficulty", "level", "group", "split", "language")
ORIGIN = ("origin", "proposed by", "made by", "written by", "author", "source")
ROW_NUMBERS = ("id", "no", "nr", "number", "index", "row", "#", "uuid", "key")
MODEL_WORDS = frozenset({"model", "ai", "llm", "generated", "synthetic", "machine", "proposed"})
PERSON_WORDS = frozenset({"person", "human", "people", "manual", "me", ""})
_BREAKS = re.compile(r"[\s_.:/-]+")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def plain_name(column: str) -> str:
    """`expected_answer`, `ExpectedAnswer` and `Expected Answer:` are the same name: `expected answer`."""
    return _BREAKS.sub(" ", _HUMPS.sub(" ", column)).strip().casefold()


def is_usual(column: str) -> bool:
    """Whether the text is a name that people give to columns, and so stands in a row of names."""
    return plain_name(column) in _ALL


_ALL = frozenset((*OBJECTIVE, *EXPECTED, *LABELS, *INPUTS, *TAGS, *ORIGIN, *ROW_NUMBERS))
