"""A model that grades answers by a rubric, 1 to 5, and a person who rates them.

One call an answer. A reply that holds no grade is asked for once more, under the five grades alone; then the judge has
failed, which is an error and no bad grade.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autoflow.errors import ModelReplyError, SettingsError
from autoflow.generate.task import shorten
from autoflow.llm.base import LLM, Choice, Constraint, JsonSchema, Message, Options
from autoflow.llm.reply_text import json_field, json_object, visible
from autoflow.llm.wrappers.meter import totals_of
from autoflow.metrics.base import Score, Scorer
from autoflow.metrics.kinds import ScorerKind, ScorerOption
from autoflow.prompts import fill, load
from autoflow.records import Json, Totals

GRADES = ("1", "2", "3", "4", "5")
REPLY_TOKENS = 300  # a reason of some sentences; only what would never end is cut
THINKING_TOKENS = 4096  # where the model may think first: behind an endpoint, without a grammar
SHOWN_ANSWER, SHOWN_TEXT = 8_000, 4_000  # bytes of the answer, and of each other part; the middle is left out
RUBRIC = "Is the answer right and complete? Where it is known what would have been right: does it say the same?"
_FORMS = {
    "reason": 'Reply with JSON: {"reason": "<one sentence>", "grade": <1, 2, 3, 4 or 5>}',
    "grade": "Reply with the grade alone: 1, 2, 3, 4 or 5.",
}
_REASON = JsonSchema(
    {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "maxLength": 400},
            "grade": {"type": "integer", "enum": [1, 2, 3, 4, 5]},
        },
        "required": ["reason", "grade"],
        "additionalProperties": False,
    },
    name="grade",
)  # fmt: skip
_NAMED = re.compile(r"(?:grade|score|rating|note)\W{0,12}(?:is|of|be|would be|:|=)?\W{0,6}([1-5])(?![\d.,]\d|\d)", re.I)
_OF_FIVE = re.compile(r"(?<![\d.,])([1-5])\s*(?:/|out of|of)\s*5(?!\d)", re.I)
_ALONE = re.compile(r"(?<![\w.,/-])([1-5])(?![\w/-]|[.,]\d)")


def read_grade(reply: str) -> int | None:
    """The grade, 1 to 5, that a reply gives; None where it gives none, or several.

    Looked at in this order: the field of JSON, also where it is cut; `grade: 4` and the like; `4/5`; the only digit
    from 1 to 5 that stands alone.
    """
    text = visible(reply)
    for name in ("grade", "score", "rating"):
        if (field := json_field(text, name)) is not None:
            return _only(_OF_FIVE.findall(field) or _ALONE.findall(field))
    half = re.search(r'"grade"\s*:\s*"?([1-5])(?![\d.])', text)
    if half:
        return int(half[1])
    if text.startswith("{") or json_object(text) is not None:
        return None
    for pattern in (_NAMED, _OF_FIVE, _ALONE):
        if found := pattern.findall(text):
            return _only(found)
    return None


def _only(found: Sequence[str]) -> int | None:
    return int(found[0]) if len(set(found)) == 1 else None


def _judge(options: Json, llm: LLM | None) -> Scorer:
    if llm is None:
        raise SettingsError("The scorer `judge` needs a model that judges.", "Choose one.")
    return Judge(llm, rubric=options["rubric"].strip() or RUBRIC, reason=options["form"] == "reason")


class Judge:
    """Asks a model for a grade; a Score of (grade - 1) / 4, with what it took.

    Args:
        rubric: what to look at, in words.
        reason: let it give its reason first, which small models need and which costs some 30 tokens.
    """

    def __init__(self, llm: LLM, *, rubric: str, reason: bool) -> None:
        self._llm = llm
        self._rubric = rubric
        self._form = "reason" if reason else "grade"
        self._constraint: Constraint = _REASON if reason else Choice(GRADES)

    async def __call__(self, answer: str, expected: str, objective: str) -> Score:
        """Raises ModelReplyError: two replies held no grade. Else what the model's call raises."""
        messages = self._messages(answer, expected, objective)
        reply, totals = await self._ask(messages, self._constraint)
        grade = read_grade(reply)
        if grade is None:
            again = Message("user", fill(load("metrics", "judge-again")))
            said = Message("assistant", shorten(visible(reply), 1_000) or "(nothing)")
            reply, more = await self._ask([*messages, said, again], Choice(GRADES))
            grade, totals = read_grade(reply), totals + more
        if grade is None:
            raise ModelReplyError(
                f"The judge {self._llm.name} gave no grade from 1 to 5, asked twice. It said: “{reply.strip()[:120]}”.",
                "Choose another judge, or a shorter rubric.",
                partial=reply,
            )
        return Score((grade - 1) / 4, {"grade": float(grade)}, expected, totals=totals)

    def _messages(self, answer: str, expected: str, objective: str) -> list[Message]:
        system = fill(load("metrics", "judge"), rubric=shorten(self._rubric, SHOWN_TEXT))
        asked = fill(
            load("metrics", "judge-answer"),
            objective=shorten(objective.strip(), SHOWN_TEXT) or "(none was given)",
            expected=shorten(expected.strip(), SHOWN_TEXT) or "(not known)",
            answer=shorten(answer.strip(), SHOWN_ANSWER) or "(nothing)",
            form=_FORMS[self._form],
        )
        return [Message("system", system), Message("user", asked)]

    async def _ask(self, messages: Sequence[Message], constraint: Constraint) -> tuple[str, Totals]:
        room = REPLY_TOKENS if self._llm.capabilities.grammar else THINKING_TOKENS
        options = Options(temperature=0.0, seed=0, max_tokens=room, constraint=constraint, label="the judge")
        completion = await self._llm.complete(messages, options)
        return completion.text, totals_of(completion.usage)


def _person(options: Json, _: LLM | None) -> Scorer:
    async def score(answer: str, expected: str, objective: str) -> Score:
        return Score(0.0, {}, expected, pending=True)

    return score


KINDS = (
    ScorerKind(
        "judge", "A model judges by a rubric",
        "A model's grade by the rubric, in steps of 0.25: 1: fully meets it (5); 0: fails (1). Its calls cost.",
        _judge, needs_expected=False, needs_judge=True,
        options=(
            ScorerOption("rubric", "", "what to look at, in words; empty: whether it is right and complete"),
            ScorerOption("form", "reason", "a reason first, or the grade alone (cheaper)", choices=tuple(_FORMS)),
        ),
    ),
    ScorerKind(
        "person", "A person rates",
        "What a person gives: 1: as good as can be; 0: of no use. Until then the answer waits.",
        _person, needs_expected=False,
    ),
)  # fmt: skip
