"""The pictures of a run, by name: the task's inputs, and what tools made earlier (`result-1`, `result-2`, ...)."""

from __future__ import annotations

import itertools
import re

from PIL import Image

from autoflow.errors import SettingsError, StoreError, ToolArgumentError, ToolFailed
from autoflow.records import PictureRef, TaskInput
from autoflow.tools.base import ToolContext
from autoflow.tools.openagi.images import Picture, read_image, to_png

MOST_PIXELS = 2**20  # that tools work on: their time and memory grow with the picture, and nobody can end a thread
_AS_TOLD = re.compile(r"(?:picture\s+)?(.+?)(?:,\s*\d+ x \d+)?")


def take(name: str, context: ToolContext) -> tuple[Picture, PictureRef]:
    """The picture that a model means by `name`; a file of more than `MOST_PIXELS` is scaled down.

    Raises ToolArgumentError: there is none of this name. ToolFailed: its file is no picture that can be read.
    """
    found = _meant(name, context)
    if found is None:
        raise ToolArgumentError(f"There is no picture `{name[:80]}`.", f"There are: {_listed(context)}.")
    if found.sha256 is None:
        raise ToolFailed(f"The file of the input `{found.name}` is missing.")
    try:
        image = read_image(context.read_file(found.sha256), found.name)
    except (SettingsError, StoreError) as error:
        raise ToolFailed(error.message, error.hint) from error
    ref = PictureRef(name=found.name, sha256=found.sha256, width=image.width, height=image.height)
    return scaled_down(image), ref


def scaled_down(image: Picture) -> Picture:
    """The picture, with at most `MOST_PIXELS`."""
    share = (MOST_PIXELS / (image.width * image.height)) ** 0.5
    if share >= 1:
        return image
    width = min(max(1, int(image.width * share)), MOST_PIXELS)
    height = min(max(1, int(image.height * share)), MOST_PIXELS // width)  # of a line that is a pixel wide too
    return image.resize((width, height), Image.Resampling.LANCZOS)


def keep(image: Picture, context: ToolContext) -> PictureRef:
    """Store a picture that a tool made, under the next free name. Raises ToolFailed: it cannot be kept."""
    name = next_name(context)
    try:
        kept = context.add_file(to_png(image), name=name, filename=f"{name}.png", media_type="image/png")
    except (StoreError, OSError) as error:
        raise ToolFailed(f"The picture that was made cannot be kept: {error}") from error
    assert kept.sha256 is not None
    return PictureRef(name=name, sha256=kept.sha256, width=image.width, height=image.height)


def next_name(context: ToolContext) -> str:
    """`result-3` after two results; a number further where an input bears that name."""
    numbers = itertools.count(len(context.made) + 1)
    taken = {ref.name for ref in context.made}
    return next(n for k in numbers if (n := f"result-{k}") not in taken and context.input(n) is None)


def _meant(name: str, context: ToolContext) -> TaskInput | PictureRef | None:
    """The picture of this name or file name; else of the name within how a model was told of it."""
    for wanted in (name, _told(name)):
        if (found := _named(wanted.strip().casefold(), context)) is not None:
            return found
    return None


def _told(name: str) -> str:
    """`result-1` of `picture result-1, 256 x 256`."""
    found = _AS_TOLD.fullmatch(name.strip())
    return found[1] if found else name


def _named(wanted: str, context: ToolContext) -> TaskInput | PictureRef | None:
    files = [item for item in context.task.inputs if item.kind != "text"]
    known: list[TaskInput | PictureRef] = [*files, *context.made]
    by_name = (item for item in known if item.name.casefold() == wanted)
    by_file = (item for item in files if (item.filename or "").casefold() == wanted)
    return next(itertools.chain(by_name, by_file), None)


def _listed(context: ToolContext) -> str:
    inputs = [item.name for item in context.task.inputs if item.kind == "image"]
    names = [*inputs, *(ref.name for ref in context.made)]
    return ", ".join(f"`{name}`" for name in names) or "none"
