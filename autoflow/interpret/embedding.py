"""The sentence-embedding model all-MiniLM-L6-v2, where it has been downloaded; never fetched from here.

It is in the catalogue of models. A vector is the mean over a text's tokens, of length 1, as the model's authors use it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from autoflow.errors import ModelNotFound
from autoflow.interpret.memory import Embedder, Lexical
from autoflow.llm.catalogue import local_path

NAME = "all-minilm-l6-v2"
MAX_TOKENS = 256  # what the model was trained on; the rest of a text is not looked at
_KEPT = 2_000  # vectors; 1.5 kB each


def best_embedder() -> Embedder:
    """The embedding model where it lies on this machine, else word weights (`lexical`)."""
    found = local_path(NAME)
    return _model(found) if found else Lexical()


@lru_cache(maxsize=1)
def _model(folder: Path) -> MiniLM:
    """One a process: the weights take 90 MB."""
    return MiniLM(folder)


class MiniLM:
    """Sentence vectors. Loaded at the first use, in a thread, which takes some seconds."""

    name = NAME

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None
        self._vectors: OrderedDict[str, Any] = OrderedDict()

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Cosine of each text with the query, in [-1, 1]. Raises ModelNotFound: the model cannot be loaded."""
        return await asyncio.to_thread(self._scores, query, list(texts))

    def _scores(self, query: str, texts: list[str]) -> list[float]:
        with self._lock:
            self._learn([text for text in {query, *texts} if text not in self._vectors])
            wanted = self._vectors[query]
            scores = [float(self._vectors[text] @ wanted) for text in texts]
            while len(self._vectors) > _KEPT:
                self._vectors.popitem(last=False)
            return scores

    def _learn(self, texts: list[str]) -> None:
        import torch

        tokenizer, model = self._load()
        for start in range(0, len(texts), 32):
            batch = texts[start : start + 32]
            tokens = tokenizer(batch, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
            with torch.inference_mode():
                states = model(**tokens).last_hidden_state  # (B, T, D)
            mask = tokens["attention_mask"].unsqueeze(-1)  # (B, T, 1), 1 on tokens of the text
            means = (states * mask).sum(dim=1) / mask.sum(dim=1)
            unit = torch.nn.functional.normalize(means, dim=1)  # (B, D)
            self._vectors.update(zip(batch, unit, strict=True))

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            try:
                from transformers import AutoModel, AutoTokenizer
                from transformers.utils import logging

                logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # or it stands in the middle of a trace
                tokenizer = AutoTokenizer.from_pretrained(str(self._folder), local_files_only=True)
                model = AutoModel.from_pretrained(str(self._folder), local_files_only=True).eval()
            except Exception as error:  # of any kind: the file may hold anything
                raise ModelNotFound(
                    f"The model in {self._folder} cannot be loaded: {error}.", "Get it again."
                ) from error
            self._loaded = tokenizer, model
        return self._loaded
