"""A study kept in one file of JSON lines that grows: it goes on from there on any machine.

{"study": {...}}                      the study as it began
{"candidate": {...}}                  one a candidate
{"outcome": {...}, "trace": "..."}    one a run; its events deflated, in base 64
{"set": {...}}                        what changed of the study: rounds, stop, best ...
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autoflow.llm.base import LLM
from autoflow.llm.wrappers.cache import always_cached
from autoflow.optimize.base import Counting, Workshop
from autoflow.optimize.loop import Search
from autoflow.optimize.methods import open_optimizer
from autoflow.optimize.running import Runner
from autoflow.optimize.start import first_candidates
from autoflow.optimize.view import StudyView
from autoflow.records import Event
from autoflow.store.study_rows import pack, unpack
from autoflow.study import SPLITS, Candidate, Outcome, Study, StudyBatch, StudySpec, StudyStop
from autoflow.suites.base import Suite
from autoflow.suites.registry import open_suite
from autoflow.tools import open_toolbox

FIELDS = ("rounds", "stop", "best", "test_uses", "seconds")


class StudyFile:
    """A study in a file, and the sink of its search."""

    def __init__(self, path: Path, spec: StudySpec, suite: Suite, name: str) -> None:
        self._path = path
        self._traces: dict[tuple[int, str, int], str] = {}
        self._began = time.monotonic()
        self._said = ""
        if not path.exists():
            splits = {split: tuple(task.id for task in suite.tasks(split)) for split in SPLITS}
            study = Study(id="st_000000000000", name=name, spec=spec, splits=splits, created_at=time.time())
            self._write({"study": study.model_dump(mode="json")})
            for candidate in first_candidates(spec, suite, ()):
                self._write({"candidate": candidate.model_dump(mode="json")})
        self.view = self._read()
        self._before = self.view.study.seconds

    async def keep(self, batch: StudyBatch, message: str = "") -> None:
        for candidate in batch.candidates:
            self._write({"candidate": candidate.model_dump(mode="json")})
        for outcome, events in batch.outcomes:
            trace = base64.b64encode(pack(events)).decode()
            self._traces[outcome.candidate, outcome.task, outcome.repeat] = trace
            self._write({"outcome": outcome.model_dump(mode="json"), "trace": trace})
        changed: dict[str, Any] = {name: getattr(batch, name) for name in FIELDS if getattr(batch, name) is not None}
        if batch.unused is not None:
            changed["unused"] = batch.unused.model_dump(mode="json")
        if changed:
            self._write({"set": changed})
        if message:
            self.show(message)

    def show(self, words: str) -> None:
        if words != self._said:
            self._said = words
            calls = self.view.totals(test=False).calls
            best = self.view.best()
            score = f", best {self.view.score(best.number, 'val'):.3f} (candidate {best.number})" if best else ""
            print(f"[{self.seconds() / 60:5.1f} min, {calls:,} calls{score}] {words}", flush=True)

    def pause_wanted(self) -> bool:
        return False

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    async def traces(self, candidate: int, task: str, repeat: int) -> Sequence[Event]:
        trace = self._traces.get((candidate, task, repeat))
        return unpack(base64.b64decode(trace)) if trace else ()

    def outcomes(self) -> list[tuple[Outcome, Sequence[Event]]]:
        """All runs with their events."""
        return [
            (o, unpack(base64.b64decode(self._traces[o.candidate, o.task, o.repeat]))) for o in self.view.all_outcomes()
        ]

    def _read(self) -> StudyView:
        view: StudyView | None = None
        for line in self._path.read_text("utf-8").splitlines():
            told = json.loads(line)
            if "study" in told:
                view = StudyView(Study.model_validate(told["study"]))
                continue
            assert view is not None
            if "candidate" in told:
                view.add([Candidate.model_validate(told["candidate"])])
            elif "outcome" in told:
                outcome = Outcome.model_validate(told["outcome"])
                self._traces[outcome.candidate, outcome.task, outcome.repeat] = told["trace"]
                view.add((), [outcome])
            else:
                changed = Study.model_validate({**view.study.model_dump(), **told["set"]})
                view.study = changed
        assert view is not None
        return view

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


async def carry_on(path: Path, spec: StudySpec, name: str, llm: LLM) -> StudyFile:
    """Take the study in `path` (or a new one) to its end."""
    suite = open_suite(spec.suite)
    kept, model = StudyFile(path, spec, suite, name), always_cached(llm)
    view = kept.view
    async with open_toolbox(tuple(suite.tools)) as toolbox:
        runner = Runner(view, suite, model, toolbox, kept)
        shop = Workshop(
            view, suite, Counting(model), Counting(model), toolbox, kept.traces, kept.show, kept.seconds
        )  # fmt: skip
        stop: StudyStop = await Search(shop, open_optimizer(view.study.spec), runner, kept).run()
    print(f"Ended: {stop}")
    return kept
