"""Degradations and what undoes them, on natural pictures."""

from __future__ import annotations

from itertools import combinations

import pytest
from PIL import Image

from autoflow.tools.openagi.degrading import clozed, degraded
from autoflow.tools.openagi.images import as_shown
from autoflow.tools.openagi.restoring import deblurred, denoised, enlarged
from autoflow.tools.openagi.table import DEGRADATIONS
from tests.tools.openagi.pictures import COLOURED, natural, psnr

MENDS = {"blurry": deblurred, "noisy": denoised, "low-resolutioned": lambda image: as_shown(enlarged(image))}


@pytest.mark.parametrize("name", MENDS)
def test_each_restoration_brings_pictures_nearer_to_what_they_were(name: str) -> None:
    gains = []
    for picture in map(natural, COLOURED):
        worse = degraded(picture, [name], "seed")
        gains.append(psnr(MENDS[name](worse), picture) - psnr(worse, picture))
    assert sum(gains) / len(gains) > 0.3, gains


def test_what_was_done_last_is_undone_first() -> None:
    better = []
    for picture in map(natural, COLOURED):
        worse = degraded(picture, ["blurry", "noisy"], "seed")
        better.append(psnr(deblurred(denoised(worse)), picture) - psnr(denoised(deblurred(worse)), picture))
    assert min(better) > 0, better


@pytest.mark.parametrize("names", [c for n in range(5) for c in combinations(DEGRADATIONS, n)], ids="+".join)
def test_degradations_are_the_same_again_and_keep_the_size(names: tuple[str, ...]) -> None:
    picture = natural("chelsea.png")
    worse = degraded(picture, names, "seed")
    assert worse.size == picture.size
    assert worse.tobytes() == degraded(picture, tuple(reversed(names)), "seed").tobytes(), "in whatever order named"
    assert (worse.tobytes() == picture.tobytes()) == (not names)
    assert (worse.tobytes() == degraded(picture, names, "another").tobytes()) == ("noisy" not in names)


def test_grey_pictures_have_three_equal_channels_and_speckle_has_its_variance() -> None:
    grey = degraded(natural("coffee.png"), ["grayscale"], "")
    red, green, blue = grey.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    flat = Image.new("RGB", (256, 256), (128, 100, 128))
    noise = [value / 128 - 1 for value in degraded(flat, ["noisy"], "seed").getchannel("R").tobytes()]
    assert sum(n * n for n in noise) / len(noise) == pytest.approx(0.005, rel=0.03)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (256, 256)])
@pytest.mark.parametrize("mend", [deblurred, denoised, enlarged])
def test_odd_and_plain_pictures_come_through(mend: object, size: tuple[int, int]) -> None:
    assert callable(mend)
    made = mend(Image.new("RGB", size, (10, 200, 30)))
    assert made.mode == "RGB"
    assert made.size in (size, (size[0] * 2, size[1] * 2))
    assert made.getpixel((0, 0))[1] == pytest.approx(200, abs=2)


def test_one_word_is_missing() -> None:
    text = "The quick brown fox jumps over it."
    found = clozed(text, "seed")
    assert found.count("[MASK]") == 1
    assert found == clozed(text, "seed")
    assert len({clozed(text, str(n)) for n in range(50)}) == 4, "every word of four letters"
    assert clozed("It is so.", "seed") == "It is so."
