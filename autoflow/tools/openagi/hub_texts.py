"""Models of the hub that read texts, by transformers: loaders, each of which gives a function of a batch.

Texts that are too long for a model are cut at its limit. Nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autoflow.tools.openagi.loading import Where
from autoflow.tools.openagi.values import MASK

SPAN = 30  # tokens of an answer that is taken out of a document, at most
WRITTEN = 60  # tokens that are written on
SUMMARY = (20, 130)  # tokens: least, most
TRANSLATED = 256  # tokens at most
TO_GERMAN = "translate English to German: "  # what T5 was trained on


def labelled(source: str, at: Where) -> Callable[[Sequence[str]], list[str]]:
    """The likeliest label, such as POSITIVE."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer, model = at.load(AutoTokenizer, source), at.load_model(AutoModelForSequenceClassification, source)

    def run(texts: Sequence[str]) -> list[str]:
        inputs = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True)
        return [model.config.id2label[int(n)] for n in model(**at.put(inputs)).logits.argmax(-1)]

    return run


def answered(source: str, at: Where) -> Callable[[Sequence[tuple[str, str]]], list[str]]:
    """The words of each document that answer the question about it best; empty where none do."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer, model = at.load(AutoTokenizer, source), at.load_model(AutoModelForQuestionAnswering, source)

    def run(pairs: Sequence[tuple[str, str]]) -> list[str]:
        return [one(document, question) for document, question in pairs]

    def one(document: str, question: str) -> str:
        inputs = tokenizer(
            question, document, return_tensors="pt", truncation="only_second", return_offsets_mapping=True
        )
        places = inputs.pop("offset_mapping")[0]
        inside = torch.tensor([part == 1 for part in inputs.sequence_ids(0)])
        if not inside.any():
            return ""
        outputs = model(**at.put(inputs))
        start, end = (
            x[0].float().cpu().masked_fill(~inside, -torch.inf) for x in (outputs.start_logits, outputs.end_logits)
        )
        spans = (start[:, None] + end[None, :]).triu().tril(SPAN - 1)  # (T, T): from, to
        allowed = torch.ones_like(spans, dtype=torch.bool).triu().tril(SPAN - 1) & inside[:, None] & inside[None, :]
        best = int(spans.masked_fill(~allowed, -torch.inf).argmax())
        first, last = divmod(best, spans.shape[1])
        return document[int(places[first][0]) : int(places[last][1])]

    return run


def summarized(source: str, at: Where) -> Callable[[Sequence[str]], list[str]]:
    """A few sentences about each."""
    return _rewritten(source, at, min_length=SUMMARY[0], max_length=SUMMARY[1], num_beams=4)


def translated(source: str, at: Where) -> Callable[[Sequence[str]], list[str]]:
    """Each in German."""
    run = _rewritten(source, at, max_length=TRANSLATED, num_beams=4)
    return lambda texts: run([TO_GERMAN + text for text in texts])


def continued(source: str, at: Where) -> Callable[[Sequence[str]], list[str]]:
    """Each text with what may come after it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = at.load(AutoTokenizer, source), at.load_model(AutoModelForCausalLM, source)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id

    def one(text: str) -> str:
        inputs = tokenizer(text or " ", return_tensors="pt", truncation=True, max_length=512)
        ids = model.generate(**at.put(inputs), max_new_tokens=WRITTEN, do_sample=False, pad_token_id=pad)
        return str(tokenizer.decode(ids[0], skip_special_tokens=True)).strip()

    return lambda texts: [one(text) for text in texts]


def filled(source: str, at: Where) -> Callable[[Sequence[str]], list[str]]:
    """Each text with the likeliest word in the place of every `[MASK]`; without one, as it is."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    tokenizer, model = at.load(AutoTokenizer, source), at.load_model(AutoModelForMaskedLM, source)

    def one(text: str) -> str:
        for _ in range(text.count(MASK)):
            inputs = tokenizer(text.replace(MASK, tokenizer.mask_token), return_tensors="pt", truncation=True)
            masks = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero()
            if not len(masks):  # it lies behind what the model reads
                return text.replace(MASK, "")
            token = model(**at.put(inputs)).logits[0, int(masks[0])].argmax()
            text = text.replace(MASK, str(tokenizer.decode([int(token)])).strip(), 1)
        return text

    return lambda texts: [one(text) for text in texts]


def _rewritten(source: str, at: Where, **how: int) -> Callable[[Sequence[str]], list[str]]:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer, model = at.load(AutoTokenizer, source), at.load_model(AutoModelForSeq2SeqLM, source)

    def run(texts: Sequence[str]) -> list[str]:
        inputs = tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True)
        inputs.pop("token_type_ids", None)
        ids = model.generate(**at.put(inputs), do_sample=False, **how)
        return [text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]

    return run
