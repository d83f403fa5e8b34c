"""The model card: what is known is told with its figures, what is not is left out, and nobody's name becomes markup."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autoflow.llm.local.export import Form
from autoflow.llm.local.origin import Origin
from autoflow.llm.local.shelf import Adapter
from autoflow.report.card import Training, card, card_of
from autoflow.report.markdown import plain
from autoflow.statistics import bootstrap
from autoflow.store import SqlStore, open_store
from autoflow.study import Candidate, StudyBatch
from tests.studies import finished_study
from tests.training import trained

HOSTILE = "<script>x</script> ![p](http://attacker.invalid/p.png) | `a` [l](javascript:x)\n---\n# Head {{x}} \u202etxet"


@pytest.fixture
def store(home: Path) -> SqlStore:
    return open_store()


def adapter(base: str = "local:smollm2-135m", **origin: Any) -> Adapter:
    return Adapter(
        "first", Path("/nowhere/first"), Origin(base=base, **origin), size=1000, rank=8, alpha=16,
        targets=("q_proj", "v_proj"), whole=True,
    )  # fmt: skip


def front_of(text: str) -> dict[str, Any]:
    """The front matter; its values are written as JSON."""
    head = text.split("---\n")[1]
    return {key: json.loads(value) for key, value in (line.split(": ", 1) for line in head.splitlines())}


def body_of(text: str) -> str:
    return text.split("---\n", 2)[2]


@pytest.mark.parametrize(
    ("form", "library", "relation"),
    [("peft", "peft", "adapter"), ("merged", "transformers", "finetune"), ("gguf", "gguf", "adapter")],
)
def test_the_front_matter_is_what_the_hub_reads(form: Form, library: str, relation: str) -> None:
    assert front_of(card(adapter(), form=form)) == {
        "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct", "base_model_relation": relation, "library_name": library,
        "license": "apache-2.0", "pipeline_tag": "text-generation", "tags": ["lora", "autoflow", "core-workflow"],
    }  # fmt: skip


def test_what_nobody_knows_is_not_said(tmp_path: Path) -> None:
    text = card(adapter(base=f"local:{tmp_path}"))
    assert "base_model" not in front_of(text)
    assert "license" not in front_of(text)
    assert "not known here" in text
    assert str(tmp_path.parent) not in text, "folders of this machine are nobody's business"
    assert "Figures" not in text
    assert "Data" not in text


def test_a_repository_of_the_hub_is_its_own_base() -> None:
    assert (
        front_of(card(adapter(base="local:Qwen/Qwen2.5-0.5B-Instruct")))["base_model"] == "Qwen/Qwen2.5-0.5B-Instruct"
    )


@pytest.fixture
def study(store: SqlStore) -> str:
    """A study that trained, with two texts of the adapter on the sealed test, one of which cannot run."""
    made = finished_study(store, f"Study {HOSTILE}")
    number = len(store.study_candidates(made.id))
    texts = [Candidate(number=number, text="t", operator="drawn from the trained model"),
             Candidate(number=number + 1, text="u", operator="drawn from the trained model", error="no")]  # fmt: skip
    outcomes = [
        (outcome.model_copy(update={"candidate": number, "score": 0.5}), ())
        for _, outcome in store.study_outcomes(made.id, candidate=0, split="test")
    ]
    store.add_to_study(StudyBatch(made.id, candidates=texts, outcomes=outcomes, steps=[trained(1), trained(2)]))
    return made.id


def test_figures_are_those_of_the_study_with_their_intervals(store: SqlStore, study: str) -> None:
    text = card_of(store, adapter(study=study, study_name="S", step=2, reward=0.5, created_at=0.0))
    scores = [o.score for _, o in store.study_outcomes(study, candidate=0, split="test")]
    found = bootstrap(scores)
    tasks, two = len(scores), bootstrap([0.5, 0.0])
    told = f"{found.mean:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"
    assert f"Sealed test, manual workflow ({tasks} tasks) | {told}" in text
    assert f"Sealed test, 2 texts of the adapter | 0.250 (95 % interval {two.low:.3f} to {two.high:.3f})" in text
    assert "texts of the base" not in text
    assert "Sealed test, best workflow" in text
    assert "Best workflow on validation (10 tasks)" in text
    assert "0.500 in step 1, 0.500 in step 2" in text
    assert "50% in the first step" in text
    assert "step 2, mean reward 0.500" in text
    assert "6 tasks gave the reward, 10 chose the best, 12 were looked at once, at the end" in text


def test_a_candidate_that_was_not_measured_has_no_figure(store: SqlStore, study: str) -> None:
    lost = Candidate(number=len(store.study_candidates(study)), text="v", operator="drawn from the trained model")
    store.add_to_study(StudyBatch(study, candidates=[lost]))
    assert "of the adapter |" not in card_of(store, adapter(study=study))
    other = card_of(store, adapter(study=finished_study(store).id))
    assert "Sealed test, best workflow" in other
    assert "while training" not in other


def test_a_study_that_is_gone_leaves_the_rest(store: SqlStore) -> None:
    text = card_of(store, adapter(study="st_000000000000", study_name="Gone", step=3))
    assert "Gone st\\_000000000000" in text
    assert "Figures" not in text


def test_hostile_names_are_text(store: SqlStore, study: str) -> None:
    text = card_of(store, adapter(base=f"local:{HOSTILE}", study=study, study_name=HOSTILE))
    _is_plain(text)
    assert set(front_of(text)) == {"library_name", "pipeline_tag", "tags"}
    shown = MarkdownIt("commonmark").enable("table").render(body_of(text))
    assert shown.count("<h1>") == 1
    assert "&lt;script&gt;" in shown


def _is_plain(text: str) -> None:
    """Rendered as the hub does, it holds nothing but what the card itself is made of."""
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(body_of(text))
    for forbidden in ("<script", "<img", "<a ", "\u202e", "javascript:x<"):
        assert forbidden not in shown


@given(name=st.text(max_size=80))
def test_any_text_is_shown_as_it_is(name: str) -> None:
    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(f"| a | {plain(name)} |\n|---|---|\n")
    assert shown.count("<th>") == 2
    assert shown.count("<") == shown.count("<t") + shown.count("</"), "no element but the table's"


@pytest.mark.parametrize("form", ["peft", "gguf"])
def test_it_says_how_to_load_it(form: Form) -> None:
    text = card(adapter(), form=form)
    assert 'AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")' in text
    assert 'PeftModel.from_pretrained(base, "first")' in text
    assert "--model local:smollm2-135m+first" in text
    assert "--lora first.gguf" in text


def test_the_card_of_an_author_stays_with_the_adapter(
    store: SqlStore, tmp_path: Path, make: Callable[..., Adapter]
) -> None:
    by_hand, trained = make(), make(study="st_000000000000")
    assert "# first" in card_of(store, by_hand)
    (tmp_path / "README.md").write_text("Mine.")
    assert card_of(store, by_hand) == "Mine."
    assert "# first" in card_of(store, by_hand, "merged")  # that is another model than its author's
    assert "# first" in card_of(store, trained)
    (tmp_path / "README.md").write_bytes(b"\xff\xfe")
    assert "# first" in card_of(store, by_hand)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Adapter]:
    return lambda **origin: Adapter("first", tmp_path, Origin(base="local:smollm2-135m", **origin), whole=True)


def test_a_card_is_made_of_records_alone(store: SqlStore, study: str) -> None:
    from autoflow.optimize.view import StudyView

    outcomes = [outcome for _, outcome in store.study_outcomes(study)]
    view = StudyView(store.get_study(study), store.study_candidates(study), outcomes)
    one = adapter(study=study)
    assert card(one, Training(view, store.training_steps(study))) == card_of(store, one)
