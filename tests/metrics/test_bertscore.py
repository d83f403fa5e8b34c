"""BERTScore against its formula, written down here, on a model whose weights are tiny and random."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import ModelNotFound
from autoflow.metrics import bertscore
from autoflow.metrics.bertscore import MINILM_LAYERS, BertModel, Pair
from autoflow.metrics.scorers import make_scorer
from autoflow.settings import settings

PAIRS: list[Pair] = [
    ("a cat sat on the mat", "the cat sat on a mat"),
    ("rain", "an entirely different and much longer sentence about trains"),
    ("one two three four five six seven", "one two"),
    ("same words", "same words"),
    ("refund the customer", "give the money back"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of the depth of MiniLM, 16 numbers wide."""
    import torch
    from transformers import BertConfig, BertTokenizerFast
    from transformers import BertModel as Bert

    path = tmp_path_factory.mktemp("tiny")
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    BertTokenizerFast(vocab={word: at for at, word in enumerate(vocabulary)}).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=MINILM_LAYERS, num_attention_heads=2,
        intermediate_size=32, initializer_range=0.2,
    )  # fmt: skip
    Bert(config).save_pretrained(path)
    return path


def by_formula(folder: Path, answer: str, expected: str) -> float:
    """F1 of greedy matching by cosine, without [CLS] and [SEP]: equations 1 to 3 of the paper."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def vectors(text: str) -> Any:
        with torch.no_grad():
            states = model(**tokenizer(text, return_tensors="pt"), output_hidden_states=True).hidden_states
        inner = states[MINILM_LAYERS][0, 1:-1]  # (T, D)
        return inner / inner.norm(dim=-1, keepdim=True)

    cosines = vectors(answer) @ vectors(expected).T  # (answer, expected)
    precision, recall = cosines.max(dim=1).values.mean(), cosines.max(dim=0).values.mean()
    return float(2 * precision * recall / (precision + recall))


def flat(scores: Sequence[Sequence[float]]) -> list[float]:
    return [value for score in scores for value in score]


def test_scores_are_those_of_the_formula(folder: Path) -> None:
    found = BertModel(folder, layers=MINILM_LAYERS).scores(PAIRS)
    assert [f1 for f1, _, _ in found] == pytest.approx([by_formula(folder, *pair) for pair in PAIRS], abs=1e-5)
    assert found[3] == pytest.approx((1, 1, 1), abs=1e-5)


def test_a_batch_equals_one_by_one_in_any_order(folder: Path) -> None:
    """Pitfall: the reference scores batches, in which pairs get each other's scores."""
    model = BertModel(folder, layers=MINILM_LAYERS)
    alone = [model.scores([pair])[0] for pair in PAIRS]
    assert len({round(f1, 4) for f1, _, _ in alone}) == len(PAIRS)  # or an order that is wrong could not be seen
    assert flat(model.scores(PAIRS)) == pytest.approx(flat(alone))
    assert flat(model.scores(PAIRS[::-1])) == pytest.approx(flat(alone[::-1]))


def test_batches_of_the_library_itself_are_still_wrong_so_none_is_given_to_it(folder: Path) -> None:
    """Where this fails after an upgrade, pairs may go to the library together."""
    from torchmetrics.functional.text.bert import bert_score

    answers, expected = zip(*PAIRS, strict=True)
    together = bert_score(list(answers), list(expected), model_name_or_path=str(folder), num_layers=MINILM_LAYERS)
    right = [f1 for f1, _, _ in BertModel(folder, layers=MINILM_LAYERS).scores(PAIRS)]
    assert [float(f1) for f1 in together["f1"]] != pytest.approx(right, abs=0.01)


def test_an_empty_text_scores_0_and_a_long_one_is_cut(folder: Path) -> None:
    model = BertModel(folder, layers=MINILM_LAYERS)
    assert model.scores([("", "a"), (" \n", "a"), ("a", "")]) == [(0, 0, 0)] * 3
    f1, _, _ = model.scores([("a b c d " * 1000, "a b c d")])[0]
    assert 0 <= f1 <= 1


async def test_the_scorer_gives_f1_precision_and_recall(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bertscore, "local_path", lambda name: folder)
    found = await make_scorer("bertscore-minilm", {})("one two three four five six seven", "one two", "Count")
    [(f1, precision, recall)] = BertModel(folder, layers=MINILM_LAYERS).scores([PAIRS[2]])
    assert (found.value, dict(found.parts)) == (f1, {"precision": precision, "recall": recall})
    assert precision < recall == pytest.approx(1, abs=0.5)


async def test_without_its_model_the_scorer_says_how_to_get_it() -> None:
    with pytest.raises(ModelNotFound, match=r"bertscore-minilm.*autoflow models get all-minilm-l6-v2"):
        await make_scorer("bertscore-minilm", {})("a", "b", "")


async def test_without_the_hub_bertscore_names_what_works_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOFLOW_OFFLINE", "1")
    settings.cache_clear()
    with pytest.raises(ModelNotFound, match=r"roberta-large.*`bertscore-minilm`"):
        await make_scorer("bertscore", {})("a", "b", "")
