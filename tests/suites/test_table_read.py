"""Reading tables: what people save and paste comes back as it is; hostile bytes end in a sentence."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoflow.errors import SettingsError
from autoflow.suites.table_cells import MAX_COLUMNS, MAX_ROWS
from autoflow.suites.table_read import MAX_BYTES, Table, defused, read_file, read_pasted, read_table

NAMES = ("", "a.csv", "a.tsv", "a.json", "a.jsonl", "a.txt", "a.dat")
HEADER = ["objective", "mail", "answer"]
# Of control characters only white space: a file full of the others is told to be a binary one.
cells = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), max_size=12)
# Bytes that look like tables get further than any bytes do.
nearly = st.lists(
    st.sampled_from([b'"', b",", b";", b"\t", b"\n", b"\r", b"a", b"1", b"{", b"}", b"[", b"]", b":", b'{"a":1}',
                     b"\x00", b"\xff", b"\xc3\xa9", b"sep=", b"\\", b"\xff\xfe", b"null"])
).map(b"".join)  # fmt: skip


def written(rows: list[list[str]], delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([HEADER, *rows])
    return file.getvalue().encode()


def even(table: Table) -> bool:
    return all(len(row) == len(table.columns) for row in table.rows) and len(table.rows) > 0


@given(st.binary(max_size=400) | nearly, st.sampled_from(NAMES), st.sampled_from([None, True, False]))
@example(b'[{"a":' + b"[" * 994 + b"]" * 994 + b"}]", "a.json", None)
@example(b'sep="\na"b', "", None)
@example(b'{"\\ud800": "\\ud800\\u0000"}', "a.jsonl", None)
@settings(max_examples=400)
def test_any_bytes_are_a_table_or_a_sentence(data: bytes, name: str, header: bool | None) -> None:
    try:
        table = read_table(data, name, header=header)
    except SettingsError as error:
        assert error.message.endswith(".")  # noqa: PT017  (a table is as good)
        return
    assert even(table)
    assert len({name.casefold() for name in table.columns}) == len(table.columns)
    assert all(table.columns)
    json.dumps([table.columns, table.rows], ensure_ascii=False).encode("utf-8")  # no half of a surrogate pair is left


@given(st.text(max_size=200))
def test_any_pasted_text_is_a_table_or_a_sentence(text: str) -> None:
    try:
        assert even(read_pasted(text))
    except SettingsError as error:
        assert error.message.endswith(".")  # noqa: PT017  (a table is as good)


@given(st.lists(st.tuples(cells, cells, st.text("xyz1", min_size=1)), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_pythons_csv_wrote_comes_back(rows: list[tuple[str, ...]], delimiter: str) -> None:
    given_rows = [list(row) for row in rows]
    name = "a.tsv" if delimiter == "\t" else "a.csv"
    table = read_table(written(given_rows, delimiter), name)
    assert table.columns == tuple(HEADER)
    assert table.rows == tuple(rows)


@given(st.lists(st.fixed_dictionaries({"objective": cells, "answer": cells}), min_size=1, max_size=8))
def test_json_lines_and_json_lists_come_back(items: list[dict[str, str]]) -> None:
    rows = tuple(tuple(item[name] for name in items[0]) for item in items)  # columns as the first row has them
    lines = "\n".join(json.dumps(item) for item in items)
    assert read_table(lines.encode(), "a.jsonl").rows == rows
    assert read_table(json.dumps(items, indent=2).encode(), "a.json").rows == rows
    assert read_pasted(json.dumps(items)).rows == rows


@pytest.mark.parametrize(
    ("encoding", "told", "note"),
    [
        ("utf-8", "utf-8", ""),
        ("utf-8-sig", "utf-8", ""),
        ("utf-16", "utf-16-le", ""),
        ("utf-16-be", "utf-16-be", "UTF-16-BE was assumed"),
        ("utf-32", "utf-32-le", ""),
        ("cp1252", "windows-1252", "Windows-1252 (Western European) was assumed"),
    ],
)
def test_other_encodings_are_read_and_assumptions_told(encoding: str, told: str, note: str) -> None:
    table = read_table("objective,answer\nGrüße,café\n".encode(encoding), "mails.csv")
    assert table.rows == (("Grüße", "café"),)
    assert table.encoding == told
    assert len(table.notes) == bool(note)
    assert note in "".join(table.notes)


def test_bytes_that_windows_has_no_letter_for_are_latin_1() -> None:
    table = read_table(b"objective,answer\nf\x81r,caf\xe9\n")
    assert table.encoding == "latin-1"
    assert table.rows[0][1] == "café"
    assert "Latin-1" in table.notes[0]


def test_one_damaged_byte_does_not_spoil_all_other_letters() -> None:
    table = read_table(b"objective,answer\n" + "Grüße,é\n".encode() * 30 + b"a\xff,b\n")
    assert table.rows[0] == ("Grüße", "é")
    assert table.notes == ("Characters that could not be read: 1. `\ufffd` stands in their place.",)


def test_nul_bytes_are_taken_out_and_told() -> None:
    table = read_table(b"objective,answer\nab\x00c,yes\n" + b"hello,no\n" * 5)
    assert table.rows[0] == ("abc", "yes")
    assert table.notes == ("NUL characters that were taken out: 1.",)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "`t.csv` is empty"),
        (b"\xef\xbb\xbf \n\n", "`t.csv` is empty"),
        (b",,\n,,\n", "no cell with anything in it"),
        (b"objective,answer\n", "no row below"),
        (b"PK\x03\x04\x14\x00", "a spreadsheet"),
        (bytes(range(256)) * 4, "a binary file"),
        (b"a,b\n" + b"x,y\n" * (MAX_ROWS + 1), "more than 200,000 rows"),
        (b"," * MAX_COLUMNS + b"a\n1\n", "more than 500 columns"),
        (
            b"," * 499 + b"a\n" + (b"1" + b"," * 499 + b"\n") * 10_001,
            "10,001 rows of 500 columns; 5,000,000 cells",
        ),
        (b"a" * (MAX_BYTES + 1), "larger than 25 MB"),
    ],
)
def test_what_is_no_table_is_said(data: bytes, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_table(data, "t.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "item 1 is a number, not an object"),
        ('[{"a": 1}, ', "a JSON list that cannot be read"),
        ('{"a": 1}\nfoo\nbar', "line 2 is not JSON"),
        ('"text"', "line 1 is a text"),
        ("a,b\n1,2", "line 1 is not JSON"),
        ("[{}]", "there is nothing in it"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "line 1 is not JSON"),
    ],
)
def test_broken_json_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read_table(text.encode(), "t.jsonl")


def test_json_keeps_values_keys_and_the_numbers_of_lines() -> None:
    table = read_pasted('{"q": "a", "n": 1.5, "ok": true}\n\nfoo\n{"q": null, "list": ["é", {"x": 1}]}')
    assert table.columns == ("q", "n", "ok", "list")
    assert table.rows == (("a", "1.5", "true", ""), ("",) * 4, ("",) * 4, ("", "", "", '["é", {"x": 1}]'))
    assert (table.first_row, table.format) == (1, "jsonl")
    assert "1 line without a JSON object; line 3 is not JSON" in table.notes[0]
    assert table.notes[1] == "Not every line has the same keys; what is missing is empty."


def test_ragged_rows_are_made_even_and_named() -> None:
    table = read_pasted("task,answer\na,b\nc\nd,e,more\nf,g,,\n")
    assert table.columns == ("task", "answer", "Column C")
    assert table.rows == (("a", "b", ""), ("c", "", ""), ("d", "e", "more"), ("f", "g", ""))
    assert table.notes == (
        "Fewer cells than columns: row 3. The missing ones are empty.",
        "More cells than column names: row 4. The table got columns for them.",
    )


def test_names_that_come_twice_are_told_apart() -> None:
    table = read_pasted("Task,task,,task 2\na,b,c,d")
    assert table.columns == ("Task", "task 2", "Column C", "task 2 2")
    assert table.notes[0] == "More than one column is called `task`; one of them is `task 2` here."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,2\n3,4", "`1` stands above numbers"),
        ("spam;Buy now\nspam;Cheap pills\nham;Dinner?", "`spam` comes again in its column"),
        (f"{'long ' * 50},x\nb,y", "too long for a name"),
    ],
)
def test_a_missing_header_is_noticed(text: str, why: str) -> None:
    table = read_pasted(text)
    assert table.columns == ("Column A", "Column B")
    assert table.first_row == 1
    assert why in table.notes[0]


def test_usual_names_are_a_header_even_where_a_cell_repeats_one() -> None:
    assert read_pasted("question,answer\nquestion,a\nb,c").columns == ("question", "answer")


def test_a_person_can_say_whether_there_is_a_header() -> None:
    assert read_pasted("1,2\n3,4", header=True).columns == ("1", "2")
    table = read_pasted("a,b\nc,d", header=False)
    assert (table.columns, len(table.rows), table.notes) == (("Column A", "Column B"), 2, ())


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("task\tanswer\nHello, you; there\tfine", (("Hello, you; there", "fine"),)),
        ("task;answer\n1,5;2,5", (("1,5", "2,5"),)),
        ("task|answer\na, b|c", (("a, b", "c"),)),
        ("sep=;\ntask;answer\na;b", (("a", "b"),)),
        ("task\nDo this, please\nDo that", (("Do this, please",), ("Do that",))),
        ('task,answer\r\n"two\nlines","say ""hi"""\r\n', (("two\nlines", 'say "hi"'),)),
        ("task,answer\ra,b\rc,d", (("a", "b"), ("c", "d"))),
    ],
)
def test_any_usual_delimiter_is_found(text: str, rows: tuple[tuple[str, ...], ...]) -> None:
    assert read_pasted(text).rows == rows


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    table = read_pasted("\n\ntask,answer\na,b\n\nc,d\n,\n\n")
    assert table.first_row == 4
    assert table.rows == (("a", "b"), ("", ""), ("c", "d"))


