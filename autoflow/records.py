"""The records that flow through the house and cross its borders (database, JSON, browser). All are frozen.

Times are seconds since 1970 (float, UTC); durations end in `_s`, money in `_usd`. `None` in money means the price is
unknown, never that it is free.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Json = dict[str, Any]
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(r"(wf|tk|rn|jb|st|su|bm)_[0-9a-hj-kmnp-tv-z]{12}")
IdPrefix = Literal["wf", "tk", "rn", "jb", "st", "su", "bm"]


def new_id(prefix: IdPrefix) -> str:
    """A fresh id such as `wf_8k2m1x0c9d7e`: 60 random bits, no letters that read alike."""
    return f"{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(12))


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` (from a URL, say) has the form of an id of this kind."""
    return _ID.fullmatch(text) is not None and text.startswith(f"{prefix}_")


class Record(BaseModel):
    """Base of all records: frozen, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def broken_rule(error: ValidationError) -> str:
    """The first rule that was broken, in words: pydantic's, without the kind of exception that it puts before ours."""
    return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")


class TaskInput(Record):
    """One named input. A text is held here; a file or an image in the store, by the hash of its content."""

    name: str = Field(min_length=1, max_length=200)
    kind: Literal["text", "file", "image"] = "text"
    text: str = ""
    sha256: str | None = None
    filename: str | None = None
    media_type: str | None = None
    size: int | None = None  # bytes


class PictureRef(Record):
    """A picture that a tool took or made, as the record of a run holds it. Its file lies in the store."""

    name: str  # of the input, or of the result: `result-1`
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    width: int = Field(ge=1)  # pixels, of the file
    height: int = Field(ge=1)

    @property
    def size(self) -> str:
        return f"{self.width} x {self.height}"


class Task(Record):
    """What should get done: an objective and its inputs."""

    id: str
    objective: str
    inputs: tuple[TaskInput, ...] = ()
    tools: tuple[str, ...] = ()  # names of callable tools offered to the model
    listed_tools: tuple[str, ...] = ()  # words a suite wants named in the answer; not callable
    created_at: float = 0.0


MemoryStrategy = Literal["all", "embedding", "none", "direct", "traverse"]


class RunPolicy(Record):
    """How a run is carried out, and where it stops. A limit of None is no limit."""

    memory: MemoryStrategy = "all"
    memory_tokens: int = Field(default=320, ge=0)  # what observations may take of a prompt, characters / 4
    max_steps: int = Field(default=50, ge=1)  # visits
    max_calls: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)  # prompt and completion together
    max_cost_usd: float | None = Field(default=None, ge=0)
    max_time_s: float | None = Field(default=None, gt=0)
    max_tool_errors: int = Field(default=2, ge=0)  # a step
    tool_timeout_s: float = Field(default=60.0, gt=0)
    answer_tokens: int = Field(default=512, ge=1)  # completion tokens a call may take
    default_branch: str | None = None  # key taken where a decision stays undecided
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int | None = 0


StopReason = Literal[
    "terminal", "undecided", "max-steps", "max-calls", "max-tokens", "max-cost", "max-time", "cancelled",
    "model-error", "tool-error", "invalid-workflow",
]  # fmt: skip

# Stop reasons in words, for the person who watches the run.
STOP_WORDS: dict[StopReason, str] = {
    "terminal": "The workflow reached its end.",
    "undecided": "A decision could not be read from the model's reply.",
    "max-steps": "The limit of steps was reached.",
    "max-calls": "The limit of model calls was reached.",
    "max-tokens": "The limit of tokens was reached.",
    "max-cost": "The limit of money was reached.",
    "max-time": "The limit of time was reached.",
    "cancelled": "The run was stopped.",
    "model-error": "The model could not answer.",
    "tool-error": "A tool kept failing.",
    "invalid-workflow": "The workflow has errors and was not run.",
}


