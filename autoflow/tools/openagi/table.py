"""The fifteen tools of OpenAGI (arXiv 2304.04370): what each takes and gives, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["image", "text"]
Output = Literal[
    "regular image", "caption", "class label", "object names", "generated image", "summarization", "translation",
    "sentiment", "answer",
]  # fmt: skip
DEGRADATIONS = ("grayscale", "blurry", "noisy", "low-resolutioned")  # in the order of their making


@dataclass(frozen=True, slots=True)
class Tool:
    """An expert model: what it takes, what it gives, and what it is for."""

    name: str
    takes: tuple[Type, ...]
    gives: Type
    makes: Output | None = None  # the kind of output that it is the tool for
    mends: str | None = None  # the degradation that it takes away


TOOLS = (
    Tool("Image Classification", ("image",), "text", makes="class label"),
    Tool("Colorization", ("image",), "image", mends="grayscale"),
    Tool("Object Detection", ("image",), "text", makes="object names"),
    Tool("Image Super Resolution", ("image",), "image", mends="low-resolutioned"),
    Tool("Image Captioning", ("image",), "text", makes="caption"),
    Tool("Image Deblurring", ("image",), "image", mends="blurry"),
    Tool("Image Denoising", ("image",), "image", mends="noisy"),
    Tool("Text to Image Generation", ("text",), "image", makes="generated image"),
    Tool("Visual Question Answering", ("image", "text"), "text", makes="answer"),
    Tool("Sentiment Analysis", ("text",), "text", makes="sentiment"),
    Tool("Question Answering", ("text", "text"), "text", makes="answer"),
    Tool("Text Summarization", ("text",), "text", makes="summarization"),
    Tool("Text Generation", ("text",), "text"),
    Tool("Machine Translation", ("text",), "text", makes="translation"),
    Tool("Fill Mask", ("text",), "text", mends="clozed"),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
RESTORERS = {tool.mends: tool.name for tool in TOOLS if tool.mends}
