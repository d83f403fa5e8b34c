"""Models of the hub that look at pictures, by transformers: loaders, each of which gives a function of a batch.

Pictures come in RGB; what is given back is a text or a picture for each. Nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoflow.tools.openagi.images import Picture
from autoflow.tools.openagi.loading import Where

SURE = 0.9  # of a detection, as in the paper
CAPTION_TOKENS, BEAMS = 40, 4  # likewise
QUESTION_TOKENS = 40  # ViLT reads no more


def classifier(source: str, at: Where) -> Callable[[Sequence[Picture]], list[str]]:
    """The likeliest label."""
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    processor, model = at.load(AutoImageProcessor, source), at.load_model(AutoModelForImageClassification, source)

    def run(images: Sequence[Picture]) -> list[str]:
        logits = model(**at.put(processor(images=list(images), return_tensors="pt"))).logits  # (B, labels)
        return [model.config.id2label[int(n)] for n in logits.argmax(-1)]

    return run


def detector(source: str, at: Where) -> Callable[[Sequence[Picture]], list[str]]:
    """The names of what is surely there, surest first, `, ` between them; empty where nothing is."""
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    processor, model = at.load(AutoImageProcessor, source), at.load_model(AutoModelForObjectDetection, source)

    def run(images: Sequence[Picture]) -> list[str]:
        outputs = model(**at.put(processor(images=list(images), return_tensors="pt")))
        found = processor.post_process_object_detection(outputs, threshold=SURE)
        return [_names(one, model.config.id2label) for one in found]

    return run


def enlarger(source: str, at: Where) -> Callable[[Sequence[Picture]], list[Picture]]:
    """Twice as large. One picture at a time: they may differ in size."""
    from transformers import AutoImageProcessor, AutoModelForImageToImage

    processor, model = at.load(AutoImageProcessor, source), at.load_model(AutoModelForImageToImage, source)
    times = int(model.config.upscale)

    def run(images: Sequence[Picture]) -> list[Picture]:
        return [one(image) for image in images]

    def one(image: Picture) -> Picture:
        made = model(**at.put(processor(images=image, return_tensors="pt"))).reconstruction[0]  # (3, H, W)
        return picture_of(made[:, : image.height * times, : image.width * times])  # the processor pads

    return run


def captioner(source: str, at: Where) -> Callable[[Sequence[Picture]], list[str]]:
    """A sentence about each."""
    from transformers import AutoImageProcessor, AutoTokenizer, VisionEncoderDecoderModel

    processor, tokenizer = at.load(AutoImageProcessor, source), at.load(AutoTokenizer, source)
    model = at.load_model(VisionEncoderDecoderModel, source)

    def run(images: Sequence[Picture]) -> list[str]:
        pixels = at.put(processor(images=list(images), return_tensors="pt"))
        ids = model.generate(**pixels, max_length=CAPTION_TOKENS, num_beams=BEAMS, do_sample=False)
        return [text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]

    return run


def asked(source: str, at: Where) -> Callable[[Sequence[tuple[Picture, str]]], list[str]]:
    """The likeliest answer to a question about each."""
    from transformers import AutoModelForVisualQuestionAnswering, AutoProcessor

    processor = at.load(AutoProcessor, source)
    model = at.load_model(AutoModelForVisualQuestionAnswering, source)

    def run(pairs: Sequence[tuple[Picture, str]]) -> list[str]:
        images, questions = [image for image, _ in pairs], [question for _, question in pairs]
        inputs = processor(
            images, questions, return_tensors="pt", padding=True, truncation=True, max_length=QUESTION_TOKENS
        )
        logits = model(**at.put(inputs)).logits  # (B, answers)
        return [model.config.id2label[int(n)] for n in logits.argmax(-1)]

    return run


def picture_of(pixels: Any) -> Picture:
    """Of a tensor (3, H, W) in [0, 1]."""
    import numpy as np
    from PIL import Image

    values = pixels.detach().float().clamp(0, 1).cpu().numpy()
    return Image.fromarray((np.moveaxis(values, 0, -1) * 255).round().astype(np.uint8))


def _names(found: Any, labels: dict[int, str]) -> str:
    order = found["scores"].argsort(descending=True)
    return ", ".join(labels[int(found["labels"][n])] for n in order)
