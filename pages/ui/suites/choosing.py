"""The choice of a suite: which, how many tasks of it for what, and by which seed."""

from __future__ import annotations

import streamlit as st

from autoflow.errors import AutoFlowError
from autoflow.records import is_id
from autoflow.study import SPLITS, Split, SuiteSpec
from autoflow.suites.sizes import USUAL, fit_sizes
from pages.ui import services
from pages.ui.suites import known

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
    names = known.names()
    first = known.key_of(default) if default else ""
    if first and first not in names:  # a suite that is older than those listed, or deleted meanwhile
        names[first] = first
    with st.container(horizontal=True, vertical_alignment="bottom"):
        keys = list(names)
        chosen = st.selectbox(
            "Tasks", keys, keys.index(first) if first else 0, format_func=lambda k: names.get(k, k),
            key=f"{key}-suite", persist_state="session", width=280,
        )  # fmt: skip
        try:
            spec = _sized(key, chosen, default if chosen == first else None)
        except AutoFlowError as error:
            services.show_error(error)
            return None
    return spec


def _sized(key: str, chosen: str, default: SuiteSpec | None) -> SuiteSpec | None:
    """Fields for sizes and seed. Raises NotFound: the suite was deleted. SettingsError: it has too few rows."""
    rows = known.rows_of(chosen)
    first = default.sizes if default else fit_sizes(rows, USUAL)
    sizes: dict[Split, int] = {}
    for split in SPLITS:
        label, words = LABELS[split]
        most = max(rows, first[split])
        picked = st.number_input(
            label, 0, most, first[split], help=words, key=f"{key}-{split}-{chosen}", persist_state="session", width=110
        )
        sizes[split] = int(picked)
    seed = st.number_input(
        "Seed", 0, 2**31 - 1, default.seed if default else 0, key=f"{key}-seed", persist_state="session", width=110,
        help="Deals the tasks to the splits: the same seed, the same splits.",
    )  # fmt: skip
    if sum(sizes.values()) > rows:
        st.text(f"There are {rows:,} tasks, but the splits ask for {sum(sizes.values()):,}. Make them smaller.")
        return None
    saved = is_id(chosen, "su")
    options = {"suite": chosen} if saved else dict(default.options) if default else {}
    return SuiteSpec(name="table" if saved else chosen, seed=int(seed), options=options, **sizes)
