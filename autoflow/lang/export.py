"""A workflow as a picture: Mermaid and Graphviz DOT.

Labels may hold anything a person or a model wrote, so nothing of them reaches the syntax: nodes get generated ids
(`s0`, `s1` ...), labels are quoted and shortened, and every character that might mean something is written as an
entity. Colours come with their text colour, so that both read on a light and on a dark page; each type has a shape of
its own as well, so colour carries no meaning alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from autoflow.lang.workflow import Workflow, fold

# Mermaid refuses to draw more than this unless its host raises the limits.
MERMAID_MAX_CHARACTERS = 50_000
MERMAID_MAX_EDGES = 500

NAME_CHARACTERS = 40
INSTRUCTION_CHARACTERS = 60
KEY_CHARACTERS = 30


@dataclass(frozen=True, slots=True)
class Colour:
    """How one kind of step is painted. The contrast of `text` on `fill` is at least 4.5."""

    fill: str
    stroke: str
    text: str


# The palette of Okabe and Ito, told apart with every common colour vision.
TYPE_COLOURS: Mapping[str, Colour] = {
    "process": Colour("#0072b2", "#56b4e9", "#ffffff"),
    "decision": Colour("#e69f00", "#8a5f00", "#000000"),
    "terminal": Colour("#009e73", "#00614a", "#000000"),
}
UNKNOWN_COLOUR = Colour("#999999", "#555555", "#000000")  # a type that is none, a target that is no step

_MERMAID_SHAPES = {"process": ('("', '")'), "decision": ('{"', '"}'), "terminal": ('(["', '"])')}
_DOT_SHAPES = {"process": "box", "decision": "diamond", "terminal": "ellipse"}


@dataclass(frozen=True, slots=True)
class _Edge:
    source: int
    target: str  # id of a node
    key: str  # as written; "" for `next`
    count: int
    missing: bool


def to_mermaid(
    workflow: Workflow,
    *,
    current: str | None = None,
    taken: Mapping[tuple[str, str], int] | None = None,
    problems: Collection[str] = (),
) -> str:
    """A Mermaid flowchart, for `st.mermaid_chart` and for Markdown files.

    Args:
        current: name of the step that runs now; it gets a thick border.
        taken: how often each branch was taken, by (step name, key); those edges are thick and show their count.
        problems: names of steps with problems; they get a warning sign and a dashed border.

    Where labels would take more than MERMAID_MAX_CHARACTERS, instructions are shortened further, then left out. Above
    MERMAID_MAX_EDGES edges Mermaid draws nothing; the text is whole all the same.
    """
    edges = _edges(workflow, taken or {})
    text = ""
    for length in (INSTRUCTION_CHARACTERS, INSTRUCTION_CHARACTERS // 3, 0):
        nodes = _mermaid_nodes(workflow, current, {fold(name) for name in problems}, length)
        lines = [*_mermaid_head(workflow), *nodes, *_mermaid_missing(workflow), *map(_mermaid_edge, edges)]
        text = "flowchart TD\n" + "".join(f"    {line}\n" for line in lines)
        if len(text) <= MERMAID_MAX_CHARACTERS:
            break
    return text


def _mermaid_head(workflow: Workflow) -> Iterator[str]:
    yield f"accTitle: Workflow of {len(workflow.steps)} steps"
    for name, colour in (*TYPE_COLOURS.items(), ("unknown", UNKNOWN_COLOUR)):
        yield f"classDef {name} fill:{colour.fill},stroke:{colour.stroke},stroke-width:1px,color:{colour.text}"
    yield "classDef problem stroke:#d55e00,stroke-width:3px,stroke-dasharray:6 4"
    yield "classDef current stroke:#cc79a7,stroke-width:6px"


def _mermaid_nodes(workflow: Workflow, current: str | None, problems: set[str], length: int) -> Iterator[str]:
    now = None if current is None else fold(current)
    for position, step in enumerate(workflow.steps):
        name = fold(step.name)
        opening, closing = _MERMAID_SHAPES.get(step.type, ('["', '"]'))
        label = _entities(_shorten(step.name, NAME_CHARACTERS)) or "unnamed"
        instruction = _entities(_shorten(step.instruction, length))
        text = f"{'⚠ ' if name in problems else ''}{label}{'<br/>' if instruction else ''}{instruction}"
        yield f"s{position}{opening}{text}{closing}"
        classes = [step.type if step.type in TYPE_COLOURS else "unknown"]
        classes += ["problem"] if name in problems else []
        classes += ["current"] if name == now else []
        yield from (f"class s{position} {c}" for c in classes)


def _mermaid_missing(workflow: Workflow) -> Iterator[str]:
    for identifier, target in _missing(workflow).values():
        yield f'{identifier}["? {_entities(_shorten(target, NAME_CHARACTERS))}"]'
        yield f"class {identifier} unknown"


def _mermaid_edge(edge: _Edge) -> str:
    count = f"×{edge.count}" if edge.count else ""
    label = f"{_entities(_shorten(edge.key, KEY_CHARACTERS))} {count}".strip()
    arrow = "-.->" if edge.missing else "==>" if edge.count else "-->"
    return f"s{edge.source} {arrow}" + (f'|"{label}"| ' if label else " ") + edge.target


def to_dot(workflow: Workflow) -> str:
    """A Graphviz digraph; targets that are no step are drawn dashed."""
    lines = ["digraph workflow {", "    node [style=filled, fontname=sans];", "    edge [fontname=sans];"]
    for position, step in enumerate(workflow.steps):
        colour = TYPE_COLOURS.get(step.type, UNKNOWN_COLOUR)
        shape = _DOT_SHAPES.get(step.type, "box")
        style = "rounded,filled" if step.type == "process" else "filled"
        label = _dot_text(step.name, NAME_CHARACTERS) + "\\n" + _dot_text(step.instruction, INSTRUCTION_CHARACTERS)
        lines.append(
            f'    s{position} [label="{label}", shape={shape}, style="{style}", fillcolor="{colour.fill}", '
            f'color="{colour.stroke}", fontcolor="{colour.text}"];'
        )
    for identifier, target in _missing(workflow).values():
        lines.append(f'    {identifier} [label="? {_dot_text(target, NAME_CHARACTERS)}", shape=box, style=dashed];')
    for edge in _edges(workflow, {}):
        style = ", style=dashed" if edge.missing else ""
        lines.append(f'    s{edge.source} -> {edge.target} [label="{_dot_text(edge.key, KEY_CHARACTERS)}"{style}];')
    return "\n".join([*lines, "}"]) + "\n"


def _edges(workflow: Workflow, taken: Mapping[tuple[str, str], int]) -> list[_Edge]:
    counts = {(fold(name), fold(key)): count for (name, key), count in taken.items()}
    missing = _missing(workflow)
    found = []
    for position, step in enumerate(workflow.steps):
        for branch in step.branches:
            target = workflow.index.get(fold(branch.target))
            node = f"s{target}" if target is not None else missing[fold(branch.target)][0]
            key = "" if fold(branch.key) == "next" else branch.key
            count = counts.get((fold(step.name), fold(branch.key)), 0)
            found.append(_Edge(position, node, key, count, target is None))
    return found


def _missing(workflow: Workflow) -> dict[str, tuple[str, str]]:
    """Folded target that is no step -> (id of the node that stands for it, the target as first written)."""
    found: dict[str, tuple[str, str]] = {}
    for step in workflow.steps:
        for branch in step.branches:
            name = fold(branch.target)
            if name not in workflow.index and name not in found:
                found[name] = (f"m{len(found)}", branch.target)
    return found


def _shorten(text: str, length: int) -> str:
    """On one line, without what cannot be seen, at most `length` characters."""
    if not length:
        return ""
    text = " ".join("".join(map(_seen, text[: 20 * length])).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _seen(character: str) -> str:
    """A space for white space and control characters, nothing for direction marks, surrogates and the like."""
    category = unicodedata.category(character)
    return " " if category[0] == "Z" or category == "Cc" else "" if category[0] == "C" else character


def _entities(text: str) -> str:
    """Everything but letters, digits, spaces and commas as a numbered entity in Mermaid's spelling.

    Mermaid looks at labels once more after decoding: `$$` begins a formula, `fa:fa-` an icon, `\\n` a new line. A word
    joiner, which cannot be seen, parts them.
    """
    parted = re.sub(r"[$:\\]", lambda found: found[0] + "\N{WORD JOINER}", text)
    return "".join(c if c.isalnum() or c in " ,…" else f"#{ord(c)};" for c in parted)


def _dot_text(text: str, length: int) -> str:
    """Graphviz decodes HTML entities in labels, and knows backslash sequences."""
    return _shorten(text, length).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
