"""The fields of a search: models, method, reward, budget. Their values stand in the address: a reload finds them."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from autoflow.records import RunPolicy
from autoflow.study import Method, RewardSpec, StudyBudget
from pages.ui import services

METHODS: dict[Method, tuple[str, str]] = {
    "in-context": (
        "In-context",
        "Several drafts a round, made from what went wrong at each step of the worst tasks; each is tried on a few "
        "train tasks first.",
    ),
    "paper": (
        "As in the paper",
        "One chat with the generator, which is told each workflow's reward. One draft a round, on all train tasks.",
    ),
    "lora": (
        "Fine-tuning",
        "Teaches a model of this machine to write workflows: in each step it draws some, and learns from what they "
        "earn. Begin with a small model: without a graphics card a step takes up to minutes.",
    ),
}
# Weight, what it starts at, its label, what it does, whether it may be below 0.
_TERMS: tuple[tuple[str, float, str, str, bool], ...] = (
    ("score", 1.0, "Score", "What the suite gives an answer, from 0 to 1, times this.", True),
    ("valid", 0.0, "Usable answer", "Added for a run that ends with an answer that can be used.", True),
    ("tokens", 0.0, "1,000 tokens", "Taken away for every 1,000 tokens of a run.", False),
    ("steps", 0.0, "A step", "Taken away for every step of a run.", False),
    ("seconds", 0.0, "A second", "Taken away for every second of a run.", False),
    ("stopped", 0.0, "Stopped early", "What a run gets that came to no end, instead of all above.", True),
    ("errors", -0.5, "Errors", "What a text gets that has errors and cannot run.", True),
    ("no_steps", -1.0, "No steps", "What a text gets that has no step at all.", True),
)
_MOST = 100.0
_NO_LIMIT: dict[str, Any] = {"placeholder": "no limit"}


def method() -> Method:
    picked: Method | None = st.segmented_control(
        "Method", list(METHODS), default="in-context", required=True, format_func=lambda name: METHODS[name][0],
        key="search-method", bind="query-params",
    )  # fmt: skip
    chosen = picked or "in-context"
    st.caption(METHODS[chosen][1])
    return chosen


def model(label: str, name: Literal["generator", "interpreter", "judge"], words: str) -> str:
    return _model(label, name, services.model_names(), words)


def base() -> str:
    """The model to be trained, one of the list or typed; empty where none is chosen."""
    names, key = services.trainable_names(), "search-base"
    if not names:
        st.text("No model on this machine can be trained yet.\nThose that are downloaded for talking can be.")
        st.page_link(services.PAGES["models"], label="Get one", icon=":material/download:")
    elif key in st.session_state and st.session_state[key] is None:
        del st.session_state[key]  # nothing was chosen while there was nothing
    picked = st.selectbox(
        "Model to train", names, 0 if names else None, key=key, bind="query-params", accept_new_options=True,
        help="Learns to write workflows. The smaller it is, the sooner it is seen whether it does. Of the list, or "
        "typed: a name of the hub, a folder or a GGUF file.",
        placeholder="A name of the hub, a folder or a GGUF file", width="stretch",
    )  # fmt: skip
    return as_local(picked)


def as_local(typed: str | None) -> str:
    """A hub name or a path as models are named; what names a backend itself stays, to be refused in its own words."""
    name = (typed or "").strip()
    return f"local:{name}" if name and ":" not in name else name


def _model(label: str, name: str, names: list[str], words: str) -> str:
    return str(st.selectbox(label, names, key=f"search-{name}", bind="query-params", help=words, width="stretch"))


def reward() -> RewardSpec:
    """The weights, behind an expander whose head says what is rewarded."""
    with st.expander("Reward: what counts as better", icon=":material/military_tech:", key="search-reward"):
        st.caption("The mean over tasks of what each run gets. As it is, the reward is the score alone.")
        with st.container(horizontal=True, key="search-weights"):
            found = {term[0]: _weight(*term) for term in _TERMS}
    return RewardSpec(**found)


def _weight(name: str, value: float, label: str, words: str, below: bool) -> float:
    least = -_MOST if below else 0.0
    found = st.number_input(
        label, least, _MOST, value, step=0.05, format="%.3f", key=f"search-w-{name}", bind="query-params", help=words,
        width=140,
    )  # fmt: skip
    return value if found is None else float(found)


def limits(method: Method) -> tuple[StudyBudget, RunPolicy, int, int]:
    """Where the search stops by itself (an empty field is no limit), and each run; runs a task; the search's seed."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="search-budget"):
        rounds = (
            _number("Training steps", "updates", 1, 100, "In each the model draws samples and learns from them.")
            if method == "lora"
            else _number("Rounds", "rounds", 0, 10, "Proposals, and what comes of them.")
        )
        calls = _limit("Model calls", "calls", 1, "In all, before the sealed test. Answers from the cache count.")
        tokens = _limit("Tokens", "tokens", 1, "In all, of prompts and answers.")
        dollars = _limit("Dollars", "dollars", 0.0, "Counts only where the price of the models is known.")
        minutes = _limit("Minutes", "minutes", 0.1, "Of work; pauses do not count.")
        patience = _limit("Patience", "patience", 1, "Rounds without a new best before it ends.")
        repeats = _number(
            "Runs a task", "repeats", 1, 1, "Each with another seed; more of them even out luck.", most=20
        )
        seed = _number("Search seed", "seed", 0, 0, "The same seed and models come to the same end.")
        steps = _number("Steps a run", "steps", 1, 30, "A run that takes more is stopped.", most=10_000)
        answer = _number("Tokens an answer", "answer", 16, 256, "Longer answers of a step are cut.", most=32_768)
    budget = StudyBudget(
        max_rounds=rounds, max_calls=calls, max_tokens=tokens, max_cost_usd=dollars,
        max_time_s=minutes * 60 if minutes else None, patience=patience,
    )  # fmt: skip
    return budget, RunPolicy(max_steps=steps, answer_tokens=answer), repeats, seed


def _number(label: str, name: str, least: int, value: int, words: str, most: int = 2**31 - 1) -> int:
    found = st.number_input(label, least, most, value, key=f"search-{name}", bind="query-params", help=words, width=146)
    return value if found is None else int(found)


def _limit(label: str, name: str, least: float, words: str) -> Any:
    """A number or None; whole where `least` is whole."""
    return st.number_input(
        label, least, None, None, key=f"search-{name}", bind="query-params", help=words, width=146, **_NO_LIMIT
    )
