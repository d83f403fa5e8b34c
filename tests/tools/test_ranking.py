"""Ranking by shared words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.tools.ranking import Ranking


def test_the_text_that_shares_the_rarer_words_comes_first() -> None:
    texts = ["the cat the cat", "the refund is paid", "the dog"]
    scores = Ranking().scores("the refund", texts)
    assert scores.index(max(scores)) == 1


def test_texts_without_a_shared_word_score_nothing() -> None:
    assert Ranking().scores("refund", ["cat", ""]) == [0.0, 0.0]


def test_a_text_is_its_own_best_match_also_when_it_is_alone() -> None:
    assert Ranking().scores("paid in full", ["paid in full"]) == [pytest.approx(1.0)]


@given(st.text(), st.lists(st.text(), max_size=8))
def test_scores_lie_between_zero_and_one(query: str, texts: list[str]) -> None:
    ranking = Ranking(kept=3)
    first = ranking.scores(query, texts)
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in first)
    assert ranking.scores(query, texts) == first  # what is remembered changes nothing
