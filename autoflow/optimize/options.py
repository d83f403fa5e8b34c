"""What may be set of the methods, `StudySpec.options`."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field, ValidationError

from autoflow.errors import SettingsError
from autoflow.records import Record, broken_rule
from autoflow.study import StudySpec

O = TypeVar("O", bound=Record)  # noqa: E741


class PaperOptions(Record):
    """Of method `paper`."""

    temperature: float = Field(default=1.0, ge=0, le=2)
    max_steps: int = Field(default=8, ge=2, le=40)  # of a workflow that is written


class InContextOptions(Record):
    """Of method `in-context`."""

    drafts: int = Field(default=3, ge=1, le=16)  # a round
    minibatch: int = Field(default=4, ge=1)  # train tasks that each draft is tried on first
    promote: int = Field(default=1, ge=1, le=16)  # drafts of a round that go on to validation, at most
    history: int = Field(default=4, ge=0, le=20)  # earlier candidates that the generator is shown
    worst: int = Field(default=2, ge=1, le=8)  # tasks whose traces it is shown
    temperature: float = Field(default=0.7, ge=0, le=2)
    max_steps: int = Field(default=10, ge=2, le=40)
    operators: tuple[str, ...] = ()  # only these; empty: all


def options_of(spec: StudySpec, kind: type[O]) -> O:
    """Raises SettingsError: an option means nothing, or breaks its rule."""
    try:
        return kind.model_validate(spec.options)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "options"
        raise SettingsError(f"The option `{where}` of `{spec.method}` cannot be used: {broken_rule(error)}.") from error
