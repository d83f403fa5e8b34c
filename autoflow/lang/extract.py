"""Finding the workflow in a model's reply.

Models think aloud, greet, explain, fence, number, quote and embolden; some answer in JSON, some write a draft and then
a better one. `extract` takes all that away and reports each kind of it as `extracted`; what is wrong with the workflow
itself stays, for the repair loop to show to the model. Only `extract` does this: `parse` takes a text as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, islice
from operator import itemgetter
from typing import Any

from autoflow.lang.diagnostics import ParseResult
from autoflow.lang.extract_json import step_lists
from autoflow.lang.extract_lines import Taken
from autoflow.lang.extract_reply import Part, Reply, part_reply, units
from autoflow.lang.jsonform import from_json
from autoflow.lang.parser import parse
from autoflow.lang.report import report
from autoflow.lang.workflow import Workflow, fold

_TRIED = 1000  # workflows of one reply, counted from its end, of which one without errors is looked for
_IN_WORDS: dict[Taken, str] = {
    "wide colons": "full-width colons were made plain",
    "marks": "list and quotation marks were taken away",
    "quotes": "bold, quotes and brackets around fields were taken away",
    "spaces": "spaces around `:::` were taken away",
}


@dataclass(slots=True)
class _Candidate:
    """What may be the workflow."""

    result: ParseResult
    taken: Counter[Taken] = field(default_factory=Counter)  # in how many lines
    json: bool = False

    @property
    def steps(self) -> int:
        return len(self.result.workflow.steps)


def extract(reply: str) -> ParseResult:
    """The workflow in a model's reply; positions refer to `ParseResult.text`, which is that workflow alone.

    Of several workflows the last one without errors is taken, else the last of the longest; one of a single step only
    where there is no longer one. Without any the text is empty and the one diagnostic is `no-steps`. Never raises, and
    takes linear time.
    """
    parted = part_reply(reply)
    found = _found(parted)
    chosen = _choose(candidate for _, source in reversed(found) for candidate in _candidates(source))
    if chosen is None:
        return parse("")
    messages = _messages(chosen, parted, len(found) - 1)
    extracted = tuple(report("extracted", 1, 0, 0, message) for message in messages)
    return ParseResult(chosen.result.workflow, extracted + chosen.result.diagnostics, chosen.result.text)


def _found(reply: Reply) -> list[tuple[int, list[Part] | dict[str, Any]]]:
    """Whatever may be a workflow, with its line, in the order of the reply: parts with steps, and lists in JSON."""
    found: list[tuple[int, list[Part] | dict[str, Any]]] = [(unit[0].first, unit) for unit in units(reply.parts)]
    line, position = 1, 0
    for start, steps in step_lists(reply.text):
        line += reply.text.count("\n", position, start)
        position = start
        found.append((line, {"steps": steps}))
    return sorted(found, key=itemgetter(0))


def _choose(candidates: Iterable[_Candidate]) -> _Candidate | None:
    """The workflow, from candidates of which the last one of the reply comes first."""
    longest: _Candidate | None = None
    for candidate in islice(candidates, _TRIED):
        if candidate.result.ok and candidate.steps > 1:
            return candidate
        if candidate.steps > (longest.steps if longest else 0):
            longest = candidate
    return longest


def _candidates(source: list[Part] | dict[str, Any]) -> Iterator[_Candidate]:
    """The workflows of one source, the last one first."""
    if isinstance(source, dict):
        yield _Candidate(from_json(source), json=True)
        return
    whole = _read(source)
    groups = _linked(source, whole.result.workflow)
    if len(groups) > 1:
        yield from (_read(group) for group in reversed(groups))
    if all(sum(len(part.names) for part in group) == 1 for group in groups) or len(groups) == 1:
        yield whole


def _read(parts: list[Part]) -> _Candidate:
    taken = Counter(kind for part in parts for kinds in part.taken for kind in kinds)
    return _Candidate(parse("".join(line + "\n" for part in parts for line in part.lines)), taken)


def _linked(parts: list[Part], workflow: Workflow) -> list[list[Part]]:
    """The parts, in groups between which no branch leads; what stands between two linked parts belongs to them."""
    ends = list(accumulate(len(part.lines) for part in parts))
    homes = [bisect_left(ends, step.line) for step in workflow.steps]
    reach = list(range(len(parts)))  # the last part that each one is linked to
    for home, step in zip(homes, workflow.steps, strict=True):
        for branch in step.branches:
            position = workflow.index.get(fold(branch.target))
            if position is not None:
                first, last = sorted((home, homes[position]))
                reach[first] = max(reach[first], last)
    groups: list[list[Part]] = []
    end = -1
    for place, part in enumerate(parts):
        if place > end:
            groups.append([])
        groups[-1].append(part)
        end = max(end, reach[place])
    return groups


def _messages(chosen: _Candidate, reply: Reply, others: int) -> Iterator[str]:
    """What was taken away, a sentence each."""
    if reply.thinking:
        yield f"{_count(reply.thinking, 'thinking block')} left out"
    if reply.tokens:
        yield f"{_count(reply.tokens, 'special token')} left out"
    if chosen.json:
        yield "the workflow was read from its JSON form; what stands around it was left out"
    elif reply.fences:
        yield f"{_count(reply.fences, 'code fence')} taken away"
    if reply.talk and not chosen.json:
        yield f"{_count(reply.talk, 'line')} left out, being no step"
    if others:
        yield f"{_count(others, 'other workflow')} left out"
    for kind, words in _IN_WORDS.items():
        if chosen.taken[kind]:
            yield f"{words} ({chosen.taken[kind]} {'line' if chosen.taken[kind] == 1 else 'lines'})"


def _count(number: int, noun: str) -> str:
    return f"1 {noun} was" if number == 1 else f"{number} {noun}s were"
