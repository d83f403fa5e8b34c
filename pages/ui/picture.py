"""A small picture of an image input; a sentence where its file is none that can be shown."""

from __future__ import annotations

import io

import streamlit as st

from autoflow.records import TaskInput
from pages.ui import services

WIDTH = 96  # CSS pixels; twice as many are sent, for fine screens
MOST_PIXELS = 40_000_000  # of the file; decoding a larger one would take more memory than a preview is worth


def draw(item: TaskInput) -> None:
    """What the file shows, at most `WIDTH` wide. Never raises because of what is in the file."""
    found = _preview(item.sha256) if item.sha256 else None
    if found is None:
        st.caption("no picture that can be shown")
    else:
        st.image(found, width=WIDTH)


@st.cache_data(max_entries=100, show_spinner=False)
def _preview(sha256: str) -> bytes | None:
    """A PNG, made anew so that nothing of the file itself reaches the browser; None where it cannot be made."""
    from PIL import Image

    data = services.store().read_file(sha256)
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.thumbnail((2 * WIDTH, 2 * WIDTH))
            file = io.BytesIO()
            image.convert("RGBA").save(file, "PNG")
    except Exception:  # decoders of broken files raise anything: OSError, SyntaxError, struct.error, a bomb's own error
        return None
    return file.getvalue()
