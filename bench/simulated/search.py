"""One search on a landscape, in memory: what was the best, and how good was it really, after so many calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoflow.evaluate import LocalEvaluator, Unit
from autoflow.optimize.base import Counting, Workshop
from autoflow.optimize.loop import Search
from autoflow.optimize.methods import open_optimizer
from autoflow.optimize.running import Runner
from autoflow.optimize.start import first_candidates
from autoflow.optimize.view import StudyView
from autoflow.records import Event
from autoflow.study import SPLITS, Outcome, Study, StudyBatch, StudyBudget, StudySpec, SuiteSpec
from autoflow.tools.toolbox import Toolbox
from bench.simulated.landscape import Landscape, SimulatedSuite
from bench.simulated.models import SimulatedGenerator, SimulatedInterpreter

ROUNDS = 10_000  # never the limit here: calls are


class Memory:
    """A sink that keeps traces in memory, and notes how many calls had been made when each candidate was there."""

    def __init__(self, view: StudyView) -> None:
        self.traces: dict[tuple[int, str, int], Sequence[Event]] = {}
        self.best: list[tuple[int, int]] = []  # (calls spent, number of the best so far), whenever it changes
        self._view = view

    async def keep(self, batch: StudyBatch, message: str = "") -> None:
        self.traces |= {(o.candidate, o.task, o.repeat): events for o, events in batch.outcomes if o.split == "train"}
        best = self._view.best()
        if best is not None and (not self.best or self.best[-1][1] != best.number):
            self.best.append((self._view.totals(test=False).calls, best.number))

    def show(self, words: str) -> None:
        """Nobody watches."""

    def pause_wanted(self) -> bool:
        return False

    def seconds(self) -> float:
        return 0.0


async def search(
    landscape: Landscape, method: Any, seed: int, *, calls: int, attention: float, options: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Returns {"curve": [[calls, score on test]], "test", "manual", "candidates", "rounds", "calls"}.

    The test set is opened here at every new best, to draw the curve; the search never sees it.
    """
    suite = SimulatedSuite(landscape, seed)
    spec = StudySpec(
        method=method, suite=SuiteSpec(name=suite.name), generator="simulated", interpreter="simulated", seed=seed,
        budget=StudyBudget(max_rounds=ROUNDS, max_calls=calls), options=options or {},
    )  # fmt: skip
    splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS if split != "test"}
    view = StudyView(Study(id="st_000000000000", name="", spec=spec, splits=splits), first_candidates(spec, suite, ()))
    sink, interpreter, toolbox = Memory(view), SimulatedInterpreter(seed), Toolbox()

    async def traces(candidate: int, task: str, repeat: int) -> Sequence[Event]:
        return sink.traces.get((candidate, task, repeat), ())

    generator = Counting(SimulatedGenerator(seed, attention))
    shop = Workshop(view, suite, generator, Counting(interpreter), toolbox, traces)
    await Search(shop, open_optimizer(spec), Runner(view, suite, interpreter, toolbox, sink), sink).run()
    scores = {number: await _truth(suite, interpreter, toolbox, view, number) for _, number in sink.best}
    return {
        "curve": [[spent, scores[number]] for spent, number in sink.best],
        "test": scores[sink.best[-1][1]],
        "manual": await _truth(suite, interpreter, toolbox, view, 0),
        "candidates": len(view.candidates),
        "rounds": view.study.rounds,
        "calls": view.totals(test=False).calls,
    }


async def _truth(
    suite: SimulatedSuite, interpreter: SimulatedInterpreter, toolbox: Toolbox, view: StudyView, number: int
) -> float:
    """Mean score on the test tasks."""
    found: list[float] = []

    async def done(outcome: Outcome, _: Sequence[Event]) -> None:
        found.append(outcome.score)

    units = (Unit(number, view.candidates[number].text, task, 0, "test") for task in suite.tasks("test"))
    await LocalEvaluator(suite, interpreter, toolbox, policy=view.study.spec.policy).map(units, done)
    return sum(found) / len(found)
