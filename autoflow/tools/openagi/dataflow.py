"""Carrying out a plan of expert tools on a batch of samples, as a typed dataflow.

A tool that finds nothing of the type it takes, that is not available, or that fails, ends the plan there; what the
tools before it made is kept. A model that cannot be loaded or reached says nothing about a plan, and is raised.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from autoflow.errors import GONE, ModelError, ModelNotFound, ToolError, ToolNotLoaded
from autoflow.tools.openagi.base import Experts, Provider
from autoflow.tools.openagi.table import BY_NAME
from autoflow.tools.openagi.values import Sample, State, Value


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One tool on all samples."""

    tool: str
    provider: Provider
    part: str  # what did the work
    took: tuple[tuple[Value, ...], ...]  # one a sample
    made: tuple[Value, ...]  # one a sample
    seconds: float


@dataclass(frozen=True, slots=True)
class Executed:
    """What became of a plan."""

    runs: tuple[ToolRun, ...]
    outputs: tuple[Value, ...]  # one a sample: made last; what is given, where no tool ran
    failed: str = ""  # the tool at which it ended
    error: str = ""  # why


async def execute(plan: Sequence[str], samples: Sequence[Sample], experts: Experts) -> Executed:
    """Carry out the tools of `plan`, by their names in `metrics.plan`, one after the other.

    Raises ModelError: a model is gone, as `GONE` lists it, or that of a tool cannot be loaded. BudgetExceeded.
    KeyError: a name that no tool has; `read_plan` gives none. Whatever else goes wrong ends the plan in words.
    """
    states = [State(sample) for sample in samples]
    runs: list[ToolRun] = []
    for name in plan:
        try:
            runs.append(await _run(name, states, experts))
        except ToolNotLoaded as error:
            raise ModelNotFound(error.message, error.hint) from error
        except GONE:
            raise
        except (ToolError, ModelError) as error:
            return Executed(tuple(runs), _made(states), name, str(error))
    return Executed(tuple(runs), _made(states))


async def _run(name: str, states: Sequence[State], experts: Experts) -> ToolRun:
    tool = BY_NAME[name]
    lacking = next((kind for state in states if (kind := state.lacks(tool))), None)
    if lacking:
        raise ToolError(f"`{name}` takes {_words(tool.takes)}, and there is no {lacking} for it any more.")
    expert = experts.find(name)
    took = [state.take(tool) for state in states]
    began = time.monotonic()
    made = await expert.run(took)
    if len(made) != len(took):
        raise ToolError(f"`{name}` ({expert.part}) gave {len(made)} outputs for {len(took)} inputs.")
    for state, value in zip(states, made, strict=True):
        state.put(tool, value)
    return ToolRun(name, expert.provider, expert.part, tuple(took), tuple(made), time.monotonic() - began)


def _made(states: Sequence[State]) -> tuple[Value, ...]:
    return tuple(state.last for state in states)


def _words(takes: Sequence[str]) -> str:
    return " and ".join(f"{'an' if kind == 'image' else 'a'} {kind}" for kind in takes)
