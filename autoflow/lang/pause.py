"""Keeping Python's garbage collector out of a long read.

A read makes objects by the million, none of which is part of a cycle. The collector looks through them again and again
as their number grows, which would take up to half of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

LONG = 100_000  # characters; what is shorter is read before the collector costs anything


@contextmanager
def collector_paused(size: int) -> Iterator[None]:
    """Pause the collector while a text of `size` characters is read, if it is long and the collector is on.

    The switch is one for all threads. It is always left as it was: of several readers at a time, those that found it
    on put it on again.
    """
    if size < LONG or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
