"""Examples in a table that a person corrects; what a model proposed bears that mark, here and wherever it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pydantic import ValidationError

from autoflow.generate.examples import Example
from autoflow.records import Job
from autoflow.suites.table_add import NAME_CHARACTERS, save_once
from autoflow.suites.table_body import ScorerSpec, corrected_row, suite_body
from autoflow.suites.table_mapping import guess_scorer
from autoflow.suites.table_rows import Preview, Row, preview_rows
from pages.ui import services
from pages.ui.format import plural
from pages.ui.plain import cut, plain
from pages.ui.suites import known, problems, scoring
from pages.ui.suites.scoring import Scoring

USE, EXPECTED, BY, NUMBER = "Use", "Expected answer", "Proposed by", "_number"


def proposed(job: Job) -> list[Example]:
    """Those there are by now: durable ones, and those of the reply under way."""
    told = [*(job.result or {}).get("examples", ()), *(() if job.ended else job.live.get("examples", ()))]
    found = []
    for one in told:
        try:
            found.append(Example.model_validate(one))
        except ValidationError:
            continue  # written by another version
    return found


@dataclass(frozen=True, slots=True)
class Given:
    """Rows to begin from, and where they came from; others have another table."""

    of: str
    rows: tuple[Row, ...] = ()
    names: tuple[str, ...] = ()  # of their inputs
    model: str = ""  # which one proposed them
    scorer: ScorerSpec | None = None  # by which they were scored before


def draw(key: str, objective: str, names: tuple[str, ...], given: Given) -> None:
    """The table, how it is scored, and the button that accepts it.

    Args:
        names: of the inputs, where nothing is given.
    """
    here, shown = f"{key}-examples-{given.of}", given.names or names
    edited = _editor(here, shown, given.rows)
    rows = [_row(objective, number, line, shown, given.rows) for number, line in enumerate(edited, 1) if line.get(USE)]
    rows = [row for row in rows if row.objective or row.expected]
    if not rows:
        st.text("Write at least two examples: one to learn from, one to select by.")
        return
    scored = scoring.draw(here, guess_scorer([row.expected for row in rows]), objective, given.scorer)
    seen = preview_rows(rows, scored.name, scored.options)
    if seen.problems:
        problems.draw(here, seen)
    _accept(key, here, objective, seen, scored, given.model)


def _editor(here: str, names: tuple[str, ...], given: Sequence[Row]) -> list[dict[str, Any]]:
    st.caption(
        "Correct them as in a spreadsheet: change a cell, add a row at the end, take away the tick of a bad one."
    )
    lines: list[dict[str, Any]] = [
        {USE: True, **_cells(names, row.inputs), EXPECTED: row.expected, BY: _by(row), NUMBER: at}
        for at, row in enumerate(given)
    ]
    empty: dict[str, Any] = {USE: True, **_cells(names, {}), EXPECTED: "", BY: "", NUMBER: None}
    columns = {
        USE: st.column_config.CheckboxColumn(default=True, width="small"),
        **{_cell(at): st.column_config.TextColumn(name, default="") for at, name in enumerate(names)},
        EXPECTED: st.column_config.TextColumn(default=""),
        BY: st.column_config.TextColumn(disabled=True, default="", width="small"),
        NUMBER: None,
    }
    edited = st.data_editor(
        lines or [empty, dict(empty)], column_config=columns, num_rows="dynamic", hide_index=True, key=here,
        width="stretch",
    )  # fmt: skip
    return [dict(line) for line in edited]


def _by(row: Row) -> str:
    return "" if row.origin == "person" else "a model"


def _cell(at: int) -> str:
    """The column of an input; a person may call one `Use`."""
    return f"input {at}"


def _cells(names: tuple[str, ...], inputs: Mapping[str, str]) -> dict[str, str]:
    return {_cell(at): inputs.get(name, "") for at, name in enumerate(names)}


def _row(objective: str, number: int, line: dict[str, Any], names: tuple[str, ...], given: Sequence[Row]) -> Row:
    place = line.get(NUMBER)
    was = given[int(place)] if isinstance(place, int | float) and 0 <= place < len(given) else None
    inputs = {name: str(line.get(_cell(at)) or "") for at, name in enumerate(names)}
    return corrected_row(objective, number, inputs, str(line.get(EXPECTED) or ""), was)


def _accept(key: str, here: str, objective: str, seen: Preview, scored: Scoring, model: str) -> None:
    by_model = sum(row.origin == "model" for row in seen.rows)
    if by_model:
        words = f"{by_model} of {plural(len(seen.rows), 'example')} are as {plain(model or 'a model')} proposed them"
        st.caption(f"{words}, and stay marked as that wherever they are used.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of these tasks", cut(objective, 60), max_chars=NAME_CHARACTERS, key=f"{here}-name")
        st.button(
            f"Accept {plural(len(seen.rows), 'example')}", type="primary", icon=":material/check:",
            key=f"{key}-accept", disabled=not seen.rows, on_click=_accepted,
            args=(key, name or cut(objective, 60), seen, scored, model),
        )  # fmt: skip


@services.said
def _accepted(key: str, name: str, seen: Preview, scored: Scoring, model: str) -> None:
    """Save them and choose them."""
    body = suite_body(
        seen.rows, scored.name, scored.options, rubric=scored.rubric, notes=seen.sentences(),
        model=model or scored.model,
    )  # fmt: skip
    saved = save_once(services.store(), name, body)
    for name in ("propose", "copy"):
        st.query_params.pop(name, None)
    st.session_state.pop(f"{key}-own-examples", None)
    words = f"{plural(len(seen.rows), 'example')} accepted and saved as “{cut(saved.name, 60)}”, which is chosen."
    known.take(key, saved, words)
