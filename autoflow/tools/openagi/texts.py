"""Text tools without a model of the hub: sentiment by a word list, summaries by LexRank."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

SENTENCES = 2  # of a summary
_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9])")


def sentiment(text: str) -> str:
    """`POSITIVE` or `NEGATIVE`, as the benchmark says it; by the word list of VADER (Hutto, Gilbert 2014)."""
    score = _vader().polarity_scores(text)["compound"]
    return "POSITIVE" if score >= 0 else "NEGATIVE"


def summary(text: str) -> str:
    """Its most central sentences in their order, by LexRank (Erkan and Radev 2004); short texts as they are."""
    sentences = [sentence.strip() for sentence in _SENTENCE.split(text.strip()) if sentence.strip()]
    if len(sentences) <= SENTENCES:
        return text.strip()
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
    from sumy.summarizers.lex_rank import LexRankSummarizer

    words = _Words()
    document = ObjectDocumentModel([Paragraph([Sentence(s, words) for s in sentences])])
    return " ".join(str(sentence) for sentence in LexRankSummarizer()(document, SENTENCES))


class _Words:
    """What sumy asks of a tokenizer; its own would download one."""

    @staticmethod
    def to_words(sentence: str) -> tuple[str, ...]:
        return tuple(re.findall(r"\w+", sentence.lower()))


@cache
def _vader() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
