"""The 185 objectives of OpenAGI (arXiv 2304.04370), made by a grammar: the official sentences in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Literal

from autoflow.metrics.plan import PlanTask
from autoflow.tools.openagi.table import DEGRADATIONS, Output

Kind = Literal["image-image", "image-text", "text-image", "text-text", "image-query-text", "document-query-text"]
_LANGUAGES = ("German", "English")
_CLOZED = (True, False)


@dataclass(frozen=True, slots=True)
class OpenAGITask:
    """One objective."""

    number: int  # 0 to 184, its place in the official list
    objective: str
    kind: Kind
    plan: PlanTask  # what it gives and asks


@cache
def openagi_tasks() -> tuple[OpenAGITask, ...]:
    """All 185, in the official order."""
    parts = (*_restoring(), *_describing(), *_texts(), *_asking_images(), *_asking_documents())
    return tuple(
        OpenAGITask(number, f"Given {given}, how to {wanted} step by step?", kind, plan)
        for number, (given, wanted, kind, plan) in enumerate(parts)
    )


_Part = tuple[str, str, Kind, PlanTask]


def _images() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The 15 images: words, and degradations in the order of their making."""
    for flags in product((True, False), repeat=len(DEGRADATIONS)):
        found = tuple(name for name, there in zip(DEGRADATIONS, flags, strict=True) if there)
        if found:
            yield " ".join((*reversed(found), "image")), found


def _restoring() -> Iterator[_Part]:
    for words, found in _images():
        yield words, "return the regular image", "image-image", PlanTask(found, (), "regular image")


def _describing() -> Iterator[_Part]:
    outputs: tuple[Output, ...] = ("caption", "class label", "object names")
    for (words, found), language, output in product(_images(), _LANGUAGES, outputs):
        plan = PlanTask(found, (), output, language == "German")
        yield words, f"return the {output} in {language}", "image-text", plan


def _texts() -> Iterator[_Part]:
    for clozed in _CLOZED:
        yield _text("text", clozed), "generate a image", "text-image", PlanTask(None, (clozed,), "generated image")
    wishes: tuple[tuple[str, Output, bool], ...] = (
        ("return the summarization in German", "summarization", True),
        ("translate the text in German", "translation", True),
        ("return the sentiment in German", "sentiment", True),
        ("return the summarization in English", "summarization", False),
        ("return the sentiment in English", "sentiment", False),
    )
    for clozed, (words, output, german) in product(_CLOZED, wishes):
        yield _text("text", clozed), words, "text-text", PlanTask(None, (clozed,), output, german)


def _asking_images() -> Iterator[_Part]:
    for (words, found), clozed, language in product(_images(), _CLOZED, reversed(_LANGUAGES)):
        plan = PlanTask(found, (clozed,), "answer", language == "German")
        yield f"{words} and {_text('query', clozed)}", f"answer the question in {language}", "image-query-text", plan


def _asking_documents() -> Iterator[_Part]:
    for document, query, language in product(_CLOZED, _CLOZED, _LANGUAGES):
        given = f"{_text('document', document)} and {_text('query', query)}"
        plan = PlanTask(None, (document, query), "answer", language == "German")
        yield given, f"answer the question in {language}", "document-query-text", plan


def _text(noun: str, clozed: bool) -> str:
    return f"clozed English {noun}" if clozed else f"English {noun}"
