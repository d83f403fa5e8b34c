"""All kinds of scorers by name. Each gives values in [0, 1], higher is better; `about` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from autoflow.errors import SettingsError
from autoflow.llm.base import LLM
from autoflow.metrics import bertscore, judge, structured, text
from autoflow.metrics.base import Score, Scorer
from autoflow.metrics.kinds import ScorerKind, ScorerOption, near
from autoflow.records import Json

__all__ = ["SCORERS", "Score", "Scorer", "ScorerKind", "ScorerOption", "make_scorer"]
SCORERS: Mapping[str, ScorerKind] = MappingProxyType(
    {kind.name: kind for kind in (*text.KINDS, *structured.KINDS, *bertscore.KINDS, *judge.KINDS)}
)


def make_scorer(name: str, options: Json, *, judge: LLM | None = None) -> Scorer:
    """The scorer of this name.

    Args:
        options: those of its kind; what is left out has its default.
        judge: the model that judges, where the kind needs one.
    Raises SettingsError: there is no such scorer or option, a value breaks its rule, or the judge is missing.
    """
    if name not in SCORERS:
        raise SettingsError(f"There is no scorer `{name}`.", near(name, SCORERS))
    kind = SCORERS[name]
    return kind.make(kind.read_options(options), judge)
