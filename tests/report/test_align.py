"""Two traces beside each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autoflow.interpret.trace import StepView
from autoflow.report.align import align


def trace(*names: str, **words: str) -> list[StepView]:
    """A visit to each of these steps, whose instruction is the letter of its name unless `words` says another."""
    return [StepView(n, name, "process", words.get(name, f"do {name}"), True, "") for n, name in enumerate(names, 1)]


def names(rows: list[tuple[StepView | None, StepView | None]]) -> list[str]:
    return [f"{a.step if a else '-'}|{b.step if b else '-'}" for a, b in rows]


def test_a_step_put_in_between_stands_beside_a_gap() -> None:
    assert names(align(trace("A", "B", "C"), trace("A", "X", "B", "C"))) == ["A|A", "-|X", "B|B", "C|C"]


def test_steps_that_were_renumbered_are_known_by_what_they_say() -> None:
    a = trace("1", "2", **{"1": "Read it", "2": "Answer it"})
    b = trace("1", "2", "3", **{"1": "Read it", "2": "Is it spam?", "3": "Answer it"})
    assert names(align(a, b)) == ["1|1", "-|2", "2|3"]


def test_a_step_whose_words_changed_is_known_by_its_name() -> None:
    assert names(align(trace("A", "B"), trace("a", "B", a="do it well"))) == ["A|a", "B|B"]


def test_a_loop_that_one_side_goes_round_once_more_has_gaps() -> None:
    found = names(align(trace("A", "B", "A", "B", "C"), trace("A", "B", "C")))
    assert [row for row in found if "-" not in row] == ["A|A", "B|B", "C|C"]
    assert len(found) == 5


def test_traces_with_nothing_in_common_come_one_after_the_other() -> None:
    assert names(align(trace("A", "B"), trace("C"))) == ["A|-", "B|-", "-|C"]
    assert align([], []) == []


words = st.lists(st.sampled_from("ABCDE"), max_size=12)


@given(words, words, st.dictionaries(st.sampled_from("ABCDE"), st.sampled_from(["do A", "do B", "else"])))
def test_every_visit_stands_in_one_row_in_its_order(a: list[str], b: list[str], said: dict[str, str]) -> None:
    first, second = trace(*a), trace(*b, **said)
    rows = align(first, second)
    assert [x for x, _ in rows if x] == first
    assert [y for _, y in rows if y] == second
    assert (None, None) not in rows


@given(words)
def test_a_trace_beside_itself_has_no_gaps(a: list[str]) -> None:
    assert names(align(trace(*a), trace(*a))) == [f"{name}|{name}" for name in a]
