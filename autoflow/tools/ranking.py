"""Ranking texts by the words they share with a query: TF-IDF cosine, without a model and without a download."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain

from autoflow.lang.workflow import fold

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text, folded, so that case and composition do not matter."""
    return _WORD.findall(fold(text))


class Ranking:
    """Scores of texts for a query. Texts weigh 1 + log tf and have length 1; the query alone carries the idf.

    (This is `lnc.ltc` in the SMART notation: a text is weighted once, however many texts come later.)
    """

    def __init__(self, kept: int = 1_000) -> None:
        """`kept`: how many weighted texts are remembered for the next query."""
        self._kept = kept
        self._weights: dict[str, Mapping[str, float]] = {}

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Cosine of each text with the query, in [0, 1]; 0 where they share no word."""
        documents = [self._weighted(text) for text in texts]
        asked = _tf(query)
        shared = [asked.keys() & document.keys() for document in documents]
        held_by = Counter(chain.from_iterable(shared))
        wanted = _normal({word: weight * _idf(held_by[word], len(texts)) for word, weight in asked.items()})
        return [
            sum(wanted[word] * document[word] for word in common) if common else 0.0
            for document, common in zip(documents, shared, strict=True)
        ]

    def _weighted(self, text: str) -> Mapping[str, float]:
        found = self._weights.get(text)
        if found is None:
            found = _normal(_tf(text))
            if self._kept:
                self._weights[text] = found
            if len(self._weights) > self._kept:
                del self._weights[next(iter(self._weights))]
        return found


def _tf(text: str) -> dict[str, float]:
    return {word: 1.0 + math.log(count) for word, count in Counter(words(text)).items()}


def _idf(held_by: int, texts: int) -> float:
    """At least a little for a word that all texts hold: with one text, its words must still count."""
    return math.log((1 + texts) / (1 + held_by)) + 0.1


def _normal(weights: Mapping[str, float]) -> dict[str, float]:
    length = math.sqrt(sum(v * v for v in weights.values())) or 1.0
    return {word: v / length for word, v in weights.items()}
