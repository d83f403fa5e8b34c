"""Suites by name, as the command line, the pages and the records of studies name them."""

from __future__ import annotations

from collections.abc import Callable

from autoflow.errors import SettingsError
from autoflow.study import SuiteSpec
from autoflow.suites.base import Suite
from autoflow.suites.openagi import OpenAGIPlanSuite

_SUITES: dict[str, Callable[[SuiteSpec], Suite]] = {
    OpenAGIPlanSuite.name: lambda spec: OpenAGIPlanSuite(seed=spec.seed, sizes=spec.sizes),
}


def open_suite(spec: SuiteSpec) -> Suite:
    """The suite of this spec. Raises SettingsError: there is none, or its splits ask for too many tasks."""
    try:
        return _SUITES[spec.name](spec)
    except KeyError:
        known = ", ".join(f"`{suite}`" for suite in _SUITES)
        raise SettingsError(f"There is no suite `{spec.name}`.", f"There is {known}.") from None
