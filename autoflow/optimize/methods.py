"""Optimizers by the name of their method."""

from __future__ import annotations

from collections.abc import Callable

from autoflow.errors import SettingsError
from autoflow.optimize.base import Optimizer
from autoflow.study import Method, StudySpec


def open_optimizer(spec: StudySpec) -> Optimizer:
    """The optimizer of a study.

    Raises SettingsError: no such method, options that mean nothing to it, or a generator that cannot be trained.
        ModelNotFound: a generator to be trained that is not there.
    """
    try:
        return _METHODS[spec.method](spec)
    except KeyError:
        raise SettingsError(f"`{spec.method}` proposes nothing.", f"Methods are {', '.join(_METHODS)}.") from None


def _in_context(spec: StudySpec) -> Optimizer:
    from autoflow.optimize.in_context import InContext

    return InContext(spec)


def _paper(spec: StudySpec) -> Optimizer:
    from autoflow.optimize.paper import Paper

    return Paper(spec)


def _lora(spec: StudySpec) -> Optimizer:
    from autoflow.optimize.lora import Lora

    return Lora(spec)


_METHODS: dict[Method, Callable[[StudySpec], Optimizer]] = {"in-context": _in_context, "paper": _paper, "lora": _lora}
