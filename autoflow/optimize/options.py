"""What may be set of the methods, `StudySpec.options`; titles and descriptions are what pages show."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field, ValidationError

from autoflow.errors import SettingsError
from autoflow.records import Record, broken_rule
from autoflow.study import Method, StudySpec

O = TypeVar("O", bound=Record)  # noqa: E741


class PaperOptions(Record):
    """Of method `paper`."""

    temperature: float = Field(1.0, ge=0, le=2, title="Temperature", description="Of the generator.")
    max_steps: int = Field(8, ge=2, le=40, title="Steps at most", description="Of a workflow that is written.")


class InContextOptions(Record):
    """Of method `in-context`."""

    drafts: int = Field(3, ge=1, le=16, title="Drafts", description="Proposed in a round.")
    minibatch: int = Field(4, ge=1, title="Minibatch", description="Train tasks that each draft is tried on first.")
    promote: int = Field(1, ge=1, le=16, title="Validated", description="Drafts of a round that go on, at most.")
    history: int = Field(4, ge=0, le=20, title="History", description="Earlier candidates that the generator sees.")
    worst: int = Field(2, ge=1, le=8, title="Worst tasks", description="Tasks whose traces the generator sees.")
    temperature: float = Field(0.7, ge=0, le=2, title="Temperature", description="Of the generator.")
    max_steps: int = Field(10, ge=2, le=40, title="Steps at most", description="Of a workflow that is written.")
    operators: tuple[str, ...] = Field((), title="Operators", description="Only these; none chosen: all of them.")


METHOD_OPTIONS: dict[Method, type[Record]] = {"in-context": InContextOptions, "paper": PaperOptions}


def options_of(spec: StudySpec, kind: type[O]) -> O:
    """Raises SettingsError: an option means nothing, or breaks its rule."""
    try:
        return kind.model_validate(spec.options)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "options"
        raise SettingsError(f"The option `{where}` of `{spec.method}` cannot be used: {broken_rule(error)}.") from error
