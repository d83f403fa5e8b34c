"""Scorers of texts that need no model: the same text, a number, words in common, a passage, an expression."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

import regex

from autoflow.errors import SettingsError
from autoflow.llm.base import LLM
from autoflow.metrics.base import Score, Scorer
from autoflow.metrics.kinds import ScorerKind, ScorerOption
from autoflow.metrics.numbers import numbers
from autoflow.metrics.tokens import folded, squad_words, words
from autoflow.records import Json

MATCH_LIMIT_S = 1.0  # for one expression on one answer: some take exponential time
_CASE = ScorerOption("ignore_case", True, "capital and small letters are the same")
_SPACES = ScorerOption("ignore_spaces", True, "any white space is one space")


def _plain(measure: Callable[[str, str], tuple[float, Mapping[str, float]]]) -> Scorer:
    """A scorer that only looks at the two texts."""

    async def score(answer: str, expected: str, objective: str) -> Score:
        value, parts = measure(answer, expected)
        return Score(value, parts, expected)

    return score


def _exact(options: Json, _: LLM | None) -> Scorer:
    def fold(text: str) -> str:
        return folded(
            text, case=options["ignore_case"], spaces=options["ignore_spaces"],
            punctuation=options["ignore_punctuation"],
        )  # fmt: skip

    return _plain(lambda answer, expected: (float(fold(answer) == fold(expected)), {}))


def _numeric(options: Json, _: LLM | None) -> Scorer:
    def measure(answer: str, expected: str) -> tuple[float, Mapping[str, float]]:
        found, wanted = (numbers(text, decimal_comma=options["decimal_comma"]) for text in (answer, expected))
        if not wanted:
            raise SettingsError(f"The expected answer “{expected[:80]}” holds no number.", "Correct the table.")
        if not found:
            return 0.0, {}
        off = abs(found[-1] - wanted[-1])
        allowed = max(options["absolute"], options["relative"] * abs(wanted[-1]))
        near = off <= allowed or math.isclose(off, allowed, rel_tol=1e-9)  # 1.1 is within 0.1 of 1.0
        return float(near), {"off by": off}

    return _plain(measure)


def _number_fault(expected: str, options: Json) -> str | None:
    found = numbers(expected, decimal_comma=options["decimal_comma"])
    if not found:
        return f"The expected answer “{expected[:80]}” holds no number."
    if len(found) > 1:
        return f"The expected answer “{expected[:80]}” holds {len(found)} numbers: leave the one that counts."
    return None


def _token_f1(options: Json, _: LLM | None) -> Scorer:
    def measure(answer: str, expected: str) -> tuple[float, Mapping[str, float]]:
        found, wanted = squad_words(answer), squad_words(expected)
        return overlap((Counter(found) & Counter(wanted)).total(), len(found), len(wanted))

    return _plain(measure)


def _rouge_l(options: Json, _: LLM | None) -> Scorer:
    def measure(answer: str, expected: str) -> tuple[float, Mapping[str, float]]:
        found, wanted = words(answer), words(expected)
        return overlap(common_length(found, wanted), len(found), len(wanted))

    return _plain(measure)


def overlap(common: int, found: int, wanted: int) -> tuple[float, Mapping[str, float]]:
    """F1 of `common` words in an answer of `found` words where `wanted` are right; 1 where both are empty."""
    if not common:
        both_empty = float(found == wanted == 0)
        return both_empty, {"precision": both_empty, "recall": both_empty}
    return 2 * common / (found + wanted), {"precision": common / found, "recall": common / wanted}


def common_length(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence. Bits of whole numbers stand for a row of the table (Hyyrö 2004)."""
    places: dict[Hashable, int] = defaultdict(int)
    for at, item in enumerate(one):
        places[item] |= 1 << at
    full = row = (1 << len(one)) - 1
    for item in other:
        matched = row & places.get(item, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(one) - row.bit_count()


def _contains(options: Json, _: LLM | None) -> Scorer:
    whole = options["whole_words"]

    def measure(answer: str, expected: str) -> tuple[float, Mapping[str, float]]:
        text, part = (folded(t, case=options["ignore_case"], spaces=True) for t in (answer, expected))
        if not whole:
            return float(part in text), {}
        border = rf"(?<!\w){regex.escape(part)}(?!\w)"
        return float(regex.search(border, text) is not None), {}

    return _plain(measure)


def _regex(options: Json, _: LLM | None) -> Scorer:
    if options["pattern"]:
        compiled(options["pattern"], options)  # raises now, not at the first answer

    async def score(answer: str, expected: str, objective: str) -> Score:
        text = options["pattern"] or expected
        pattern = compiled(text, options)
        find = pattern.fullmatch if options["whole"] else pattern.search
        try:
            found = await asyncio.to_thread(find, answer.strip(), timeout=MATCH_LIMIT_S, concurrent=True)
        except TimeoutError:
            raise SettingsError(
                f"The expression `{text[:80]}` took more than {MATCH_LIMIT_S:g} s on this answer.",
                "Write it without repetitions inside repetitions.",
            ) from None
        return Score(float(found is not None), {}, f"a text that matches {text}")

    return score


def compiled(text: str, options: Json) -> regex.Pattern[str]:
    """Raises SettingsError: it is no expression."""
    try:
        return regex.compile(text, regex.IGNORECASE if options["ignore_case"] else 0)
    except (regex.error, RecursionError) as error:
        raise SettingsError(f"The regular expression `{text[:80]}` has a fault: {error}.", "Correct it.") from None


def _regex_fault(expected: str, options: Json) -> str | None:
    if not options["pattern"] and not expected.strip():
        return "There is no expression: neither as the option `pattern` nor as the expected answer."
    try:
        compiled(options["pattern"] or expected, options)
    except SettingsError as error:
        return error.message
    return None


KINDS = (
    ScorerKind(
        "exact", "The same text", "1: the same text; 0: any other.", _exact,
        options=(
            _CASE, _SPACES,
            ScorerOption("ignore_punctuation", True, "marks around words do not count: “Yes.” is yes"),
        ),
    ),
    ScorerKind(
        "numeric", "The same number",
        "1: the last number of the answer is the expected one, within the tolerance; 0: it is not, or there is none. "
        "1,234.5 and 3/4 are read; 12 % is 12; words are no numbers.",
        _numeric, find_fault=_number_fault,
        options=(
            ScorerOption("relative", 1e-6, "tolerance as a share of the expected number (0.01: one percent)", least=0),
            ScorerOption("absolute", 0.0, "tolerance as a number; the larger of the two counts", least=0),
            ScorerOption("decimal_comma", False, "numbers are written 1.234,5"),
        ),
    ),
    ScorerKind(
        "token-f1", "Words in common (F1)",
        "F1 of the words in common as SQuAD counts them: 1: the same words in any order; 0: none in common.", _token_f1,
    ),
    ScorerKind(
        "rouge-l", "Words in common in their order (ROUGE-L)",
        "F1 of the longest common sequence of words: 1: the same words in the same order; 0: none in common.", _rouge_l,
    ),
    ScorerKind(
        "contains", "Holds a passage", "1: the expected text stands in the answer; 0: it does not.", _contains,
        options=(_CASE, ScorerOption("whole_words", True, "“art” does not stand in “party”")),
    ),
    ScorerKind(
        "regex", "Matches a regular expression", "1: the expression matches in the answer; 0: it does not.", _regex,
        needs_expected=False, find_fault=_regex_fault,
        options=(
            ScorerOption("pattern", "", "the expression for all tasks; where it is empty, a task's expected answer is"),
            ScorerOption("whole", False, "it must match all of the answer"),
            ScorerOption("ignore_case", False, "capital and small letters are the same"),
        ),
    ),
)  # fmt: skip
