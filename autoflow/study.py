"""The records of a study: what is searched, how it is judged, what came of it. All are frozen.

A study is a search for a better workflow, or the scoring of given ones. It holds *candidates* (workflows with a parent)
and *outcomes* (one run of one candidate on one task, scored). Everything else, means, rewards, the best so far, is
computed from these two, so that it cannot disagree with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field

from autoflow.records import Event, Json, Record, RunPolicy, StopReason, Totals
from autoflow.train.figures import StepFigures, TrainSample

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
Method = Literal["in-context", "paper", "lora", "evaluate"]

# Why a study ended; None while it goes on.
StudyStop = Literal[
    "rounds", "calls", "tokens", "cost", "time", "patience", "perfect", "person", "evaluated", "generator-error",
    "collapsed",
]  # fmt: skip
STUDY_STOP_WORDS: dict[StudyStop, str] = {
    "rounds": "All rounds were done.",
    "calls": "The limit of model calls was reached.",
    "tokens": "The limit of tokens was reached.",
    "cost": "The limit of money was reached.",
    "time": "The limit of time was reached.",
    "patience": "No round found anything better for as long as the patience allowed.",
    "perfect": "The best candidate scored 1 on every validation task.",
    "person": "It was stopped by a person.",
    "evaluated": "Every run was carried out.",
    "generator-error": "The generator could not answer any more.",
    "collapsed": "The training had come to nothing more to learn from.",
}


def stop_words(stop: StudyStop, method: Method) -> str:
    """A sentence. What others call a round is a step of a training."""
    return "All steps were done." if (stop, method) == ("rounds", "lora") else STUDY_STOP_WORDS[stop]


# What made a candidate, besides the edits that an optimizer names itself.
MANUAL, PLAIN, GIVEN, PERSON = "manual workflow", "plain prompt", "given", "edited by a person"
# Of a training: drawn in one of its steps; after it, for the test alone, from the base model and from the best adapter.
DRAWN, UNTRAINED, TRAINED = "drawn in training", "drawn from the base model", "drawn from the trained model"
FINAL = frozenset({UNTRAINED, TRAINED})


TEST_RUNS = "test runs"  # what the job of a search counts once its test is open


class SuiteSpec(Record):
    """How to open a suite, anywhere and at any time, with the same tasks in the same splits."""

    name: str  # in the registry: openagi-plan, reasoning, table
    seed: int = 0  # of the splits (and of the tasks, where they are made)
    train: int = Field(default=8, ge=0)
    val: int = Field(default=12, ge=0)
    test: int = Field(default=24, ge=0)
    options: Json = Field(default_factory=dict)  # of this kind of suite; its module says which

    @property
    def sizes(self) -> dict[Split, int]:
        return {"train": self.train, "val": self.val, "test": self.test}


class RewardSpec(Record):
    """How a run's outcome becomes a reward; higher is better. The default is the mean score.

    reward of a run = score * `score` + valid * `valid` - `tokens` * tokens / 1,000 - `steps` * visits - `seconds` * s
    where `valid` is 1 for a run that reached a terminal with an answer that the suite can use, else 0. A run that
    stopped early is given `stopped` instead, a text with errors `errors`, one without any step `no_steps`.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    score: float = 1.0
    valid: float = 0.0
    tokens: float = Field(default=0.0, ge=0)
    steps: float = Field(default=0.0, ge=0)
    seconds: float = Field(default=0.0, ge=0)
    stopped: float = 0.0
    errors: float = -0.5
    no_steps: float = -1.0


class StudyBudget(Record):
    """Where a search stops; None is no limit. Answers from the cache count as calls and cost nothing."""

    max_rounds: int = Field(default=10, ge=0)
    max_calls: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, ge=0)
    max_time_s: float | None = Field(default=None, gt=0)  # while it runs; pauses do not count
    patience: int | None = Field(default=None, ge=1)  # rounds without a new best on validation


class StudySpec(Record):
    """All that a study is told. With the same seed and the same models it comes to the same end."""

    method: Method
    suite: SuiteSpec
    generator: str = ""  # model that proposes; empty where nothing is proposed (`evaluate`)
    interpreter: str  # model that carries out
    judge: str = ""  # model that scores, where the suite has a judge
    reward: RewardSpec = Field(default_factory=RewardSpec)
    budget: StudyBudget = Field(default_factory=StudyBudget)
    policy: RunPolicy = Field(default_factory=lambda: RunPolicy(max_steps=30, answer_tokens=256))
    repeats: int = Field(default=1, ge=1, le=20)  # runs a task, each with another seed
    seed: int = 0
    split: Split = "val"  # `evaluate`: the split that is scored
    baseline: str | None = None  # the manual workflow; None: the suite's own, where it has one
    options: Json = Field(default_factory=dict)  # of the method; its module says which


