"""Suites by name, as the command line, the pages and the records of studies name them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from autoflow.errors import NotFound, SettingsError
from autoflow.llm.base import LLM
from autoflow.metrics.kinds import ScorerKind, near
from autoflow.records import Json, is_id
from autoflow.study import SPLITS, SavedSuite, Split, SuiteSpec
from autoflow.suites.base import Suite
from autoflow.suites.sizes import USUAL, fit_sizes

if TYPE_CHECKING:
    from autoflow.store.base import StudyStore

Saved = Callable[[str], SavedSuite]  # finds a suite that a person made, by id; raises NotFound
NEEDS_OPTIONS = ("travelplanner",)  # suites that cannot be opened by their name alone
TABLE = "table"  # the name of all suites that people made; which one says the option `suite`
_TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".txt")


def open_suite(spec: SuiteSpec, *, saved: Saved | None = None, judge: LLM | None = None) -> Suite:
    """The suite of this spec.

    Args:
        saved: finds suites that people made; without it there are only those that are always there.
        judge: the model that a suite itself asks: one that judges, or offline tools of OpenAGI. For scoring alone.
    Raises SettingsError: there is none, or its splits ask for too many tasks. NotFound: it was deleted.
    """
    match spec.name:
        case "openagi-plan":
            from autoflow.suites.openagi import OpenAGIPlanSuite

            for name in spec.options:
                raise SettingsError(f"The suite `openagi-plan` has no option `{name}`.", "Leave it out.")
            return OpenAGIPlanSuite(seed=spec.seed, sizes=spec.sizes)
        case "openagi":
            from autoflow.suites.openagi_open import open_openagi

            return open_openagi(spec, judge)
        case "reasoning":
            from autoflow.suites.reasoning import ReasoningSuite

            return ReasoningSuite(spec)
        case "travelplanner":
            from autoflow.suites.travelplanner import open_travelplanner

            return open_travelplanner(spec)
        case "table":
            from autoflow.suites.table import TableSuite

            return TableSuite(_saved(spec, saved), spec, judge=judge)
        case _:
            raise _unknown(spec.name)


def dealt_suite(spec: SuiteSpec, judge: str, *, saved: Saved | None = None) -> Suite:
    """The suite for its tasks alone: nothing is scored. Which tasks of OpenAGI there are depends on whether a model is
    named that offline tools can ask. Raises as `open_suite`."""
    from autoflow.llm.scripted import ScriptedLLM

    return open_suite(spec, saved=saved, judge=ScriptedLLM((), name=judge) if judge else None)


def settled_suite(spec: SuiteSpec) -> SuiteSpec:
    """The spec with nothing left open that another machine would answer otherwise. Raises SettingsError."""
    if spec.name != "openagi":
        return spec
    from autoflow.suites.openagi_open import settled

    return settled(spec)


def suite_names() -> tuple[str, ...]:
    """The suites that are always there."""
    return ("openagi-plan", "openagi", "reasoning", "travelplanner")


def title_of(spec: SuiteSpec, saved: Saved | None = None) -> str:
    """How the suite is called: `openagi-plan`, or what a person named their table."""
    if spec.name != TABLE:
        return spec.name
    try:
        return _saved(spec, saved).name or TABLE
    except NotFound:
        return "a table that was deleted"
    except SettingsError:
        return TABLE


def describe(spec: SuiteSpec, saved: Saved | None = None) -> str:
    """What the suite is, in a short sentence; of a table: its rows, its scorer, and how much of it a model proposed."""
    match spec.name:
        case "openagi-plan":
            return "185 tasks that ask for a plan of expert models; the plan is scored, none of them is run."
        case "openagi":
            return "Tasks of OpenAGI whose plans are carried out by expert models on pictures and texts, and scored."
        case "reasoning":
            chosen = ", ".join(spec.options.get("generators") or ()) or "four kinds that fall apart into steps"
            return f"Puzzles made by seed ({chosen}), scored by their own verifiers."
        case "travelplanner":
            return "Trips planned by searching your copy of TravelPlanner's database, scored by the constraints kept."
        case "table":
            return _describe_table(spec, saved)
        case _:
            return f"A suite `{spec.name}`, which is not known here."


def _describe_table(spec: SuiteSpec, saved: Saved | None) -> str:
    from autoflow.metrics.scorers import SCORERS
    from autoflow.suites.table_body import proposed_words, read_body

    try:
        body = read_body(_saved(spec, saved).body)
    except (NotFound, SettingsError) as error:
        return str(error)
    rows = f"{len(body.rows):,} row{'' if len(body.rows) == 1 else 's'}"
    scorer = SCORERS[body.scorer.name].label
    mark = proposed_words(body)
    return f"{rows}, scored: {scorer[:1].lower()}{scorer[1:]}.{f' {mark[:1].upper()}{mark[1:]}.' if mark else ''}"


def scorer_of(spec: SuiteSpec, saved: Saved | None = None) -> ScorerKind | None:
    """The kind of scorer that a person chose for a table; None: the suite has its own.

    Raises SettingsError, NotFound: the table cannot be had.
    """
    if spec.name != TABLE:
        return None
    from autoflow.metrics.scorers import SCORERS
    from autoflow.suites.table_body import read_body

    return SCORERS[read_body(_saved(spec, saved).body).scorer.name]


def spec_of(
    text: str, seed: int = 0, sizes: Mapping[Split, int] | None = None, options: Json | None = None, *,
    store: StudyStore | None = None, only: Split | None = None,
) -> SuiteSpec:  # fmt: skip
    """The spec that a person means: the name of a suite, the id or the name of a saved one, or the path of a table.

    A table is saved as a suite first, with what can be guessed of its columns and its scorer.

    Args:
        sizes: of the splits that were chosen; others are as usual, or what the rows allow.
        options: of a suite that is always there.
        store: where suites are saved; None: the usual one, opened where it is needed.
        only: the split that is scored alone, which a table of one row may still have.
    Raises SettingsError: it means nothing or several, the table cannot be used, or it has too few rows. NotFound: the
        suite was deleted.
    """
    if text in suite_names():
        return SuiteSpec(name=text, seed=seed, options=options or {}, **_by_name({**USUAL, **(sizes or {})}))
    if options:
        raise SettingsError("Only suites that are always there have options.", "Leave them out.")
    found = _find(text, store)
    fitted = _fitted(len(found.body["rows"]), sizes or {}, only)
    return SuiteSpec(name=TABLE, seed=seed, options={"suite": found.id}, **_by_name(fitted))


def _by_name(sizes: Mapping[Split, int]) -> dict[str, int]:
    return {split: sizes[split] for split in SPLITS}


def _fitted(rows: int, chosen: Mapping[Split, int], only: Split | None) -> dict[Split, int]:
    """Chosen sizes stay; the others share what is left."""
    left = rows - sum(chosen.values())
    others = {split: size for split, size in USUAL.items() if split not in chosen}
    try:
        shared = fit_sizes(max(0, left), others) if left > 0 or not chosen else {}
    except SettingsError:
        if only is None or only in chosen:
            raise
        shared = {only: left}
    return {split: chosen.get(split, shared.get(split, 0)) for split in SPLITS}


def _find(text: str, store: StudyStore | None) -> SavedSuite:
    """A saved suite by its id or its name, or the table at a path, saved now."""
    from autoflow.store import open_store

    if not (is_id(text, "su") or os.path.isfile(text)) and text.lower().endswith(_TABLES):
        raise SettingsError(f"There is no file `{text}`.", "Check the path.")
    store = store or open_store()
    if is_id(text, "su"):
        return store.get_suite(text)
    called = [key for key, name in store.suite_names(limit=1000).items() if name.casefold() == text.casefold()]
    if len(called) > 1:
        raise SettingsError(f"{len(called)} suites are called `{text}`.", f"Name one by its id: {', '.join(called)}.")
    if called:
        return store.get_suite(called[0])
    if not os.path.isfile(text):
        raise _unknown(text)
    from autoflow.suites.table_add import add_table, name_of_file
    from autoflow.suites.table_read import read_file

    return add_table(store, read_file(text), name_of_file(text), source=os.path.basename(text))[0]


def _saved(spec: SuiteSpec, saved: Saved | None) -> SavedSuite:
    """Raises SettingsError: the spec names no suite, or there is nowhere to look. NotFound."""
    suite_id = spec.options.get("suite")
    for name in spec.options:
        if name != "suite":
            raise SettingsError(f"The suite `table` has no option `{name}`.", near(name, ["suite"]))
    if not isinstance(suite_id, str) or saved is None:
        raise SettingsError("Which table is meant is not said.", 'Name a saved suite: {"suite": "su_..."}.')
    return saved(suite_id)


def _unknown(name: str) -> SettingsError:
    known = ", ".join(f"`{known}`" for known in suite_names())
    return SettingsError(
        f"There is no suite `{name[:80]}`.", f"There is {known}, the suites that you saved, and tables as CSV or JSONL."
    )
