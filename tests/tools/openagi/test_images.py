"""Reading pictures that anybody may have made."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from autoflow.errors import SettingsError
from autoflow.tools.openagi.images import MAX_BYTES, as_shown, read_image, to_png


def saved(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def picture(width: int = 40, height: int = 30) -> Image.Image:
    return Image.frombytes("RGB", (width, height), bytes(n * 7 % 256 for n in range(width * height * 3)))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_picture_is_read_as_it_is(kind: str) -> None:
    assert read_image(saved(picture(), kind), "a").tobytes() == picture().tobytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode in ("CMYK", "I", "F", "I;16") else "PNG"
    read = read_image(saved(Image.new(mode, (3, 2)), kind), "a")
    assert (read.mode, read.size) == ("RGB", (3, 2))


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    grey = Image.new("I;16", (1, 1), 32_896)
    assert read_image(saved(grey), "a").getpixel((0, 0)) == (128, 128, 128)


def test_what_is_seen_through_is_white() -> None:
    assert read_image(saved(Image.new("RGBA", (1, 1), (0, 0, 0, 0))), "a").getpixel((0, 0)) == (255, 255, 255)


def test_a_turned_photograph_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_image(saved(picture(40, 30), "JPEG", exif=exif), "a").size == (30, 40)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says to be this large and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def told(*entries: tuple[int, int, bytes]) -> bytes:
    """A JPEG that says this of itself: tag, type, four bytes of value each, in the form of EXIF."""
    rows = b"".join(struct.pack("<HHI", tag, kind, 1) + value for tag, kind, value in entries)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + rows + b"\0" * 4
    return saved(picture(), "JPEG", exif=exif)


TURNED = (0x0112, 3, b"\6\0\0\0")  # SHORT


def test_what_is_told_well_is_read() -> None:
    assert read_image(told(TURNED), "a").size == (30, 40)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (told((0x0100, 2, b"x\0\0\0"), TURNED), "damaged or cut off"),  # a width in letters
        (told((0x010F, 11, b"\1\0\0\0"), TURNED), "damaged or cut off"),  # a maker who is a number
        (bomb(60_000, 60_000), "pixels"),
        (bomb(10_000, 5_000), "10,000 x 5,000 pixels"),
        (b"", "no picture"),
        (b"hello", "no picture"),
        (saved(picture(400, 300))[:700], "damaged or cut off"),
        (saved(picture(400, 300), "JPEG")[:900], "damaged or cut off"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),  # Pillow would start a program for it
        (b"\0" * (MAX_BYTES + 1), "MB"),
    ],
    ids=[
        "width in letters",
        "maker in digits",
        "bomb",
        "large",
        "empty",
        "text",
        "cut png",
        "cut jpeg",
        "postscript",
        "many bytes",
    ],
)
def test_what_cannot_be_read_is_told_by_name(content: bytes, words: str) -> None:
    with pytest.raises(SettingsError, match=r"holiday\.png") as caught:
        read_image(content, "holiday.png")
    assert words in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 60))
def test_bytes_of_any_kind_are_a_picture_or_an_error_in_words(noise: bytes, at: int) -> None:
    content = saved(picture(8, 8))
    with suppress(SettingsError):  # no other error
        assert read_image(content[:at] + noise + content[at + len(noise) :], "a").mode == "RGB"


_VALUES = st.sampled_from(range(1, 14)), st.binary(min_size=4, max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*range(0x00FE, 0x0120), 0x8769, 0x8825, 0x9286]), *_VALUES), max_size=6))
def test_whatever_a_picture_tells_of_itself_is_a_picture_or_an_error_in_words(
    entries: list[tuple[int, int, bytes]],
) -> None:
    content = told(TURNED, *entries)
    with suppress(SettingsError):  # no other error
        assert read_image(content, "a").mode == "RGB"


def test_the_middle_square_is_shown() -> None:
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    shown = as_shown(wide)
    assert shown.size == (256, 256)
    assert shown.getpixel((128, 128)) == (0, 0, 255)


def test_png_loses_nothing_and_is_always_the_same() -> None:
    assert to_png(picture()) == to_png(picture())
    assert read_image(to_png(picture()), "a").tobytes() == picture().tobytes()
