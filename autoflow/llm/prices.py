"""What models cost. The shipped table names a source and a date for every price; users add and correct their own.

`AUTOFLOW_HOME/prices.json` has the form of the shipped `prices.json`, and wins by name:

    {"my-model": {"input": 0.10, "output": 0.40, "cached_input": 0.01}}

Prices are US dollars for a million tokens. A name is that of a model or of a connection. `host` limits an entry to one
endpoint: resellers and local servers serve models of the same names at other prices.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autoflow.errors import SettingsError
from autoflow.settings import settings

_DATE = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


class Price(BaseModel):
    """US dollars for a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0, allow_inf_nan=False)  # None: as `input`
    host: str | None = None
    source: str = ""
    date: str = ""  # as of when, YYYY-MM-DD or YYYY-MM

    @property
    def free(self) -> bool:
        return self.input == self.output == 0 and not self.cached_input


FREE = Price(input=0, output=0, source="runs on this machine")


def load_prices() -> dict[str, Price]:
    """Shipped prices, and those of the user over them. Raises SettingsError: the user's file is malformed."""
    shipped = json.loads(files("autoflow.llm").joinpath("prices.json").read_text("utf-8"))
    return {name: Price(**entry) for name, entry in shipped.items()} | _read(settings().prices_file)


def find_price(prices: Mapping[str, Price], host: str, *names: str) -> Price | None:
    """The first price found under these names, each also without a date at its end (`gpt-5-mini-2025-08-07`)."""
    for name in names:
        for spelling in (name, _DATE.sub("", name)):
            price = prices.get(spelling)
            if price is not None and price.host in (None, host):
                return price
    return None


def _read(path: Path) -> dict[str, Price]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SettingsError(f"The prices in {path} cannot be read: {why}.") from None
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(path, getattr(error, "lineno", 1), f"is no JSON ({error})") from None
    if not isinstance(entries, dict):
        raise _bad(path, 1, "must begin an object of models")
    return {name: _entry(path, text, name, entry) for name, entry in entries.items()}


def _entry(path: Path, text: str, name: str, entry: Any) -> Price:
    try:
        return Price.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _bad(path, _line_of(text, name), f"has a bad price of `{name}`: {field}: {first['msg']}") from None


def _line_of(text: str, name: str) -> int:
    """1-based line on which an entry begins."""
    at = text.find(json.dumps(name, ensure_ascii=False))
    return text.count("\n", 0, max(at, 0)) + 1


def _bad(path: Path, line: int, what: str) -> SettingsError:
    example = 'An entry is "my-model": {"input": 0.10, "output": 0.40}, in US dollars for a million tokens.'
    return SettingsError(f"Line {line} of {path} {what}.", example)
