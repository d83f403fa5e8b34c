"""Operators of method `in-context`, by the names that people see."""

from __future__ import annotations

from autoflow.optimize.operators import parts, steps, whole
from autoflow.optimize.operators.base import Bench, Edit, Operator

# In the order in which they are first tried: words before structure, as words bring more.
OPERATORS: dict[str, Operator] = {
    parts.QUESTIONS: parts.questions,
    "ask for one more part": parts.one_more,
    whole.REWRITE: whole.rewrite,
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

# What each is hoped to gain before it was tried: words bring more than structure (MASS, see the paper's ablation).
HOPES = {
    parts.QUESTIONS: 0.3,
    "ask for one more part": 0.2,
    whole.REWRITE: 0.2,
    "reword a step": 0.1,
    "reword a question": 0.1,
}
HOPE = 0.03  # of the others
UNSEEN = frozenset({"ask for one more part"})  # train tasks may say nothing about what they make

__all__ = ["HOPE", "HOPES", "OPERATORS", "UNSEEN", "Bench", "Edit", "Operator"]
