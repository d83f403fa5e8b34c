"""Pictures of files in the store, each read with care and made anew, so that nothing of a file reaches the browser."""

from __future__ import annotations

import base64
import io

import streamlit as st

from autoflow.errors import NotFound, SettingsError
from autoflow.records import TaskInput
from autoflow.tools.openagi.images import Picture, read_image, to_png
from pages.ui import services

WIDTH = 96  # CSS pixels of a small one; twice as many are sent, for fine screens
LARGE, WHOLE = 1600, 4096  # pixels of a side at most of one to look at, and of one to keep


def draw(item: TaskInput) -> None:
    """What the file of an input shows, small; a sentence where it is none that can be shown. Never raises for it."""
    found = _small(item.sha256) if item.sha256 else None
    if found is None:
        st.caption("no picture that can be shown")
    else:
        st.image(found, width=WIDTH, alt=item.name)


def data_url(sha256: str) -> str | None:
    """A small picture of the file, a few kilobytes, for a component; None where none can be made."""
    found = _small(sha256)
    return f"data:image/webp;base64,{base64.b64encode(found).decode()}" if found else None


@st.cache_data(max_entries=8, show_spinner=False)
def large(sha256: str) -> bytes | None:
    """To look at, as PNG; None where none can be made."""
    return _png(sha256, LARGE)


@st.cache_data(max_entries=2, show_spinner=False)
def whole(sha256: str) -> bytes | None:
    """To keep, as PNG: every pixel of what tools make. Takes a while where it is large."""
    return _png(sha256, WHOLE)


@st.cache_data(max_entries=400, show_spinner=False)
def _small(sha256: str) -> bytes | None:
    """As WebP: the smallest that every browser reads."""
    found = _read(sha256)
    if found is None:
        return None
    found.thumbnail((2 * WIDTH, 2 * WIDTH))
    file = io.BytesIO()
    found.save(file, "WEBP", quality=80)
    return file.getvalue()


def _png(sha256: str, side: int) -> bytes | None:
    found = _read(sha256)
    if found is None:
        return None
    found.thumbnail((side, side))
    return to_png(found)


def _read(sha256: str) -> Picture | None:
    try:
        return read_image(services.store().read_file(sha256), "picture")
    except (NotFound, SettingsError):
        return None
