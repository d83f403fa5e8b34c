"""The interpreter: carries out a workflow on a task with a language model, and records all that happens.

result = await interpret(workflow, task, llm, toolbox)      how it ended
views(events), run_json(run, events)                        what happened, for people and programs
fork(events, visit)                                         the history of a run that branches off
"""

from autoflow.interpret.interpreter import RunResult, interpret
from autoflow.interpret.observer import Observer, Paused, Recorder
from autoflow.interpret.state import RunState, fork, totals, whole_visits
from autoflow.interpret.trace import StepView, run_json, run_warnings, views

__all__ = [
    "Observer", "Paused", "Recorder", "RunResult", "RunState", "StepView", "fork", "interpret", "run_json",
    "run_warnings", "totals", "views", "whole_visits",
]  # fmt: skip