class Study(Record):
    """A study and where it stands."""

    id: str  # st_...
    name: str
    spec: StudySpec
    splits: dict[Split, tuple[str, ...]]  # ids of the tasks, as dealt when it began
    workflow_id: str | None = None  # where it began, and where its best is adopted
    parent_id: str | None = None  # the study that this one branched off
    job_id: str | None = None
    rounds: int = 0  # finished ones
    stop: StudyStop | None = None
    best: int | None = None  # number of the candidate chosen on validation; set when the search has ended
    test_uses: int = 0  # how often the sealed test set was opened: 0, or 1
    seconds: float = 0.0  # worked on, without pauses
    unused: Totals = Field(default_factory=Totals)  # what proposals took that came to nothing: duplicates, no answer
    recorded: str = ""  # a recording shipped for show: when and with what it was made
    created_at: float = 0.0
    finished_at: float | None = None


class Candidate(Record):
    """One workflow of a study. Never changed, never dropped."""

    number: int = Field(ge=0)  # in its study, from 0 without holes
    round: int = 0  # 0: there from the start
    text: str  # exactly as it was proposed
    parent: int | None = None
    operator: str = ""  # what made it: MANUAL, PLAIN, GIVEN, PERSON, or the optimizer's name of the edit
    note: str = ""  # why, in words: what the edit was to mend
    error: str = ""  # the first error of a text that cannot run
    totals: Totals = Field(default_factory=Totals)  # what proposing it took
    created_at: float = 0.0


class Outcome(Record):
    """How one run fared."""

    candidate: int
    task: str
    split: Split = "val"
    repeat: int = 0
    round: int = 0  # of the study, in which it was asked for
    score: float = Field(ge=0, le=1)  # higher is better; 0 where the run reached no terminal
    pending: bool = False  # a person is still to rate it; its score means nothing yet
    parts: dict[str, float] = Field(default_factory=dict)  # other figures of the suite
    stop: StopReason
    answer: str = ""
    expected: str = ""  # what would have been right, in words
    error: str = ""  # why it scored 0, where it was no bad answer
    steps: int = 0  # visits
    totals: Totals = Field(default_factory=Totals)
    judge: Totals = Field(default_factory=Totals)  # what scoring it took
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class StudyBatch:
    """What a study adds in one checkpoint; written with it or not at all. None leaves a field as it is."""

    study_id: str
    candidates: Sequence[Candidate] = ()
    outcomes: Sequence[tuple[Outcome, Sequence[Event]]] = ()  # each with the events of its run
    rounds: int | None = None
    stop: StudyStop | None = None
    best: int | None = None
    test_uses: int | None = None
    seconds: float | None = None
    unused: Totals | None = None  # in all, not in this batch
    steps: Sequence[TrainingStep] = ()  # of a training; one that is there already stays


class StudySample(TrainSample):
    """A text that was sampled while training, and what became of it."""

    error: str = ""  # the first error of a text that cannot run
    copied: bool = False  # no errors, but hardly more than the example in the prompt
    candidate: int | None = None  # of the study, which has the same text; None: it cannot run
    score: float | None = None  # of that candidate on the train tasks, in [0, 1]; None: not run
    reached: float | None = None  # share of those runs that came to a usable answer, in [0, 1]


class TrainingStep(Record):
    """One step of a study that trains its generator."""

    figures: StepFigures
    samples: tuple[StudySample, ...] = ()
    ending: str = ""  # why the training ended with this step before its time, and what to change

    @property
    def step(self) -> int:
        """From 1."""
        return self.figures.step


class Rating(Record):
    """What a person gave one answer, without being shown which candidate it came from."""

    candidate: int
    task: str
    repeat: int = 0
    value: float = Field(ge=0, le=1)
    rater: str = ""
    at: float = 0.0


class SavedSuite(Record):
    """A table of the user, as a suite; `autoflow.suites.table` says what `body` holds."""

    id: str  # su_...
    name: str
    body: Json
    created_at: float = 0.0
    updated_at: float = 0.0
