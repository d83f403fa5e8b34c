"""BERTScore (arXiv 1904.09675): how near the words of two texts are in meaning, by the vectors of a language model.

Computed by torchmetrics, one pair at a time: version 1.9.0 scores wrong pairs whenever a batch holds more than one (it
indexes by the order of the sorted lengths where its inverse is meant). No baseline is subtracted, so values of
unrelated texts are far above 0. A text is read up to 256 tokens (MiniLM) or 512.

The score under the paper's name needs a model of the hub. What works without it has a name of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from autoflow.errors import ModelNotFound
from autoflow.llm.base import LLM
from autoflow.llm.catalogue import local_path
from autoflow.metrics.base import Score, Scorer
from autoflow.metrics.kinds import ScorerKind, ScorerOption
from autoflow.records import Json
from autoflow.settings import settings

MINILM, MINILM_LAYERS, MINILM_TOKENS = "all-minilm-l6-v2", 6, 256
LAYERS: Mapping[str, int] = {  # the layer that the authors of BERTScore recommend for each
    "microsoft/deberta-xlarge-mnli": 40,
    "roberta-large": 17,
    "roberta-base": 10,
    "bert-base-multilingual-cased": 9,
}
PAPER = "microsoft/deberta-xlarge-mnli"  # what AutoFlow's paper scores by
Pair = tuple[str, str]  # answer, expected


class BertModel:
    """A model of vectors; loaded at the first use, which takes some seconds. Shared by threads, one pair at a time.

    Args:
        source: a folder, or a name of the hub.
        layers: the layer whose vectors are compared.
        max_tokens: the rest of a text is not looked at.
    """

    def __init__(self, source: Path | str, *, layers: int, max_tokens: int = 512) -> None:
        self._source = source
        self._layers = layers
        self._max_tokens = max_tokens
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def scores(self, pairs: Sequence[Pair]) -> list[tuple[float, float, float]]:
        """(F1, precision, recall) of each pair, in [0, 1]; 0 where a text is empty.

        Raises ModelNotFound: the model cannot be loaded.
        """
        with self._lock, _one_thread():
            return [self._score(answer, expected) for answer, expected in pairs]

    def _score(self, answer: str, expected: str) -> tuple[float, float, float]:
        if not answer.strip() or not expected.strip():
            return 0.0, 0.0, 0.0
        from torchmetrics.functional.text.bert import bert_score

        tokenizer, model = self._load()
        found = bert_score(
            [answer], [expected], model=model, user_tokenizer=tokenizer, num_layers=self._layers, batch_size=1,
            max_length=self._max_tokens, truncation=True,
        )  # fmt: skip
        f1, precision, recall = (_bounded(found[name]) for name in ("f1", "precision", "recall"))
        return f1, precision, recall

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            name, local = str(self._source), isinstance(self._source, Path) or settings().offline
            try:
                tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=local)
                model = AutoModel.from_pretrained(name, local_files_only=local, use_safetensors=True).eval()
            except Exception as error:  # of any kind: the file may hold anything, the hub may answer anything
                raise ModelNotFound(
                    f"The model {name} of BERTScore cannot be loaded: {_first_line(error)}",
                    "Without the hub, use the scorer `bertscore-minilm`, whose model AutoFlow can fetch elsewhere.",
                ) from error
            self._loaded = tokenizer, model
        return self._loaded


@contextmanager
def _one_thread() -> Iterator[None]:
    """Short texts gain nothing by more, and lose four fifths of their speed where another process is busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _bounded(value: Any) -> float:
    """A cosine may be below 0, and rounding may put it above 1."""
    return min(1.0, max(0.0, float(value)))


@lru_cache(maxsize=2)
def _model(source: Path | str, layers: int, max_tokens: int) -> BertModel:
    return BertModel(source, layers=layers, max_tokens=max_tokens)


def _minilm_model() -> BertModel:
    """Raises ModelNotFound: it is not on this machine."""
    folder = local_path(MINILM)
    if folder is None:
        raise ModelNotFound(
            f"The scorer `bertscore-minilm` needs the model {MINILM}, which is not on this machine.",
            f"Get it with: autoflow models get {MINILM}",
        )
    return _model(folder, MINILM_LAYERS, MINILM_TOKENS)


def model_of(name: str) -> BertModel:
    """Of `bertscore` (the paper's, from the hub) or `bertscore-minilm`. Raises ModelNotFound: not on this machine."""
    return _minilm_model() if name == "bertscore-minilm" else _model(PAPER, LAYERS[PAPER], 512)


def _scorer(find: Any) -> Scorer:
    async def score(answer: str, expected: str, objective: str) -> Score:
        [(f1, precision, recall)] = await asyncio.to_thread(find().scores, [(answer, expected)])
        return Score(f1, {"precision": precision, "recall": recall}, expected)

    return score


def _hub(options: Json, _: LLM | None) -> Scorer:
    name = options["model"]
    return _scorer(lambda: _model(name, LAYERS[name], 512))


def _minilm(options: Json, _: LLM | None) -> Scorer:
    return _scorer(_minilm_model)


KINDS = (
    ScorerKind(
        "bertscore", "Near in meaning (BERTScore)",
        "F1 of BERTScore: 1: the same text; unrelated texts are far above 0, so compare values, do not read one alone.",
        _hub, options=(ScorerOption("model", "roberta-large", "of the hub", choices=tuple(LAYERS)),),
    ),
    ScorerKind(
        "bertscore-minilm", "Near in meaning (BERTScore's formula on MiniLM)",
        "The same formula on a small model that works without the hub; not comparable with BERTScore. 1: the same.",
        _minilm,
    ),
)  # fmt: skip
