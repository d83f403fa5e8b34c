"""Grids that are ready to be carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autoflow.benchmark import BenchmarkSpec, Variant
from autoflow.records import RunPolicy
from autoflow.study import RewardSpec, StudyBudget, SuiteSpec

SEARCHED = Variant(name="search")
DRAWN = Variant(name="no search", options={"operators": ["start anew"]})  # texts from the tasks alone, the best is kept
PLAN = SuiteSpec(name="openagi-plan")
SMALL = SuiteSpec(name="openagi-plan", train=2, val=3, test=6)


def _quick(generators: Sequence[str], interpreters: Sequence[str]) -> BenchmarkSpec:
    return BenchmarkSpec(
        generators=tuple(generators), interpreters=tuple(interpreters), suites=(SMALL,),
        budget=StudyBudget(max_rounds=2, max_calls=150), policy=RunPolicy(max_steps=20, answer_tokens=96),
    )  # fmt: skip


def _paper(generators: Sequence[str], interpreters: Sequence[str]) -> BenchmarkSpec:
    return BenchmarkSpec(
        generators=tuple(generators), interpreters=tuple(interpreters),
        suites=(SuiteSpec(name="openagi", train=40, val=45, test=100),), method="paper",
        budget=StudyBudget(max_rounds=30),
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
    "search": ("Search against no search at equal calls.", _ablation(SEARCHED, DRAWN)),
    "memory": ("What a step sees of the steps before it.", _ablation(*_MEMORY)),
    "reward": ("What counts as better.", _ablation(*_REWARD)),
    "length": ("How long workflows may be.", _ablation(*_LENGTH)),
}
