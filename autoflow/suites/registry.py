"""Suites by name, as the command line, the pages and the records of studies name them."""

from __future__ import annotations

from collections.abc import Callable

from autoflow.errors import SettingsError
from autoflow.llm.base import LLM
from autoflow.study import SavedSuite, SuiteSpec
from autoflow.suites.base import Suite

Saved = Callable[[str], SavedSuite]  # finds a suite that a person made, by id; raises NotFound


def open_suite(spec: SuiteSpec, *, saved: Saved | None = None, judge: LLM | None = None) -> Suite:
    """The suite of this spec. Raises SettingsError: there is none, or its splits ask for too many tasks."""
    match spec.name:
        case "openagi-plan":
            from autoflow.suites.openagi import OpenAGIPlanSuite

            return OpenAGIPlanSuite(seed=spec.seed, sizes=spec.sizes)
        case "reasoning":
            from autoflow.suites.reasoning import ReasoningSuite

            return ReasoningSuite(spec)
        case _:
            known = ", ".join(f"`{name}`" for name in suite_names())
            raise SettingsError(f"There is no suite `{spec.name}`.", f"There is {known}.")


def suite_names() -> tuple[str, ...]:
    """The suites that are always there."""
    return ("openagi-plan", "reasoning")