class Totals(Record):
    """What a run or a generation took in all. Cached answers count as calls, and are shown apart."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0  # None: the price of at least one call is unknown
    seconds: float = 0.0
    unknown_tokens: int = 0  # calls whose endpoint did not say its tokens; they are missing in the two sums above

    def __add__(self, other: Totals) -> Totals:
        known = self.cost_usd is not None and other.cost_usd is not None
        return Totals(
            calls=self.calls + other.calls,
            cached=self.cached + other.cached,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost_usd=(self.cost_usd or 0.0) + (other.cost_usd or 0.0) if known else None,
            seconds=self.seconds + other.seconds,
            unknown_tokens=self.unknown_tokens + other.unknown_tokens,
        )


class Event(Record):
    """One thing that happened in a run; `autoflow.interpret.events` says which kinds there are and what they hold."""

    kind: str
    visit: int  # 1-based number of the visit it belongs to; 0 for the run itself
    at: float
    data: Json = Field(default_factory=dict)


class Run(Record):
    """One carrying-out of a workflow on a task. The text is kept, so that a run never changes with its workflow."""

    id: str
    text: str
    task: Task
    model: str
    policy: RunPolicy
    workflow_id: str | None = None
    version: int | None = None  # None: a draft that was never saved as a version
    job_id: str | None = None
    parent_run_id: str | None = None  # forked from this run ...
    fork_visit: int | None = None  # ... before this visit
    stop: StopReason | None = None  # None: not ended
    error: str = ""  # the sentence that goes with the stop reason
    answer: str = ""
    totals: Totals = Field(default_factory=Totals)
    created_at: float = 0.0
    finished_at: float | None = None


Origin = Literal["manual", "generated", "edited", "example", "imported", "optimized"]


class Version(Record):
    """A saved text of a workflow. Never changed."""

    workflow_id: str
    number: int  # 1, 2, 3 ...
    text: str
    origin: Origin
    model: str | None = None  # what wrote it, where a model did
    note: str = ""
    created_at: float = 0.0


class WorkflowRecord(Record):
    """A workflow as a person works on it: a draft that is saved as they type, and versions they chose to keep."""

    id: str
    name: str
    text: str  # the draft
    revision: int  # grows with every save; a save that names an older one is a Conflict
    version: int  # number of the latest version, 0 where there is none
    task: Task | None = None
    origin: Origin = "manual"
    created_at: float = 0.0
    updated_at: float = 0.0
    can_undo: bool = False
    can_redo: bool = False
    deleted: bool = False  # put away: not listed, and can be restored


class DraftEdit(Record):
    """One change of a draft: at `position` (0-based code point) the text `removed` was replaced by `added`."""

    id: int  # grows with time
    workflow_id: str
    state: Literal["done", "undone", "refused"]  # refused: `added` is the whole text, and the draft never held it
    position: int
    removed: str
    added: str
    author: str
    at: float


JobKind = Literal["generate", "run", "download", "test-model", "study", "pilot", "propose-examples", "export"]
JobState = Literal["queued", "running", "pausing", "paused", "cancelling", "cancelled", "done", "failed"]
ENDED: frozenset[JobState] = frozenset({"cancelled", "done", "failed"})


class Job(Record):
    """A long thing that a worker does, and that survives refresh, restart and crash."""

    id: str
    kind: JobKind
    payload: Json
    state: JobState
    title: str = ""  # for the job strip: "Run Refund mail v3"
    subject_id: str | None = None  # the run, workflow or model it is about
    done: float = 0.0  # progress, in `unit`s
    total: float | None = None  # None: not known
    unit: str = ""  # steps, bytes, drafts
    message: str = ""  # what it is doing, in words
    live: Json = Field(default_factory=dict)  # what goes on right now; overwritten, not durable
    result: Json | None = None
    error: str = ""
    claims: int = 0  # since the last checkpoint
    created_at: float = 0.0
    started_at: float | None = None
    updated_at: float = 0.0
    finished_at: float | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


ConnectionKind = Literal["openai", "embedded", "local", "scripted", "replay"]


class Connection(Record):
    """A model that a person set up. The key itself is never stored: only the name of the variable that holds it."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    kind: ConnectionKind = "openai"
    model: str = ""  # as the endpoint names it; empty: the same as `name`
    base_url: str | None = None
    key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    path: str | None = None  # embedded: a GGUF file; scripted, replay: a JSON lines file
    context_tokens: int | None = Field(default=None, ge=256)
    test: Json | None = None  # what the last test found: ok, latency_s, features, error, at
    created_at: float = 0.0

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Connection:
        if self.kind in ("scripted", "replay") and not self.path:
            raise ValueError(f"a {self.kind} connection needs the path of its file")
        return self
