"""What is wrong in which row; which column is what; whatever the size."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.metrics.scorers import SCORERS
from autoflow.suites.table_add import Choice
from autoflow.suites.table_mapping import Columns, guess_columns, guess_scorer, labels_of
from autoflow.suites.table_read import Table, read_pasted, read_table
from autoflow.suites.table_rows import LONG, NAMED, TOO_LONG, Preview, preview

ASKED = Columns(objective="question", expected="answer")


def table(*rows: tuple[str, ...], columns: tuple[str, ...] = ("question", "answer")) -> Table:
    return Table(columns, rows)


def kinds(seen: Preview) -> list[tuple[int, str]]:
    return [(problem.row, problem.kind) for problem in seen.problems]


def test_each_problem_names_its_row() -> None:
    seen = preview(
        table(
            ("2+2?", "4"), ("2+2?", "4"), ("2+2?", "5"), ("3+3?", ""), ("", "7"), ("", ""), ("=SUM(A1)", "9"),
            ("x" * (LONG + 1), "1"), ("y" * (TOO_LONG + 1), "1"),
        ),
        ASKED, "exact",
    )  # fmt: skip
    assert kinds(seen) == [
        (3, "duplicate"), (4, "conflict"), (5, "no-answer"), (6, "no-objective"), (7, "empty"), (8, "formula"),
        (9, "long"), (10, "too-long"),
    ]  # fmt: skip
    assert [row.row for row in seen.rows] == [2, 8, 9]
    assert seen.sentences() == [
        "Left out: row 6 asks nothing.",
        "Left out: row 5 has no expected answer.",
        "Left out: row 4 asks the same as an earlier row, with another answer.",
        "Left out: row 3 asks the same as an earlier row.",
        "Left out: row 10 is longer than any model reads.",
        "Left out: row 7 is empty.",
        "Row 9 is long; small models may not read all of it.",
        "Row 8 has a cell that begins as formulas do. All cells are plain text here; nothing is calculated.",
    ]


def test_an_answer_that_the_scorer_cannot_use_is_told_with_its_reason() -> None:
    seen = preview(table(("a", "one"), ("b", "2"), ("c", "3 or 4")), ASKED, "numeric")
    assert kinds(seen) == [(2, "bad-answer"), (4, "bad-answer")]
    assert "holds no number" in seen.problems[0].words
    assert seen.sentences() == [
        "Left out: rows 2, 4 have expected answers that cannot be scored. The expected answer “one” holds no number."
    ]


def test_a_scorer_without_expected_answers_takes_rows_without() -> None:
    assert len(preview(table(("a", ""), ("b", "")), ASKED, "judge").rows) == 2
    assert preview(table(("a", ""), ("b", "")), ASKED, "exact").rows == ()


def test_white_space_alone_makes_no_other_row_but_case_does() -> None:
    seen = preview(table(("Who is it?", "a"), (" Who  is it? ", "a"), ("who is it?", "a")), ASKED, "exact")
    assert kinds(seen) == [(3, "duplicate")]


def test_100_000_bad_rows_are_told_in_a_few_words() -> None:
    rows = tuple((f"q{n}" if n % 2 else "same", "" if n % 3 else "x") for n in range(100_000))
    seen = preview(table(*rows), ASKED, "exact")
    assert len(seen.problems) <= NAMED * 3
    assert len(seen.rows) + sum(seen.counts.values()) == seen.total == 100_000
    assert all(len(sentence) < 160 for sentence in seen.sentences())
    assert "and 66,661 more" in seen.sentences()[0]


def test_each_distinct_answer_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from autoflow.metrics.kinds import ScorerKind

    looked: list[str] = []

    def check(self: ScorerKind, expected: str, options: object) -> None:
        looked.append(expected)

    monkeypatch.setattr(ScorerKind, "check", check)
    preview(table(*((f"q{n}", "yes" if n % 2 else "no") for n in range(1000))), ASKED, "exact")
    assert sorted(looked) == ["no", "yes"]


def test_ragged_rows_and_guessed_encodings_stay_in_the_notes() -> None:
    data = "question,answer\nCafé?,oui\nThé?\nEau?,non,extra\n".encode("cp1252")
    read = read_table(data, "t.csv")
    seen = preview(read, guess_columns(read), "exact")
    told = "\n".join((*seen.notes, *seen.sentences()))
    assert "Windows-1252" in told
    assert "Fewer cells than columns: row 3" in told
    assert "More cells than column names: row 4" in told
    assert "row 3 has no expected answer" in told
    assert [row.objective for row in seen.rows] == ["Café?", "Eau?"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_other_encodings_give_the_same_rows(encoding: str) -> None:
    read = read_table("question,answer\nCafé crème?,oui\nThé?,non\n".encode(encoding), "t.csv")
    seen = preview(read, guess_columns(read), "exact")
    assert [(row.objective, row.expected) for row in seen.rows] == [("Café crème?", "oui"), ("Thé?", "non")]


def test_formulas_are_rows_like_others() -> None:
    read = read_pasted('question\tanswer\n=HYPERLINK("http://x")\tyes\n+1 or -1?\tno')
    seen = preview(read, guess_columns(read), "exact")
    assert [row.objective for row in seen.rows] == ['=HYPERLINK("http://x")', "+1 or -1?"]
    assert kinds(seen) == [(2, "formula"), (3, "formula")]
    assert not any("begin with" in note for note in seen.notes)  # told row by row instead


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("question", "answer"), Columns(objective="question", expected="answer")),
        (("id", "Task", "Mail Text", "Expected_Answer"), Columns(objective="Task", expected="Expected_Answer")),
        (("mail", "label"), Columns(inputs=("mail",), expected="label")),
        (
            ("prompt", "context", "gold", "label", "difficulty"),
            Columns(objective="prompt", inputs=("context",), expected="gold", tags=("label", "difficulty")),
        ),
        (("subject", "body", "category"), Columns(inputs=("subject", "body"), expected="category")),
        (("eins", "zwei"), Columns(objective="eins", expected="zwei")),
        (("eins", "zwei", "drei"), Columns(inputs=("eins", "zwei"), expected="drei")),
        (("question", "who"), Columns(objective="question")),
    ],
)
def test_columns_are_guessed_from_their_names(columns: tuple[str, ...], found: Columns) -> None:
    made = Table(columns, (tuple(f"x {c}" for c in columns), tuple(f"y {c}" for c in columns)))
    assert guess_columns(made) == found


def test_a_column_of_labels_is_the_answer_whatever_its_name() -> None:
    rows = tuple((f"mail {n}", f"note {n}", ("refund", "delivery")[n % 2]) for n in range(6))
    found = guess_columns(Table(("mail", "remark", "department"), rows))
    assert found == Columns(inputs=("mail",), expected="department")


def test_where_every_row_asks_the_same_the_other_columns_are_given() -> None:
    rows = (("Sort it.", "hi", "May", "a", "model"), ("Sort it.", "yo", "June", "b", "model"))
    found = guess_columns(Table(("objective", "mail", "date", "expected", "origin"), rows))
    assert found == Columns(objective="objective", inputs=("mail", "date"), expected="expected", origin="origin")


def test_a_column_that_says_who_made_a_row_is_known_by_its_words() -> None:
    made = Table(("question", "answer", "source"), (("a", "1", "model"), ("b", "2", "human")))
    columns = guess_columns(made)
    assert columns.origin == "source"
    assert [row.origin for row in preview(made, columns, "exact").rows] == ["model", "person"]
    assert guess_columns(Table(("question", "source"), (("a", "a book"), ("b", "model")))).origin == ""


@settings(deadline=None)
@given(st.lists(st.sampled_from(["question", "answer", "label", "text", "id", "origin", "tag", "x", "y"]), unique=True,
                min_size=1), st.data())  # fmt: skip
def test_whatever_is_guessed_tells_no_run_its_answer(columns: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(*[st.sampled_from(["", "a", "model", "7"])] * len(columns)), max_size=4))
    made = Table(tuple(columns), tuple(rows))
    found, scorer = Choice().completed(made)
    found.check(made)
    preview(made, found, scorer)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (Columns(objective="question", inputs=("answer",), expected="answer"), "is given to the workflow as well"),
        (Columns(objective="answer", expected="answer"), "is given to the workflow as well"),
        (Columns(expected="answer"), "Nothing says what should get done"),
        (Columns(objective="nope"), "no column `nope`"),
    ],
)
def test_columns_that_cannot_be_used_are_told(columns: Columns, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        preview(table(("a", "b")), columns, "exact")


def test_an_instruction_is_said_before_what_a_row_asks() -> None:
    columns = ASKED.model_copy(update={"instruction": "One word."})
    made = table(("Colour of grass?", "green"), ("", ""))
    assert [row.objective for row in preview(made, columns, "exact").rows] == ["One word.\n\nColour of grass?"]


@pytest.mark.parametrize(
    ("answers", "scorer"),
    [
        ([], "judge"),
        (["", " "], "judge"),
        (["1", "-2.5", "$3", "EUR 5", "5 km", "1,234", "12 %"], "numeric"),
        (["answer 1", "answer 2"], "exact"),
        (["yes", "no", "yes"], "exact"),
        (['{"a": 1}', "[2]"], "json"),
        (["It is a long answer that says very many words in a row."] * 2 + ["Another one that is as long as that"],
         "rouge-l"),
    ],
)  # fmt: skip
def test_a_scorer_is_guessed_from_the_answers(answers: list[str], scorer: str) -> None:
    assert guess_scorer(answers) == scorer
    assert scorer in SCORERS


def test_labels_are_few_short_and_come_again() -> None:
    assert labels_of(["b", "a", "a", "b", "a"]) == ("a", "b")
    assert labels_of(["a", "a"]) == ()
    assert labels_of([str(n) for n in range(50)]) == ()
    assert labels_of(["a", "b", "c", "d"]) == ()
    assert labels_of(["a", "b", "", "a"]) == ()


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12))
def test_every_row_is_used_or_told(rows: list[tuple[str, str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("question", "mail", "answer"), *rows])
    try:
        read = read_table(file.getvalue().encode(), "t.csv")
    except SettingsError:
        return  # nothing in it at all
    seen = preview(read, Columns(objective="question", inputs=("mail",), expected="answer"), "exact")
    left_out = [p.row for p in seen.problems if p.kind not in ("long", "formula")]
    assert sorted([*left_out, *(row.row for row in seen.rows)]) == list(range(2, 2 + len(read.rows)))
    asked = [json.dumps([row.objective.split(), {k: v.split() for k, v in row.inputs.items()}]) for row in seen.rows]
    assert len(set(asked)) == len(asked)
