"""By what a suite is scored: the columns of the paper's table, the metric in each, and the paper's own figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoflow.errors import AutoFlowError
from autoflow.study import SuiteSpec
from autoflow.suites.openagi_run import HUB, OFFLINE
from autoflow.suites.openagi_tasks import openagi_tasks
from autoflow.suites.registry import Saved, scorer_of

COLUMNS = ("CLIP score", "BERTScore", "ViT score")
_TEXTS = ("image-text", "text-text", "image-query-text", "document-query-text")
# Kind of task -> the column of the paper's table that it counts for.
METRICS = {"text-image": "CLIP score", "image-image": "ViT score"} | dict.fromkeys(_TEXTS, "BERTScore")
_COLUMN_OF = {f"openagi-{task.number}": METRICS[task.kind] for task in openagi_tasks()}
_HUB_WORDS = {
    "vit-score": "ViT score by nateraw/vit-base-beans", "bertscore": "BERTScore by microsoft/deberta-xlarge-mnli",
    "clip-score": "CLIP score by openai/clip-vit-base-patch16",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """Average scores over tasks, as the paper (arXiv 2407.12821) gives them. Nothing of it was measured here."""

    interpreter: str
    manual: float
    generated: float  # by the best generator
    generator: str


PUBLISHED = (
    Published("Mixtral-8x7B-Instruct (GPTQ)", 0.2483, 0.3597, "GPT-4"),
    Published("GPT-4 (1106-preview)", 0.6104, 0.6501, "Mixtral-8x7B-Instruct"),
)


def carried_out(suite: SuiteSpec) -> bool:
    """Whether its tasks have the columns of the paper's table; plans that are not carried out have none."""
    return suite.name == "openagi"


def by_column(scores: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Column of the paper's table -> task -> score, in the order of `COLUMNS`; columns without a task are left out."""
    found: dict[str, dict[str, float]] = {column: {} for column in COLUMNS}
    for task, score in scores.items():
        if task in _COLUMN_OF:
            found[_COLUMN_OF[task]][task] = score
    return {column: tasks for column, tasks in found.items() if tasks}


def column_of(suite: SuiteSpec, task: str) -> str:
    """The column that a task counts for; empty where the suite has none."""
    return _COLUMN_OF.get(task, "") if carried_out(suite) else ""


def scored_by(suite: SuiteSpec, saved: Saved | None = None) -> str:
    """By what answers were scored, and by whose tools they were made, in a sentence."""
    match suite.name:
        case "openagi":
            return _openagi(str(suite.options.get("provider") or ""), own=not suite.options.get("data"))
        case "openagi-plan":
            return "Plans are scored by rule and not carried out: from 0 (nothing of the goal) to 1 (the right plan)."
        case "reasoning":
            return "Answers are scored by the verifiers of the puzzles themselves."
        case _:
            return _table(suite, saved)


def _openagi(provider: str, *, own: bool) -> str:
    data = "the project's own sample" if own else "official data in a folder"
    if provider == "hub":
        metrics = ", ".join(_HUB_WORDS[name] for name in (HUB.drawings, HUB.texts, HUB.pictures) if name)
        other = " The data are other ones than the paper's: these figures cannot be held against published ones."
        return (
            f"Plans are carried out by models of the Hugging Face hub on {data} and scored as in the paper: {metrics}."
            + (other if own else "")
        )
    if provider == "offline":
        return (
            f"Plans are carried out by offline parts on {data}, not by the paper's models. In the column BERTScore "
            f"stands {OFFLINE.texts}, in ViT score {OFFLINE.pictures}; tasks of CLIP score are left out. These figures "
            "cannot be held against published ones."
        )
    return f"Plans are carried out on {data}; by whose models was not kept."


def _table(suite: SuiteSpec, saved: Saved | None) -> str:
    try:
        kind = scorer_of(suite, saved)
    except AutoFlowError:
        return "By what it was scored is not known any more: the table was deleted."
    return f"Answers are scored: {kind.label[:1].lower()}{kind.label[1:]}." if kind else ""
