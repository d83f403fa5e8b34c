"""The step-wise difference of two workflows as records to be drawn, with the words that changed marked."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from autoflow.lang.diff import StepDiff, WorkflowDiff, branch_text
from autoflow.lang.workflow import Step
from autoflow.records import Json

_WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
MOST_WORDS = 2000  # beyond it a text counts as changed whole: finding the words takes quadratic time


def changes(found: WorkflowDiff) -> list[Json]:
    """One record for each step that differs, in the order of the new workflow, and one for comments.

    Each: `sign` (+, −, ~), `title`, `what` in words, `type` of the step, `fields` (`field`, `before`, `after`), where
    the two texts are lists of [`same` | `removed` | `added`, piece].
    """
    records = [_record(step) for step in found.steps]
    fields = [{"field": "comment", "before": [["removed", line]], "after": []} for line in found.comments_removed]
    fields += [{"field": "comment", "before": [], "after": [["added", line]]} for line in found.comments_added]
    if fields:
        records.append({"sign": "~", "title": "Comments", "what": "changed", "type": "", "fields": fields})
    return records


def counted(found: WorkflowDiff) -> str:
    """`1 step added, 2 changed`; or that nothing differs."""
    if found.empty:
        return "Both say the same."
    if not found.steps:
        return "Only comments differ."
    return "Steps: " + ", ".join(f"{count} {change}" for change, count in found.counts.items()) + "."


def _record(step: StepDiff) -> Json:
    if step.before is None or step.after is None:
        only, sign = (step.after, "+") if step.before is None else (step.before, "−")
        assert only is not None
        what = "added" if sign == "+" else "removed"
        return {"sign": sign, "title": only.name, "what": what, "type": only.type, "fields": _whole(only, what)}
    place = f" from place {step.before_position} to {step.after_position}" if step.moved else ""
    return {
        "sign": "~",
        "title": step.after.name,
        "what": ", ".join(step.changes) + place,
        "type": step.after.type,
        "fields": [{"field": f.field, **_marked(f.before, f.after)} for f in step.fields],
    }


def _whole(step: Step, what: str) -> list[Json]:
    """All that a step says which only one side has."""
    side, other = ("after", "before") if what == "added" else ("before", "after")
    said = {"type": step.type, "instruction": step.instruction, "branches": branch_text(step)}
    return [{"field": name, side: [[what, text]], other: []} for name, text in said.items() if text]


def _marked(before: str, after: str) -> Json:
    """Both texts in pieces, with what is not in the other one marked."""
    a, b = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(a), len(b)) > MOST_WORDS:
        return {"before": [["removed", before]], "after": [["added", after]]}
    left, right = [], []
    for what, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        left.append(["same" if what == "equal" else "removed", "".join(a[a0:a1])])
        right.append(["same" if what == "equal" else "added", "".join(b[b0:b1])])
    return {"before": [p for p in left if p[1]], "after": [p for p in right if p[1]]}
