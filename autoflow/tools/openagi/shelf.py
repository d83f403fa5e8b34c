"""Loaded models: each is loaded once, kept warm, and the one unused for longest makes room for another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psutil

T = TypeVar("T")
SHARE = 0.4  # of the machine's memory that loaded models may take


@dataclass
class _Place:
    size: int  # bytes
    lock: threading.Lock = field(default_factory=threading.Lock)  # while it is loaded or used: others wait for it
    model: Any = None


class Shelf:
    """Shared by threads.

    Args:
        limit: bytes that all models together may take; a larger one is alone on the shelf.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = int(psutil.virtual_memory().total * SHARE) if limit is None else limit
        self._places: OrderedDict[str, _Place] = OrderedDict()  # the last used last
        self._lock = threading.Lock()

    @contextmanager
    def use(self, name: str, load: Callable[[], T], size: int) -> Iterator[T]:
        """The model of this name, loaded by `load` where it is not there, for one thread at a time: two batches at once
        would take twice the memory. One that is dropped meanwhile is used to the end.

        Args:
            size: bytes that it takes, about.
        Raises: what `load` raises; the next one to ask tries anew.
        """
        with self._lock:
            place = self._places.setdefault(name, _Place(size))
            self._places.move_to_end(name)
            self._make_room(name)
        with place.lock:
            if place.model is None:
                try:
                    place.model = load()
                except BaseException:
                    with self._lock:
                        self._places.pop(name, None)
                    raise
            model: T = place.model
            yield model

    def names(self) -> list[str]:
        """What is there, the last used last."""
        with self._lock:
            return list(self._places)

    def clear(self) -> None:
        with self._lock:
            self._places.clear()

    def _make_room(self, kept: str) -> None:
        while sum(place.size for place in self._places.values()) > self.limit:
            oldest = next(iter(self._places))
            if oldest == kept:
                return
            del self._places[oldest]
