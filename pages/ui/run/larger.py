"""One picture of a run, as large as the page: to look at, and to keep."""

from __future__ import annotations

import streamlit as st

from autoflow.interpret.trace import StepView
from autoflow.records import PictureRef
from pages.ui import picture
from pages.ui.plain import plain

KEY = "picture-open"  # in the session: a run, and its picture that is looked at
NARROW = 450  # pixels that a small dialog has room for
MOST = 60  # pictures of a trace that are shown small; the others are named


def pictures_of(steps: list[StepView]) -> dict[str, PictureRef]:
    """All pictures that tools took and made, by hash. A picture of several names bears its first one."""
    found: dict[str, PictureRef] = {}
    for tool in (tool for step in steps for tool in step.tools):
        for ref in (*tool.took, *tool.made):
            found.setdefault(ref.sha256, ref)
    return found


def sources(found: dict[str, PictureRef]) -> dict[str, str]:
    """Addresses of the small pictures, for the trace."""
    return {sha256: address for sha256 in list(found)[:MOST] if (address := picture.data_url(sha256))}


def ask(run_id: str, ref: PictureRef) -> None:
    """Open it over the whole page: within a part that redraws itself it would be closed. Does not return."""
    st.session_state[KEY] = (run_id, ref)
    st.rerun()


def draw(run_id: str) -> None:
    """The picture that is looked at, until the person closes it or looks at another run."""
    asked, ref = st.session_state.get(KEY, (None, None))
    if asked != run_id:
        _close()
    elif isinstance(ref, PictureRef):
        st.dialog(plain(ref.name), width="large" if _is_wide(ref) else "small", on_dismiss=_close)(_show)(ref)


def _is_wide(ref: PictureRef) -> bool:
    return ref.width > NARROW


def _close() -> None:
    st.session_state.pop(KEY, None)


def _show(ref: PictureRef) -> None:
    found = picture.large(ref.sha256)
    if found is None:
        st.text("The file of this picture cannot be shown.")
        return
    st.image(found, width="stretch" if _is_wide(ref) else "content", alt=ref.name)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{ref.size} pixels")
        st.download_button(
            "Download", data=picture.whole(ref.sha256) or found, file_name=_file_name(ref.name), mime="image/png",
            icon=":material/download:", on_click="ignore", key="picture-download",
        )  # fmt: skip


def _file_name(name: str) -> str:
    """`photo.png` of `photo.jpg`: whatever the file was, PNG is what is given."""
    stem = name.rpartition(".")[0] or name
    return "".join(c if c.isalnum() or c in " -_" else "_" for c in stem)[:80] + ".png"
