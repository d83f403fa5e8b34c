"""Operators of method `in-context`, by the names that people see."""

from __future__ import annotations

from autoflow.optimize.operators import parts, steps, whole
from autoflow.optimize.operators.base import Bench, Edit, Operator

# In the order in which they are first tried: words before structure, as words bring more.
OPERATORS: dict[str, Operator] = {
    "ask for each part": parts.questions,
    "ask for one more part": parts.one_more,
    "rewrite": whole.rewrite,
    "reword a step": steps.instruction,
    "change what a step sees": steps.see,
    "reword a question": parts.reword,
    "split a step": steps.split,
    "ask before a step": steps.decide,
    "show an example": steps.example,
    "reword the ending": parts.other_ending,
    "drop a step": steps.drop,
    "start anew": whole.restart,
    "swap two steps": steps.move,
    "reason or not": steps.reason,
}

UNSEEN = frozenset({"ask for one more part"})  # train tasks may say nothing about what they make

__all__ = ["OPERATORS", "UNSEEN", "Bench", "Edit", "Operator"]
