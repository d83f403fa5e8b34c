"""What crosses between the event loop of who asks and the thread that decodes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from autoflow.errors import ModelError
from autoflow.llm.base import Message, Options


@dataclass(frozen=True, slots=True)
class Ready:
    """The model is loaded: from now on the answer takes its time."""


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is complete."""

    finish: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int


Event = Ready | str | Done | ModelError  # a str is a piece of text


@dataclass(slots=True, eq=False)
class Job:
    """One request."""

    messages: Sequence[Message]
    options: Options
    adapter: Path | None  # its folder
    tell: Callable[[Event], None]  # may be called from any thread
    cancelled: threading.Event = field(default_factory=threading.Event)
