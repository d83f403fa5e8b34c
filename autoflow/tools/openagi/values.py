"""What goes through a plan: the pictures and texts of one sample, and what each tool takes of them and leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoflow.tools.openagi.images import SIDE, Picture, as_shown
from autoflow.tools.openagi.table import Tool, Type

Value = Picture | str
MASK = "[MASK]"  # stands for a word that is missing


def type_of(value: Value) -> Type:
    return "text" if isinstance(value, str) else "image"


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of a task: what is given, and what would be right."""

    images: tuple[Picture, ...] = ()
    texts: tuple[str, ...] = ()  # a document comes before the question about it
    expected: Value = ""

    @property
    def main(self) -> Value:
        """What the task is about; questions only ask about it."""
        return self.images[0] if self.images else self.texts[0]


class State:
    """The values of one sample while a plan is carried out. The last one of a type is what a tool takes.

    As in the plan score: a restoration changes a value, another tool uses up what it takes.
    """

    def __init__(self, sample: Sample) -> None:
        self._values: dict[Type, list[Value]] = {"image": list(sample.images), "text": list(sample.texts)}
        self.last = sample.main  # what was made last, or is given

    def lacks(self, tool: Tool) -> Type | None:
        """A type of which the tool finds too little."""
        return next((kind for kind in tool.takes if len(self._values[kind]) < tool.takes.count(kind)), None)

    def take(self, tool: Tool) -> tuple[Value, ...]:
        """What the tool gets, in the order in which it takes it: a document before the question."""
        if tool.mends or tool.makes == "translation":
            return (self._values[tool.takes[0]][self._place(tool)],)
        left = {kind: list(values) for kind, values in self._values.items()}
        return tuple(reversed([left[kind].pop() for kind in reversed(tool.takes)]))

    def put(self, tool: Tool, made: Value) -> None:
        """What the tool made of it; pictures go on at the size at which the benchmark shows them."""
        made = as_shown(made) if isinstance(made, Picture) and made.size != (SIDE, SIDE) else made
        if tool.mends or tool.makes == "translation":
            self._values[tool.gives][self._place(tool)] = made
        else:
            for kind in tool.takes:
                self._values[kind].pop()
            self._values[tool.gives].append(made)
        self.last = made

    def _place(self, tool: Tool) -> int:
        """Of the value that is changed: the first text with a missing word, else the last value."""
        values = self._values[tool.takes[0]]
        if tool.mends == "clozed":
            return next((n for n, text in enumerate(values) if MASK in str(text)), len(values) - 1)
        return len(values) - 1


def outputs(values: Sequence[Value], wanted: Type) -> list[Value | None]:
    """Those of the wanted type; None where something else came out."""
    return [value if type_of(value) == wanted else None for value in values]
