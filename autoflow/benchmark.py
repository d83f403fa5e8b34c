"""The records of a benchmark: a grid of generators, interpreters, suites and variants. Every cell is a study.

What a benchmark came to is read from its studies (`report/grid.py`), and nothing of it is kept twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product

from pydantic import Field

from autoflow.records import Json, Record, RunPolicy
from autoflow.study import Method, RewardSpec, StudyBudget, StudySpec, SuiteSpec

MOST = 400  # cells of a grid


class Variant(Record):
    """What differs from cell to cell besides models and suite: an ablation is a list of these."""

    name: str = ""  # as tables show it; empty: as the benchmark says
    method: Method | None = None
    options: Json = Field(default_factory=dict)  # of the method
    reward: RewardSpec | None = None
    policy: Json = Field(default_factory=dict)  # fields of `RunPolicy` that are other ones


class BenchmarkSpec(Record):
    """The axes of a grid, and what its cells have in common."""

    generators: tuple[str, ...] = Field(min_length=1)
    interpreters: tuple[str, ...] = Field(min_length=1)
    suites: tuple[SuiteSpec, ...] = Field(min_length=1)
    variants: tuple[Variant, ...] = Field(default=(Variant(),), min_length=1)
    method: Method = "in-context"
    judge: str = ""  # what suites ask themselves
    budget: StudyBudget = Field(default_factory=StudyBudget)  # of each cell
    policy: RunPolicy = Field(
        default_factory=lambda: StudySpec.model_fields["policy"].get_default(call_default_factory=True)
    )
    repeats: int = Field(default=1, ge=1, le=20)
    seed: int = 0

    @property
    def size(self) -> int:
        """How many cells it has, told without making them: their number is a product."""
        return len(self.generators) * len(self.interpreters) * len(self.suites) * len(self.variants)


class Cell(Record):
    """Where in the grid: indices of the axes."""

    suite: int
    variant: int
    interpreter: int
    generator: int

    @property
    def key(self) -> str:
        """`0-0-1-2`: suite, variant, interpreter, generator."""
        return f"{self.suite}-{self.variant}-{self.interpreter}-{self.generator}"


class Benchmark(Record):
    """A grid and its studies."""

    id: str  # bm_...
    name: str
    spec: BenchmarkSpec
    studies: dict[str, str]  # `Cell.key` -> the id of its study
    recorded: str = ""  # a recording shipped for show: when and with what it was made
    created_at: float = 0.0


def cells(spec: BenchmarkSpec) -> Iterator[Cell]:
    """In the order in which they are carried out: what shares an interpreter lies together, so that a local model is
    loaded once, and the manual workflow is answered from the cache after the first of them.
    """
    axes = (spec.suites, spec.variants, spec.interpreters, spec.generators)
    for suite, variant, interpreter, generator in product(*(range(len(axis)) for axis in axes)):
        yield Cell(suite=suite, variant=variant, interpreter=interpreter, generator=generator)


def study_spec(spec: BenchmarkSpec, cell: Cell) -> StudySpec:
    """The study of one cell. Raises ValidationError: a variant names a field that a policy has not."""
    variant = spec.variants[cell.variant]
    return StudySpec(
        method=variant.method or spec.method,
        suite=spec.suites[cell.suite],
        generator=spec.generators[cell.generator],
        interpreter=spec.interpreters[cell.interpreter],
        judge=spec.judge,
        reward=variant.reward or RewardSpec(),
        budget=spec.budget,
        policy=RunPolicy.model_validate({**spec.policy.model_dump(), **variant.policy}),
        repeats=spec.repeats,
        seed=spec.seed,
        options=variant.options,
    )


def without_folder(model: str) -> str:
    """The name of a model; of one that is a file, without the folders of this machine."""
    kind, colon, rest = model.partition(":")
    return f"{kind}:{os.path.basename(rest)}" if colon and os.path.isabs(rest) else model


def name_of(spec: BenchmarkSpec, cell: Cell) -> str:
    """`qwen2.5-coder-1.5b writes, smollm2-135m runs, openagi-plan, no search`."""
    variant = spec.variants[cell.variant].name
    parts = [
        f"{without_folder(spec.generators[cell.generator])} writes",
        f"{without_folder(spec.interpreters[cell.interpreter])} runs",
        spec.suites[cell.suite].name, variant,
    ]  # fmt: skip
    return ", ".join(filter(None, parts))
