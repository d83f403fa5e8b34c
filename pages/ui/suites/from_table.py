"""A suite of a person's own table: read, mapped, looked at, saved."""

from __future__ import annotations

from hashlib import blake2b

import streamlit as st

from autoflow.errors import SettingsError
from autoflow.records import Json
from autoflow.suites.table_add import NAME_CHARACTERS, ONE_INSTRUCTION, Choice, add_table, name_of_file
from autoflow.suites.table_mapping import Columns, guess_columns, guess_scorer
from autoflow.suites.table_read import Table, read_pasted, read_table
from autoflow.suites.table_rows import Preview, preview
from pages.ui import services
from pages.ui.plain import cut
from pages.ui.suites import known, problems, scoring

TYPES = ["csv", "tsv", "tab", "txt", "jsonl", "ndjson", "json"]
HEADERS = {"As it looks": None, "Names of the columns": True, "Data": False}
NONE = ""  # among the columns
SHOWN = 8  # rows of the sample


def draw(key: str) -> None:
    """The form, from the file to the saved suite."""
    found = _table(f"{key}-table-{_turn(key)}")
    if found is None:
        return
    table, name, mark = found
    here = f"{key}-table-{mark}"
    columns = _columns(here, table)
    answers = table.column(columns.expected) if columns.expected else []
    scored = scoring.draw(here, guess_scorer(answers), columns.instruction or _asked(table, columns))
    chosen = repr(sorted(scored.options.items()))
    try:
        seen = _preview(mark, columns.model_dump_json(), scored.name, chosen, table, scored.options)
    except SettingsError as error:
        st.text(str(error))
        return
    problems.draw(here, seen)
    _sample(seen)
    choice = Choice(columns, "", scored.name, scored.options, scored.rubric, scored.model)
    _save(key, here, table, name, choice, usable=bool(seen.rows))


def _turn(key: str) -> int:
    """Grows when a table was saved: then its fields are empty again."""
    return int(st.session_state.get(f"{key}-table-turn", 0))


def _table(key: str) -> tuple[Table, str, str] | None:
    """What was given, how it is called, and a mark of its content."""
    file = st.file_uploader("A table: CSV, TSV, JSONL or JSON", type=TYPES, key=f"{key}-file")
    pasted = st.text_area(
        "Or paste cells, with a row of column names", key=f"{key}-pasted", height=110,
        placeholder="mail\tanswer\nWhere is my parcel?\tdelivery",
    )  # fmt: skip
    header = HEADERS[st.selectbox("The first row holds", list(HEADERS), key=f"{key}-header", width=240)]
    if file is None and not pasted.strip():
        st.caption("One row a task: what is asked, what is given, what would be right..")
        return None
    data = file.getvalue() if file is not None else pasted.encode("utf-8", "replace")
    try:
        table = _read(data, file.name if file is not None else None, header)
    except SettingsError as error:
        services.show_error(error)
        return None
    name = name_of_file(file.name) if file is not None else "Pasted table"
    mark = blake2b(data + repr((header, name)).encode(), digest_size=6).hexdigest()
    return table, name, mark


@st.cache_resource(max_entries=4, ttl=1800, show_spinner="Reading the table …")
def _read(data: bytes, filename: str | None, header: bool | None) -> Table:
    if filename is None:
        return read_pasted(data.decode("utf-8"), header=header)
    return read_table(data, filename, header=header)


@st.cache_resource(max_entries=8, ttl=1800, show_spinner="Looking at every row …")
def _preview(mark: str, columns: str, scorer: str, chosen: str, _table: Table, _options: Json) -> Preview:
    return preview(_table, Columns.model_validate_json(columns), scorer, _options)


def _columns(key: str, table: Table) -> Columns:
    """Which column is what; at first as their names say."""
    guess = guess_columns(table)
    left, right = st.columns(2)
    with left:
        objective = _one(key, "What is asked", table, guess.objective)
        inputs = st.multiselect("What is given with it", table.columns, guess.inputs, key=f"{key}-inputs")
        instruction = st.text_area(
            "What to do with every row", "" if objective else ONE_INSTRUCTION, height=80,
            key=f"{key}-instruction-{bool(objective)}",
            help="Said before what a row asks; all there is where no column says it.",
        )  # fmt: skip
    with right:
        expected = _one(key, "The right answer", table, guess.expected)
        tags = st.multiselect(
            "Tags", table.columns, guess.tags, key=f"{key}-tags", help="Each split gets about the same share of each."
        )
        origin = _one(key, "Who made the row", table, guess.origin, "Words such as model or person.")
    return Columns(
        objective=objective, instruction=instruction, inputs=tuple(inputs), expected=expected, tags=tuple(tags),
        origin=origin,
    )  # fmt: skip


def _one(key: str, label: str, table: Table, guess: str, words: str | None = None) -> str:
    columns = [guess, *(c for c in (NONE, *table.columns) if c != guess)]
    return st.selectbox(
        label, columns, format_func=lambda c: cut(c, 60) or "(no column)", key=f"{key}-{label}", help=words
    )


def _asked(table: Table, columns: Columns) -> str:
    """A few of the objectives, for a rubric."""
    return "\n".join(cell for cell in table.column(columns.objective)[:5] if cell.strip()) if columns.objective else ""


def _sample(seen: Preview) -> None:
    if not seen.rows:
        return
    st.caption(f"The first {min(SHOWN, len(seen.rows))} tasks, as a workflow gets them; what is expected stays hidden.")
    st.dataframe(
        [
            {"Row": row.row, "What is asked": cut(row.objective, 300)}
            | {f"Input {cut(name, 40)}": cut(text, 300) for name, text in row.inputs.items()}
            | {"Expected": cut(row.expected, 300), "Tags": ", ".join(row.tags)}
            for row in seen.rows[:SHOWN]
        ],
        hide_index=True, width="stretch",
    )  # fmt: skip


def _save(key: str, here: str, table: Table, name: str, choice: Choice, *, usable: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        called = st.text_input("Name of these tasks", cut(name, 80), max_chars=NAME_CHARACTERS, key=f"{here}-name")
        st.button(
            "Save as tasks", type="primary", icon=":material/save:", key=f"{key}-table-save", disabled=not usable,
            on_click=_saved, args=(key, table, called or name, choice, name),
        )  # fmt: skip


@services.said
def _saved(key: str, table: Table, name: str, choice: Choice, source: str) -> None:
    """Save it and choose it; a fault is told, and the form stays as it is."""
    saved, seen = add_table(services.store(), table, name, choice, source=source)
    st.session_state[f"{key}-table-turn"] = _turn(key) + 1
    known.take(key, saved, f"{len(seen.rows):,} tasks were saved as “{cut(saved.name, 60)}”, and are chosen.")
