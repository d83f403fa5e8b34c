"""The model card of an adapter: what it is, what it was trained on, how it fared, and how to load it.

Written from records alone; what is not known is not said. Names that people gave are text in it, and never markup.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoflow.errors import NotFound
from autoflow.llm.catalogue import catalogue
from autoflow.llm.local.export import CARD, Form, hub_name
from autoflow.llm.local.origin import read_text
from autoflow.llm.local.shelf import Adapter
from autoflow.optimize.view import StudyView
from autoflow.report.card_figures import figures
from autoflow.report.markdown import plain
from autoflow.study import Split, Study, TrainingStep

if TYPE_CHECKING:
    from autoflow.store.base import StudyStore

LICENCES = {"Apache-2.0": "apache-2.0", "MIT": "mit", "BSD-2-Clause": "bsd-2-clause"}  # -> as the hub writes them


@dataclass(frozen=True, slots=True)
class Training:
    """The study that made an adapter."""

    view: StudyView
    steps: Sequence[TrainingStep]


def card_of(store: StudyStore, adapter: Adapter, form: Form = "peft") -> str:
    """The card of an adapter, with what the store still knows of its study; one from elsewhere keeps its author's."""
    if form == "peft" and not adapter.origin.study:
        with suppress(OSError, ValueError):  # none, or nothing that could be read
            return read_text(adapter.folder / CARD)
    return card(adapter, _training(store, adapter.origin.study), form)


def _training(store: StudyStore, study_id: str) -> Training | None:
    try:
        study = store.get_study(study_id) if study_id else None
    except NotFound:
        study = None
    if study is None:
        return None
    outcomes = [outcome for _, outcome in store.study_outcomes(study.id)]
    return Training(StudyView(study, store.study_candidates(study.id), outcomes), store.training_steps(study.id))


def card(adapter: Adapter, training: Training | None = None, form: Form = "peft") -> str:
    """The card as Markdown with the front matter of the hub."""
    base = hub_name(adapter)
    parts = [
        _front(adapter, base, form),
        f"# {plain(adapter.name)}",
        _first(adapter, base, form),
        _table(_facts(adapter, base, training)),
        *([f"## Data\n\n{_data(training.view.study)}", *_fared(training)] if training else ()),
        "## Use and limits\n\n" + _limits(training),
        "## How to load it\n\n" + "\n\n".join(_loading(adapter, base, form)),
    ]
    return "\n\n".join(parts) + "\n"


def _licence(adapter: Adapter) -> str:
    entry = next((entry for entry in catalogue().entries if entry.name == adapter.base), None)
    return entry.licence if entry and entry.licence != "unknown" else ""


def _front(adapter: Adapter, base: str, form: Form) -> str:
    """YAML, each value written as JSON, which it may be."""
    licence = LICENCES.get(_licence(adapter))
    told: dict[str, object] = {
        "base_model": base or None,
        "base_model_relation": ("finetune" if form == "merged" else "adapter") if base else None,
        "library_name": {"peft": "peft", "merged": "transformers", "gguf": "gguf"}[form],
        "license": licence,
        "pipeline_tag": "text-generation",
        "tags": ["lora", "autoflow", "core-workflow"],
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in told.items() if value is not None]
    return "\n".join(["---", *lines, "---"])


def _first(adapter: Adapter, base: str, form: Form) -> str:
    what = "A model, made by adding a LoRA adapter to" if form == "merged" else "A LoRA adapter for"
    return f"{what} {_base_words(adapter, base)}, that writes workflows for agents in the CoRE language."


def _base_words(adapter: Adapter, base: str) -> str:
    name = os.path.basename(adapter.base.rstrip("/")) if os.path.isabs(adapter.base) else adapter.base
    told = plain(name) or "a base that nothing names"
    return f"{told} ({plain(base)})" if base and base != name else told


