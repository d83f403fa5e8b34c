"""Suites by name, as the command line and the pages name them."""

from __future__ import annotations

from collections.abc import Callable

from autoflow.errors import SettingsError
from autoflow.suites.base import Sizes, Suite
from autoflow.suites.openagi import DEFAULT_SIZES, OpenAGIPlanSuite

_SUITES: dict[str, Callable[[int, Sizes], Suite]] = {
    OpenAGIPlanSuite.name: lambda seed, sizes: OpenAGIPlanSuite(seed=seed, sizes={**DEFAULT_SIZES, **sizes}),
}


def open_suite(name: str, *, seed: int = 0, sizes: Sizes | None = None) -> Suite:
    """The suite of this name. Raises SettingsError: there is none, or its splits ask for too many tasks."""
    try:
        return _SUITES[name](seed, sizes or {})
    except KeyError:
        known = ", ".join(f"`{suite}`" for suite in _SUITES)
        raise SettingsError(f"There is no suite `{name}`.", f"There is {known}.") from None
