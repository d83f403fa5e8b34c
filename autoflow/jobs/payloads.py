"""What each kind of job is told. Whoever submits a job makes its payload from one of these: `.model_dump()`."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from autoflow.errors import JobError
from autoflow.generate.examples import MOST, Example
from autoflow.llm.local.export import Form
from autoflow.records import Job, Record, Task
from autoflow.study import StudySpec

P = TypeVar("P", bound=Record)


class RunPayload(Record):
    """Kind `run`. The subject is the run."""

    run_id: str


class GeneratePayload(Record):
    """Kind `generate`. The subject is the workflow, where there is one."""

    model: str
    workflow_id: str | None = None  # where it is saved as a version, if there is one draft
    task: Task | None = None  # None: the task of the workflow
    drafts: int = Field(default=1, ge=1, le=16)
    revision: int | None = None  # the workflow's, when this was asked for. None: only an empty draft is replaced
    constrained: bool | None = None  # None: as the model can
    min_steps: int = Field(default=3, ge=2)
    max_steps: int = Field(default=8, ge=2)
    seed: int | None = 0
    temperature: float = Field(default=0.4, ge=0, le=2)


class DownloadPayload(Record):
    """Kind `download`. The subject is the model's name."""

    model: str  # its name in the catalogue


class TestModelPayload(Record):
    """Kind `test-model`. The subject is the model's name."""

    __test__ = False  # not a test

    model: str  # as users write it: `openai:NAME`, `embedded:NAME`, ...


class ExportPayload(Record):
    """Kind `export`. The subject is `FORM:ADAPTER`."""

    adapter: str
    form: Form


class StudyPayload(Record):
    """Kind `study`. The subject is the study."""

    study_id: str


class PilotPayload(Record):
    """Kind `pilot`: a few runs and a proposal, from which it is told what a study will take. The subject is free."""

    spec: StudySpec


class ProposePayload(Record):
    """Kind `propose-examples`: examples of a task, or a rubric for a judge of it. The subject is free."""

    model: str
    objective: str
    what: Literal["examples", "rubric"] = "examples"
    count: int = Field(default=10, ge=1, le=MOST)  # examples to propose, besides those that are known
    inputs: tuple[str, ...] = ("input",)  # names of what differs from example to example
    known: tuple[Example, ...] = ()  # those that are there, which are not proposed again
    seed: int | None = 0
    temperature: float = Field(default=0.8, ge=0, le=2)


def payload_of(job: Job, kind: type[P]) -> P:
    """The payload, checked. Raises JobError: it has not this form (another version may have written it)."""
    try:
        return kind.model_validate(job.payload)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "payload"
        raise JobError(f"The job {job.id} cannot be read: {where}: {first['msg']}.", "Ask for it again.") from error
