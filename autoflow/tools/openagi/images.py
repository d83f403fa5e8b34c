"""Pictures: read with care, since anybody may have made the file; written as PNG, so that nothing of them is lost."""

from __future__ import annotations

import io
import warnings
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from autoflow.errors import SettingsError

MAX_BYTES = 25_000_000  # of a file
MAX_PIXELS = 40_000_000  # of a picture: 160 MB in memory
SIDE = 256  # pixels of a side, as tasks show them
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
Picture = Image.Image  # always RGB here


def read_image(content: bytes, name: str) -> Picture:
    """The picture in a file, upright, in RGB; of a moving one the first.

    Args:
        name: of the file or input, for the person who reads the error.
    Raises SettingsError: too large, cut off, or no picture.
    """
    if len(content) > MAX_BYTES:
        raise SettingsError(
            f"The picture `{name}` has {len(content) / 1e6:,.0f} MB; up to {MAX_BYTES / 1e6:,.0f} MB are read.",
            "Save it smaller.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is refused below
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                _check_size(opened, name)
                return _upright(opened)
    except Image.DecompressionBombError as error:
        raise _too_large(name, "too many") from error
    except UnidentifiedImageError as error:
        raise SettingsError(
            f"`{name}` is no picture that can be read.", f"Give one of {', '.join(_FORMATS)}."
        ) from error
    except Exception as error:  # a file may hold anything, and Pillow's readers raise what they come upon
        raise SettingsError(f"The picture `{name}` is damaged or cut off: {error}.", "Save it once more.") from error


def to_png(image: Picture) -> bytes:
    """As a PNG file; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def as_shown(image: Picture, side: int = SIDE) -> Picture:
    """The middle square, `side` x `side` pixels: how the benchmark shows pictures."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)


def _check_size(opened: Any, name: str) -> None:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width:,} x {height:,}")


def _upright(opened: Any) -> Picture:
    opened.load()
    turned = ImageOps.exif_transpose(opened)
    if "transparency" in turned.info or turned.mode in ("RGBA", "LA", "PA"):
        white = Image.new("RGBA", turned.size, "white")
        return Image.alpha_composite(white, turned.convert("RGBA")).convert("RGB")
    if turned.mode.startswith("I"):  # 16 bits: Pillow would cut them off at 255
        turned = turned.convert("I").point(lambda value: value / 257).convert("L")
    return turned.convert("RGB")


def _too_large(name: str, size: str) -> SettingsError:
    return SettingsError(f"The picture `{name}` has {size} pixels; up to {MAX_PIXELS:,} are read.", "Save it smaller.")
