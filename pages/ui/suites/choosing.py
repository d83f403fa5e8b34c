"""The choice of a suite: which, how many tasks of it for what, and by which seed."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import Json, is_id
from autoflow.study import SPLITS, Split, SuiteSpec
from autoflow.suites.registry import TABLE
from autoflow.suites.sizes import USUAL, fit_sizes
from pages.ui import services
from pages.ui.plain import plain
from pages.ui.suites import from_table, from_task, known, look, travel

LABELS: dict[Split, tuple[str, str]] = {
    "train": ("Train", "Tasks to learn from: what went wrong on them is shown to the generator."),
    "val": ("Validation", "Tasks to select by: the best candidate is the one with the best reward on them."),
    "test": ("Test", "Sealed: scored once, at the end, to see how good the chosen candidate really is."),
}


def choose(key: str, default: SuiteSpec | None = None) -> SuiteSpec | None:
    """Draw the choice; what is chosen, or None where it cannot be used, which is then said in place.

    Args:
        key: of this choice among the widgets of the page.
        default: what is chosen at first.
    """
    with st.container(key=f"{key}-choice"):
        spec = _choice(key, default)
        known.tell(key)
        with st.expander("From a table: your own rows", icon=":material/table:", key=f"{key}-from-table"):
            from_table.draw(key)
        with st.expander("From a task alone", icon=":material/lightbulb:", key=f"{key}-from-task", expanded=_asked()):
            from_task.draw(key)
    return spec


def _asked() -> bool:
    """Whether examples were asked for: then their part stays open over a reload."""
    return from_task.JOB in st.query_params or from_task.COPY in st.query_params


def _choice(key: str, default: SuiteSpec | None) -> SuiteSpec | None:
    try:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = _suite(key, default)
            first = default if default and known.key_of(default) == chosen else None
            spec = _sized(key, chosen, first)
        options = _options(key, chosen, first, spec)
        if options is None:
            return None
        spec = spec.model_copy(update={"options": options})
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(plain(known.about(spec), 300), width="stretch")
            look.draw(key, spec)
        return spec if _fits(spec, known.rows_of(chosen)) else None
    except AutoFlowError as error:
        services.show_error(error)
        return None


def _suite(key: str, default: SuiteSpec | None) -> str:
    """The key of the suite; one that was deleted meanwhile gives way to the first."""
    names = known.names()
    first = known.key_of(default) if default else ""
    if first:  # first of all, so that it is what an untouched field shows; it may be older than those listed
        names = {first: names.get(first, first), **names}
    here = f"{key}-suite"
    if st.session_state.get(here, first) not in names:
        st.session_state.pop(here, None)
    return st.selectbox(
        "Tasks", list(names), format_func=lambda k: names.get(k, k), key=here, persist_state="session", width=280
    )  # fmt: skip


def _sized(key: str, chosen: str, default: SuiteSpec | None) -> SuiteSpec:
    """Fields for sizes and seed. Raises NotFound: the suite was deleted. SettingsError: it has too few rows."""
    rows = known.rows_of(chosen)
    first = fit_sizes(rows, default.sizes if default else USUAL)
    sizes: dict[Split, int] = {}
    for split in SPLITS:
        label, words = LABELS[split]
        picked = st.number_input(
            label, 0, rows, first[split], help=words, key=f"{key}-{split}-{chosen}", persist_state="session", width=110
        )
        sizes[split] = int(picked)
    seed = st.number_input(
        "Seed", 0, 2**31 - 1, default.seed if default else 0, key=f"{key}-seed", persist_state="session", width=110,
        help="Deals the tasks to the splits: the same seed, the same splits.",
    )  # fmt: skip
    saved = is_id(chosen, "su")
    options = {"suite": chosen} if saved else dict(default.options) if default else {}
    return SuiteSpec(name=TABLE if saved else chosen, seed=int(seed), options=options, **sizes)


def _fits(spec: SuiteSpec, rows: int) -> bool:
    wanted = sum(spec.sizes.values())
    if wanted > rows:
        st.text(f"There are {rows:,} tasks, but the splits ask for {wanted:,}. Make them smaller.")
    elif wanted == 0:
        st.text("No split has a task. Give train and validation at least one each.")
    return 0 < wanted <= rows


def _options(key: str, chosen: str, default: SuiteSpec | None, spec: SuiteSpec) -> Json | None:
    """Those of a suite that has some, chosen here; None: one is missing, which is said in place."""
    if chosen == "reasoning":
        return _puzzles(key, default)
    return travel.choose(key, default) if chosen == "travelplanner" else spec.options


def _puzzles(key: str, default: SuiteSpec | None) -> Json:
    """Which kinds of puzzles. Those that come first are given their settings by the suite itself."""
    from autoflow.suites.reasoning import DEFAULT

    topics = known.puzzles()
    given = default.options.get("generators") if default else None
    if isinstance(given, dict):  # chosen with settings, in the command line: kept as they are
        return {"generators": given}
    first = [name for name in given or DEFAULT if name in topics]
    picked = st.multiselect(
        "Kinds of puzzles", list(topics), first, key=f"{key}-puzzles", persist_state="session",
        format_func=lambda name: f"{name} ({topics[name]})",
    )  # fmt: skip
    return {} if not picked or set(picked) == set(DEFAULT) else {"generators": picked}