def _facts(adapter: Adapter, base: str, training: Training | None) -> Iterator[tuple[str, str]]:
    origin = adapter.origin
    yield "Base", _base_words(adapter, base)
    yield "Licence of the base", plain(_licence(adapter)) or "not known here: look it up before you pass this on"
    if adapter.rank and adapter.alpha:
        layers = ", ".join(map(plain, adapter.targets))
        yield "Adapter", f"LoRA of rank {adapter.rank}, alpha {adapter.alpha:g}, on {layers}"
    if training:
        yield "Method", _method(training.view.study)
    if origin.study_name or origin.study:
        yield "Study", plain(f"{origin.study_name} {origin.study}".strip())
    if origin.step is not None:
        reward = f", mean reward {origin.reward:.3f}" if origin.reward is not None else ""
        yield "Kept after", f"step {origin.step}{reward}"
    if origin.created_at:
        yield "Made on", time.strftime("%Y-%m-%d", time.gmtime(origin.created_at))


def _method(study: Study) -> str:
    spec = study.spec
    if spec.method != "lora":
        return f"made by the method {plain(spec.method)}"
    options = ", ".join(f"{plain(name)} {plain(json.dumps(value))}" for name, value in sorted(spec.options.items()))
    rest = f"; set: {options}" if options else ""
    return f"REINFORCE on the reward of what it wrote, seed {spec.seed}, {study.rounds} steps{rest}"


_SPLITS: dict[Split, str] = {
    "train": "tasks gave the reward",
    "val": "chose the best",
    "test": "were looked at once, at the end",
}


def _data(study: Study) -> str:
    spec = study.spec
    splits = ", ".join(f"{len(study.splits.get(split, ()))} {words}" for split, words in _SPLITS.items())
    judged = f" {plain(spec.judge)} judged." if spec.judge else ""
    return (
        f"Suite {plain(spec.suite.name)} with seed {spec.suite.seed}: {splits}. Every workflow was carried out by "
        f"{plain(_short(spec.interpreter))}, {spec.repeats} times a task; the reward is made of its scores.{judged}"
    )


def _short(model: str) -> str:
    """A model's name without the folders of this machine."""
    kind, colon, rest = model.partition(":")
    return f"{kind}:{os.path.basename(rest)}" if colon and os.path.isabs(rest) else model


def _fared(training: Training) -> list[str]:
    told = list(figures(training.view, training.steps))
    return [f"## Figures\n\n{_table(told)}"] if told else []


def _table(rows: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _limits(training: Training | None) -> str:
    told = [
        "It is meant to write workflows in CoRE, for a person or AutoFlow to check and run. What it writes can be "
        "wrong, and a workflow may call tools: look at it before you let it run.",
        "It was rewarded for one suite of tasks and one interpreter; with others it may do no better than its base."
        if training else "",
        "Whatever its base does wrong, it does as well.",
        "It was trained on the base's weights as AutoFlow keeps them, which may be rounded to few bits; on other "
        "copies of the base it answers a little differently.",
    ]  # fmt: skip
    return "\n".join(f"- {line}" for line in told if line)


def _loading(adapter: Adapter, base: str, form: Form) -> Iterator[str]:
    name, told = adapter.name, base or "BASE"
    if form == "merged":
        yield f'In transformers:\n\n```python\nfrom transformers import AutoModelForCausalLM\n\nmodel = \
AutoModelForCausalLM.from_pretrained("{name}-merged")\n```'
        yield f"In AutoFlow:\n\n```\nautoflow generate TASK --model local:/path/to/{name}-merged\n```"
        return
    yield (
        "In peft:\n\n```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        f'base = AutoModelForCausalLM.from_pretrained("{told}")\nmodel = PeftModel.from_pretrained(base, "{name}")\n```'
    )
    known = adapter.base if re.fullmatch(r"[\w./-]+", adapter.base) and not os.path.isabs(adapter.base) else "BASE"
    yield (
        "In AutoFlow, with the folder in `adapters` of its data folder:\n\n"
        f"```\nautoflow generate TASK --model local:{known}+{name}\n```"
    )
    yield (
        f"In llama.cpp, with the file that `autoflow models export {name} --as gguf --to {name}.gguf` writes:\n\n"
        f"```\nllama-server -m BASE.gguf --lora {name}.gguf\n```"
    )
