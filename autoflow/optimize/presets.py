"""Grids that are ready to be carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autoflow.benchmark import BenchmarkSpec, Variant
from autoflow.errors import SettingsError
from autoflow.records import Json, RunPolicy
from autoflow.store.base import StudyStore
from autoflow.study import Method, RewardSpec, Split, StudyBudget, SuiteSpec
from autoflow.suites.registry import spec_of, suite_names

SEARCHED = Variant(name="search")
DRAWN = Variant(name="no search", options={"operators": ["start anew"]})  # texts from the tasks alone, the best is kept
PLAN = SuiteSpec(name="openagi-plan")
SMALL = SuiteSpec(name="openagi-plan", train=4, val=6, test=12)


def _quick(generators: Sequence[str], interpreters: Sequence[str]) -> BenchmarkSpec:
    return BenchmarkSpec(
        generators=tuple(generators), interpreters=tuple(interpreters), suites=(SMALL,),
        budget=StudyBudget(max_rounds=3, max_calls=800), policy=RunPolicy(max_steps=20, answer_tokens=96),
    )  # fmt: skip


def _paper(generators: Sequence[str], interpreters: Sequence[str]) -> BenchmarkSpec:
    return BenchmarkSpec(
        generators=tuple(generators), interpreters=tuple(interpreters),
        suites=(SuiteSpec(name="openagi", train=40, val=45, test=100),), method="paper",
        budget=StudyBudget(max_rounds=30),
    )  # fmt: skip


def _trained(generators: Sequence[str], interpreters: Sequence[str]) -> BenchmarkSpec:
    return BenchmarkSpec(
        generators=tuple(generators), interpreters=tuple(interpreters), suites=(PLAN,), method="lora",
        budget=StudyBudget(max_rounds=100),
    )  # fmt: skip


def _ablation(*variants: Variant) -> Callable[[Sequence[str], Sequence[str]], BenchmarkSpec]:
    def made(generators: Sequence[str], interpreters: Sequence[str]) -> BenchmarkSpec:
        return BenchmarkSpec(
            generators=tuple(generators), interpreters=tuple(interpreters), suites=(PLAN,), variants=variants,
            budget=StudyBudget(max_rounds=1_000, max_calls=2_000),
        )  # fmt: skip

    return made


_MEMORY = [
    Variant(name=f"memory {name}", policy={"memory": name})
    for name in ("all", "embedding", "none", "direct", "traverse")
]
_REWARD = [
    Variant(name="score alone"),
    Variant(name="usable answers weigh in", reward=RewardSpec(score=0.8, valid=0.2)),
    Variant(name="steps cost", reward=RewardSpec(steps=0.01)),
    Variant(name="early stops are punished", reward=RewardSpec(stopped=-0.5)),
]
_LENGTH = [Variant(name=f"up to {n} steps", options={"max_steps": n}) for n in (3, 6, 12)]
PRESETS: dict[str, tuple[str, Callable[[Sequence[str], Sequence[str]], BenchmarkSpec]]] = {
    "quick": ("A small grid on plans, for a first look: minutes with the embedded model.", _quick),
    "paper": ("The grid of the paper: all tasks that can be carried out, 30 rounds.", _paper),
    "trained": ("Generators of this machine, each fine-tuned for 100 steps: hours a cell on a CPU.", _trained),
    "search": ("Search against no search at equal calls.", _ablation(SEARCHED, DRAWN)),
    "memory": ("What a step sees of the steps before it.", _ablation(*_MEMORY)),
    "reward": ("What counts as better.", _ablation(*_REWARD)),
    "length": ("How long workflows may be.", _ablation(*_LENGTH)),
}


def adjusted(
    spec: BenchmarkSpec, *, store: StudyStore, suites: Sequence[str] = (), method: Method | None = None,
    sizes: Mapping[Split, int] | None = None, openagi: Json | None = None, budget: Json | None = None,
    repeats: int | None = None, seed: int = 0, judge: str = "",
) -> BenchmarkSpec:  # fmt: skip
    """A preset with what a person wants otherwise; None and what is empty leave it as it is.

    Args:
        suites: names, ids or tables that take the place of the preset's.
        openagi: options of the suite `openagi`.
        budget: limits of a cell by their names in `StudyBudget`; those that are None stay.
    Raises SettingsError: a suite means nothing, or there are options of `openagi` and no such suite. NotFound: a suite
        was deleted.
    """
    own = [_sized(suite, sizes or {}) for suite in spec.suites]
    chosen = [_suite(text, spec, sizes or {}, store) for text in suites] or own
    if openagi and all(suite.name != "openagi" for suite in chosen):
        raise SettingsError(
            "No suite of the grid is `openagi`, whose data or tools were named.", "Add it to the suites."
        )
    limits = {name: limit for name, limit in (budget or {}).items() if limit is not None}
    options = {"openagi": openagi or {}}
    found = tuple(
        suite.model_copy(update={"seed": seed, "options": {**suite.options, **options.get(suite.name, {})}})
        for suite in chosen
    )
    changed = {
        "suites": found, "budget": spec.budget.model_copy(update=limits), "method": method or spec.method,
        "repeats": repeats or spec.repeats, "seed": seed, "judge": judge,
    }  # fmt: skip
    return spec.model_copy(update=changed)


def _sized(suite: SuiteSpec, sizes: Mapping[Split, int]) -> SuiteSpec:
    return suite.model_copy(update={split: size for split, size in sizes.items()})  # noqa: C416


def _suite(text: str, spec: BenchmarkSpec, sizes: Mapping[Split, int], store: StudyStore) -> SuiteSpec:
    """The preset's own where it has this one, so that it keeps its sizes."""
    own = next((suite for suite in spec.suites if suite.name == text), None)
    if own is not None:
        return _sized(own, sizes)
    first = spec.suites[0].sizes if text in suite_names() else {}  # a table has as many rows as it has
    return spec_of(text, sizes={**first, **sizes}, store=store)
