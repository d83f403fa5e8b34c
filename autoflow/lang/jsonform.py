"""Workflows as JSON, in and out: `{"steps": [{"name", "type", "instruction", "branches": [[key, target], ...]}]}`.

The same rules hold as for text: line breaks become spaces, and whatever else breaks a rule is an error diagnostic.
Comments have no place in this form. `workflow.schema.json` describes what `to_json` writes; `from_json` also reads
branches as an object, types in any case, absent branches, and passes over fields that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

from autoflow.lang.checker import check
from autoflow.lang.diagnostics import Diagnostic, ParseResult
from autoflow.lang.formatter import canonical, format_workflow
from autoflow.lang.report import report
from autoflow.lang.workflow import Branch, Step, Workflow

# What only follows from a field that has the wrong JSON type, and is not said as well: of the same step, and of any.
_FOLLOWS = {
    "name": {"empty-name"},
    "type": {"unknown-type"},
    "instruction": {"empty-instruction"},
    "branches": {"process-branches", "decision-branches"},
}
_FOLLOWS_ANYWHERE = {"no-steps", "no-terminal", "unreachable", "endless-loop", "dead-end", "unknown-target"}


def to_json(workflow: Workflow) -> dict[str, Any]:
    """The workflow as plain data; its comments are left out."""
    return {"steps": [step_to_json(step) for step in workflow.steps]}


def step_to_json(step: Step) -> dict[str, Any]:
    """One step as plain data."""
    branches = [[branch.key, branch.target] for branch in step.branches]
    return {"name": step.name, "type": step.type, "instruction": step.instruction, "branches": branches}


@lru_cache(maxsize=1)
def _schema_text() -> str:
    return files("autoflow.lang").joinpath("workflow.schema.json").read_text("utf-8")


def schema() -> dict[str, Any]:
    """The published JSON schema (draft 2020-12) of `to_json`."""
    found: dict[str, Any] = json.loads(_schema_text())
    return found


def from_json(obj: object) -> ParseResult:
    """Read a workflow from decoded JSON. Never raises; positions refer to `ParseResult.text`, its text as CoRE."""
    reader = _Reader()
    read = Workflow(reader.steps(obj))
    workflow = canonical(read)
    anywhere = _FOLLOWS_ANYWHERE if reader.found else set()
    found = [d for d in check(read) if d.slug not in anywhere and d.slug not in reader.silent.get(d.line, ())]
    found = sorted([*reader.found, *found], key=lambda d: (d.line, d.column, d.end_column))
    steps = tuple(replace(step, line=number) for number, step in enumerate(workflow.steps, 1))
    return ParseResult(Workflow(steps), tuple(found), format_workflow(workflow))


@dataclass
class _Reader:
    """Takes the shape apart; each step that is an object becomes a line of the text."""

    read: list[Step] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)
    silent: dict[int, set[str]] = field(default_factory=dict)  # line -> slugs that would only follow

    def steps(self, obj: object) -> tuple[Step, ...]:
        steps = obj.get("steps") if isinstance(obj, Mapping) else None
        if not isinstance(steps, list | tuple):
            self._refuse("no-steps", 'this JSON has no list `steps`: write `{"steps": [...]}`')
            return ()
        for number, step in enumerate(steps, 1):
            if isinstance(step, Mapping):
                self.read.append(self._step(step, number))
            else:
                self._refuse("missing-field", f"step number {number} is {_kind(step)}, not an object with fields")
        return tuple(self.read)

    def _step(self, step: Mapping[str, Any], number: int) -> Step:
        name, kind, instruction = (self._text(step, f, number) for f in ("name", "type", "instruction"))
        return Step(name, kind, instruction, self._branches(step.get("branches"), number))

    def _text(self, step: Mapping[str, Any], name: str, number: int) -> str:
        value = step.get(name, "")
        if isinstance(value, str):
            return value
        self._refuse("missing-field", f"`{name}` of step number {number} is {_kind(value)}, not a text", name)
        return ""

    def _branches(self, value: object, number: int) -> tuple[Branch, ...]:
        pairs = list(value.items()) if isinstance(value, Mapping) else value
        if pairs is None:
            return ()
        if isinstance(pairs, list | tuple) and all(map(_is_pair, pairs)):
            return tuple(Branch(key, target) for key, target in pairs)
        message = f"the branches of step number {number} are no pairs of texts: write `[[key, name], ...]`"
        self._refuse("odd-branches", message, "branches")
        return ()

    def _refuse(self, slug: str, message: str, name: str = "") -> None:
        """On the line that the step has, or would have."""
        line = len(self.read) + 1
        self.silent.setdefault(line, set()).update(_FOLLOWS.get(name, ()))
        self.found.append(report(slug, line, 0, 0, message))


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _kind(value: object) -> str:
    """What a JSON value is, in words."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return "null" if value is None else kinds.get(type(value), "an object")
