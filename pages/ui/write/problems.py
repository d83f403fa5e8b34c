"""What is wrong with the workflow, in sentences, with a fix to press where the mend is certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from autoflow.lang import apply_edits, fix_all
from autoflow.lang.diagnostics import Diagnostic
from autoflow.lang.edit import EditResult
from pages.ui.format import plural
from pages.ui.palette import PROBLEM_ICONS
from pages.ui.plain import plain
from pages.ui.write import draft
from pages.ui.write.draft import At, Draft

SHOWN = 20  # of a long list; what is above stays countable


def listed(shown: Draft) -> None:
    """All problems by line and column, the worst first, and one button that mends all that can be."""
    found = sorted(shown.diagnostics, key=lambda d: (_rank(d), d.line, d.column))
    if not found:
        if shown.workflow.steps:
            st.caption(":material/check_circle: No problems: this workflow can run.")
        return
    fixes = sum(d.fix is not None for d in found)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{plural(len(found), 'problem')}**")
        if fixes:
            st.button(
                f"Fix all ({fixes})", icon=":material/auto_fix_high:", key="fix-all", on_click=_mend,
                args=(shown.at(0), lambda text: EditResult(fix_all(text)[0])),
            )  # fmt: skip
    for number, diagnostic in enumerate(found[:SHOWN]):
        row(shown, diagnostic, f"all-{number}")
    if len(found) > SHOWN:
        st.caption(f"and {len(found) - SHOWN:,} more; autoflow check lists them all")


def of_step(shown: Draft, found: Sequence[Diagnostic]) -> None:
    """The problems of the selected step."""
    for number, diagnostic in enumerate(found[:SHOWN]):
        row(shown, diagnostic, f"step-{number}")


def row(shown: Draft, diagnostic: Diagnostic, key: str) -> None:
    """One problem: icon, where, what, what to do, and its fix."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"problem-{key}"):
        st.markdown(PROBLEM_ICONS[diagnostic.severity], width="content")
        with st.container(gap=None, width="stretch"):
            st.text(f"Line {diagnostic.line}, column {diagnostic.column}: {diagnostic.message}")
            if diagnostic.hint:
                st.caption(plain(diagnostic.hint, 300))
        if diagnostic.fix is not None:
            edits = diagnostic.fix
            st.button(
                "Fix", icon=":material/build:", key=f"fix-{key}", on_click=_mend,
                args=(shown.at(0), lambda text: EditResult(apply_edits(text, edits)), shown.record.revision),
            )  # fmt: skip
        position = _position(shown, diagnostic)
        if position is not None and position != shown.selected:
            st.button("Show", type="tertiary", key=f"show-{key}", on_click=draft.select, args=(position,))


def _mend(at: At, edit: Callable[[str], EditResult], revision: int | None = None) -> None:
    """`revision`: the only one whose positions the edit knows."""
    if revision is not None and draft.seen(at.workflow_id).revision != revision:
        draft.notice("The text changed before this could be mended. Look again.")
        return
    draft.change_or_say(at, edit)


def _position(shown: Draft, diagnostic: Diagnostic) -> int | None:
    return next((i for i, step in enumerate(shown.workflow.steps) if step.line == diagnostic.line), None)


def _rank(diagnostic: Diagnostic) -> int:
    return ("error", "warning", "information").index(diagnostic.severity)