def test_a_quotation_mark_that_is_never_closed_is_told() -> None:
    table = read_pasted('task,answer\na,b\nc,"d\ne,f\n')
    assert "In row 3 a cell begins with a quotation mark that is never closed" in table.notes[0]


def test_a_cell_of_a_megabyte_is_read() -> None:
    assert len(read_table(b"task,answer\n" + b"x" * 2**20 + b",y\n").rows[0][0]) == 2**20


def test_100_000_rows_are_read() -> None:
    table = read_table(b"task,mail,answer\n" + b"Do it,Hello there,=1+1\n" * 100_000)
    assert len(table.rows) == 100_000
    assert table.notes[0].startswith("100,000 cells begin with =")


def test_formulas_are_kept_as_text_and_told() -> None:
    table = read_pasted("task,answer\n=SUM(A1),-5\n@cmd,+1.5e3")
    assert table.rows == (("=SUM(A1)", "-5"), ("@cmd", "+1.5e3"))
    assert table.notes[0].startswith("2 cells begin with =, +, - or @")


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+1+1", "-2+3", " =1", "\t=1", "\r=1", "＝1", "-1\n=2", "=", "-"])
def test_formulas_are_defused_for_a_spreadsheet(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "-5", "+3,50", "-1e-9", "- 5 %".replace(" ", ""), "a=b", "'=1", "1-2", " "])
def test_what_is_no_formula_stays(cell: str) -> None:
    assert defused(cell) == cell


def test_files_are_read_by_their_path(tmp_path: Path) -> None:
    path = tmp_path / "mails.csv"
    path.write_bytes(b"task,answer\na,b\n")
    assert read_file(str(path)).rows == (("a", "b"),)
    for wrong, said in (
        (tmp_path, "is a folder"),
        (tmp_path / "none.csv", "There is no file"),
        ("a\0b", "cannot be read"),
    ):
        with pytest.raises(SettingsError, match=said):
            read_file(str(wrong))


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    table = read_pasted("task,answer\na,b")
    assert table.column("answer") == ["b"]
    with pytest.raises(SettingsError, match=r"no column `mail`\. It has `task`, `answer`"):
        table.column("mail")
