"""Which model of the hub does what, and how large it is: the models of the paper where their licences allow it."""

from __future__ import annotations

from dataclasses import dataclass

GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HubModel:
    """One repository of the hub, or a model of AutoFlow's own catalogue."""

    repository: str  # or the name in the catalogue
    licence: str
    size: int  # bytes in memory, about
    file: str = ""  # of weights that no class of transformers reads
    sha256: str = ""  # of that file; another one is refused
    revision: str = ""  # commit of the repository; empty: its newest


MODELS = {
    "Image Classification": HubModel("google/vit-base-patch16-224", "Apache-2.0", 350_000_000),
    "Colorization": HubModel("siggraph17-colorizer", "BSD-2-Clause", 140_000_000),
    "Object Detection": HubModel("facebook/detr-resnet-101", "Apache-2.0", 250_000_000),
    "Image Super Resolution": HubModel("caidas/swin2SR-classical-sr-x2-64", "Apache-2.0", 60_000_000),
    "Image Captioning": HubModel("nlpconnect/vit-gpt2-image-captioning", "Apache-2.0", 1 * GB),
    "Image Deblurring": HubModel(
        "mikestealth/nafnet-models",
        "MIT",
        280_000_000,
        "NAFNet-GoPro-width64.pth",
        sha256="329d3ab4077b8d6b7ff61de376e483714667960bf85be027bf4335cda701196f",
    ),
    "Image Denoising": HubModel(
        "mikestealth/nafnet-models",
        "MIT",
        470_000_000,
        "NAFNet-SIDD-width64.pth",
        sha256="cd685efaae01f7c4e9951f2deab05780079c8eb1e49ed664b72f6db04dabb445",
    ),
    "Text to Image Generation": HubModel("CompVis/stable-diffusion-v1-4", "CreativeML OpenRAIL-M", 5 * GB),
    "Visual Question Answering": HubModel("dandelin/vilt-b32-finetuned-vqa", "Apache-2.0", 480_000_000),
    "Sentiment Analysis": HubModel(
        "distilbert/distilbert-base-uncased-finetuned-sst-2-english", "Apache-2.0", 270_000_000
    ),
    "Question Answering": HubModel("distilbert/distilbert-base-cased-distilled-squad", "Apache-2.0", 265_000_000),
    "Text Summarization": HubModel("facebook/bart-large-cnn", "MIT", 1_650_000_000),
    "Text Generation": HubModel("openai-community/gpt2", "MIT", 550_000_000),
    "Machine Translation": HubModel("google-t5/t5-base", "Apache-2.0", 900_000_000),
    "Fill Mask": HubModel("distilbert/distilbert-base-uncased", "Apache-2.0", 270_000_000),
}
