"""The sentence-embedding model: loading, vectors, and what happens without it. The weights here are tiny and random."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from autoflow.errors import ModelNotFound
from autoflow.interpret.embedding import MiniLM, best_embedder
from autoflow.interpret.memory import Lexical


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of the shape of MiniLM, 2 layers of 16 numbers."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    path = tmp_path_factory.mktemp("tiny")
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    (path / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab_file=str(path / "vocab.txt")).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(path)
    return path


async def test_scores_are_cosines_and_do_not_depend_on_the_company(folder: Path) -> None:
    model = MiniLM(folder)
    texts = ["refund", "a much longer text about cats and dogs " * 20, "", "refund"]
    together = await model.scores("refund", texts)
    assert together[0] == together[3] == pytest.approx(1.0, abs=1e-5)
    assert all(-1.00001 <= score <= 1.00001 and math.isfinite(score) for score in together)
    alone = [(await MiniLM(folder).scores("refund", [text]))[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-4)  # padding counts for nothing


async def test_loading_says_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    await MiniLM(folder).scores("a", ["b"])
    assert capfd.readouterr() == ("", "")


async def test_model_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelNotFound, match=r"cannot be loaded.*Get it again"):
        await MiniLM(tmp_path).scores("a", ["b"])


def test_without_the_model_words_are_compared_and_it_is_not_called_an_embedding() -> None:
    found = best_embedder()
    assert isinstance(found, Lexical)
    assert found.name == "lexical"
