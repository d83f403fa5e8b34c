"""What there is to say of each kind of scorer, for forms and for whoever checks a table before it is used."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autoflow.errors import SettingsError
from autoflow.llm.base import LLM
from autoflow.metrics.base import Scorer
from autoflow.records import Json

OptionValue = bool | float | str
LONGEST_OPTION = 20_000  # characters


@dataclass(frozen=True, slots=True)
class ScorerOption:
    """One thing that may be chosen. Its type is that of its default: yes or no, a number, a text."""

    name: str
    default: OptionValue
    label: str  # what it does, in a few words
    choices: tuple[str, ...] = ()  # of a text that is one of these
    least: float | None = None  # of a number

    def read(self, value: Any, scorer: str) -> OptionValue:
        """The value, checked. Raises SettingsError."""
        if isinstance(self.default, float) and isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value) and (self.least is None or value >= self.least):
                return float(value)
        elif type(value) is type(self.default) and (not self.choices or value in self.choices):
            if isinstance(value, str) and len(value) > LONGEST_OPTION:
                raise SettingsError(
                    f"`{self.name}` of the scorer `{scorer}` is longer than {LONGEST_OPTION:,} characters."
                )
            return value
        shown = repr(value)[:80]
        raise SettingsError(f"`{self.name}` of the scorer `{scorer}` must be {self._form()}, not {shown}.")

    def _form(self) -> str:
        if self.choices:
            return " or ".join(f"`{choice}`" for choice in self.choices)
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return "a text"
        return "a number" if self.least is None else f"a number of {self.least:g} or more"


def _no_fault(expected: str, options: Json) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class ScorerKind:
    """A kind of scorer. All give values in [0, 1], higher is better."""

    name: str  # in the records of suites
    label: str  # in forms
    about: str  # what 0 and 1 mean, and what lies between
    make: Callable[[Json, LLM | None], Scorer]  # from options that `read_options` gave
    needs_expected: bool = True  # a task without an expected answer cannot be scored
    needs_judge: bool = False  # it asks a model
    options: tuple[ScorerOption, ...] = ()
    find_fault: Callable[[str, Json], str | None] = _no_fault  # as `check`, for an answer that is there

    def read_options(self, options: Json) -> Json:
        """All options, with defaults where none was named. Raises SettingsError: an unknown one, or a wrong value."""
        known = {option.name: option for option in self.options}
        for name in options:
            if name not in known:
                raise SettingsError(f"The scorer `{self.name}` has no option `{name}`.", near(name, known))
        return {name: option.read(options.get(name, option.default), self.name) for name, option in known.items()}

    def check(self, expected: str, options: Json) -> str | None:
        """Why this expected answer cannot be used with these options, as a sentence; None where it can."""
        try:
            chosen = self.read_options(options)
        except SettingsError as error:
            return str(error)
        if self.needs_expected and not expected.strip():
            return "There is no expected answer."
        return self.find_fault(expected, chosen)


def near(name: str, known: Any) -> str:
    """A hint that names what was probably meant, else all there is."""
    found = difflib.get_close_matches(name, list(known), n=3)
    if found:
        return f"Did you mean {' or '.join(f'`{n}`' for n in found)}?"
    return f"There is {', '.join(f'`{n}`' for n in known)}." if known else "It has none."
