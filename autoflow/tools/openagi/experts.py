"""Which expert is there for each tool: the hub's where there is a hub, else an offline part, else what to get."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from typing import Any

import httpx

from autoflow.errors import ModelNotFound, ToolError, ToolFailed, ToolNotLoaded
from autoflow.llm.base import LLM, Completion, Message, OnToken, Options
from autoflow.llm.catalogue import local_path
from autoflow.llm.wrappers.base import Wrapper
from autoflow.llm.wrappers.meter import totals_of
from autoflow.records import Totals
from autoflow.settings import settings
from autoflow.tools.openagi import (
    efficientnet,
    hub_colouring,
    hub_drawing,
    hub_images,
    hub_restoring,
    hub_texts,
    restoring,
    shapes,
    texts,
)
from autoflow.tools.openagi.base import Expert, Provider
from autoflow.tools.openagi.hub_models import MODELS, HubModel
from autoflow.tools.openagi.loading import Where, device
from autoflow.tools.openagi.plain import Asking, Plain
from autoflow.tools.openagi.shelf import Shelf
from autoflow.tools.openagi.table import BY_NAME
from autoflow.tools.openagi.values import Value
from autoflow.tools.threads import in_thread

HUB_S = 5.0  # that the hub is given to answer
BATCH = 8  # inputs that a model of the hub gets at a time
Batch = Callable[[Sequence[Any]], Sequence[Value]]

_LOADERS: dict[str, Callable[[HubModel, Where], Batch]] = {
    "Image Classification": lambda m, at: hub_images.classifier(m.repository, at),
    "Colorization": lambda m, at: hub_colouring.colorizer(m.repository, at),
    "Object Detection": lambda m, at: hub_images.detector(m.repository, at),
    "Image Super Resolution": lambda m, at: hub_images.enlarger(m.repository, at),
    "Image Captioning": lambda m, at: hub_images.captioner(m.repository, at),
    "Image Deblurring": lambda m, at: hub_restoring.restorer(m.repository, m.file, at, m.sha256),
    "Image Denoising": lambda m, at: hub_restoring.restorer(m.repository, m.file, at, m.sha256),
    "Text to Image Generation": lambda m, at: hub_drawing.drawer(m.repository, at),
    "Visual Question Answering": lambda m, at: hub_images.asked(m.repository, at),
    "Sentiment Analysis": lambda m, at: hub_texts.labelled(m.repository, at),
    "Question Answering": lambda m, at: hub_texts.answered(m.repository, at),
    "Text Summarization": lambda m, at: hub_texts.summarized(m.repository, at),
    "Text Generation": lambda m, at: hub_texts.continued(m.repository, at),
    "Machine Translation": lambda m, at: hub_texts.translated(m.repository, at),
    "Fill Mask": lambda m, at: hub_texts.filled(m.repository, at),
}
ASKED = {"Question Answering": "answer", "Text Generation": "continue", "Fill Mask": "fill"}  # offline: tool, prompt


@dataclass(frozen=True)
class HubExpert:
    """A model of the hub."""

    tool: str
    model: HubModel
    shelf: Shelf = field(compare=False)
    at: Where = field(default_factory=Where)
    provider: Provider = "hub"

    @property
    def part(self) -> str:
        return self.model.repository

    async def run(self, batch: Sequence[tuple[Value, ...]]) -> list[Value]:
        inputs = [values[0] if len(values) == 1 else values for values in batch]
        return await in_thread(lambda: self._run(inputs), self.tool)

    def _run(self, inputs: Sequence[Any]) -> list[Value]:
        import torch

        used = self.shelf.use(f"{self.tool} {self.part}", self._load, self.model.size)
        with used as function, torch.inference_mode():
            try:
                return [made for n in range(0, len(inputs), BATCH) for made in function(inputs[n : n + BATCH])]
            except ToolError:
                raise
            except Exception as error:  # of other people's code; out of memory among them
                raise ToolFailed(f"`{self.tool}` ({self.part}) failed: {_first_line(error)}") from error

    def _load(self) -> Batch:
        try:
            return _LOADERS[self.tool](self.model, replace(self.at, revision=self.model.revision))
        except ToolError as error:
            raise ToolNotLoaded(error.message, error.hint) from error
        except Exception as error:  # likewise
            raise ToolNotLoaded(f"The model {self.part} cannot be loaded: {_first_line(error)}") from error


class Spending(Wrapper):
    """Adds up what its calls take."""

    def __init__(self, inner: LLM) -> None:
        super().__init__(inner)
        self.totals = Totals()

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        completion = await self.inner.complete(messages, options, on_token)
        self.totals += totals_of(completion.usage)
        return completion


@dataclass(frozen=True, slots=True)
class Available:
    """Whether a tool can be used here."""

    tool: str
    provider: Provider | None  # None: it cannot
    part: str = ""  # what does, or would do, the work; empty where nothing would
    why: str = ""  # where it cannot: what is missing, and how to get it


class OpenAGIExperts:
    """The fifteen tools.

    Args:
        provider: `hub` or `offline` alone; None: the hub where it answers, else offline.
        llm: what offline parts ask that are a language model; without one they are not available.
    """

    def __init__(self, provider: Provider | None = None, *, llm: LLM | None = None, shelf: Shelf | None = None) -> None:
        self.provider: Provider = provider or ("hub" if hub_answers() else "offline")
        self._llm = llm
        self._shelf = shelf or Shelf()
        self._found: dict[str, Expert] = {}

    def counted(self) -> tuple[OpenAGIExperts, Spending | None]:
        """The same tools, with what their language model takes from now on counted apart. None: they have none."""
        spending = Spending(self._llm) if self._llm is not None else None
        return OpenAGIExperts(self.provider, llm=spending, shelf=self._shelf), spending

    def find(self, tool: str) -> Expert:
        """As the Protocol says. Raises KeyError: no tool has this name."""
        BY_NAME[tool]
        if tool not in self._found:
            self._found[tool] = self._hub(tool) if self.provider == "hub" else self._offline(tool)
        return self._found[tool]

    def available(self, tool: str) -> Available:
        """Looks, and loads nothing. Raises KeyError: no tool has this name."""
        BY_NAME[tool]
        hub = self.provider == "hub" and tool in MODELS
        part = MODELS[tool].repository if hub else _plain()[tool].part if tool in _plain() else ""
        try:
            if hub:
                _check_installed(tool)
                return Available(tool, "hub", part)
            return Available(tool, "offline", self._offline(tool).part)
        except ToolError as error:
            return Available(tool, None, part, str(error))

    def _hub(self, tool: str) -> Expert:
        if tool not in MODELS:
            return self._offline(tool)
        _check_installed(tool)
        return HubExpert(tool, MODELS[tool], self._shelf, Where(device()))

    def _offline(self, tool: str) -> Expert:
        plain = _plain().get(tool)
        if plain is not None:
            _check_weights(tool, plain.part)
            return plain
        if tool in ASKED:
            if self._llm is None:
                raise ToolFailed(f"Offline, `{tool}` asks a language model, and none was chosen.", "Choose a model.")
            return Asking(tool, self._llm, ASKED[tool])
        raise ToolFailed(*_missing(tool))


@cache
def _plain() -> dict[str, Expert]:
    found = (
        Plain("Image Super Resolution", "total variation + Lanczos", restoring.enlarged),
        Plain("Image Denoising", "non-local means", restoring.denoised),
        Plain("Image Deblurring", "Richardson-Lucy", restoring.deblurred),
        Plain("Image Classification", "efficientnet-lite0", _label),
        Plain("Sentiment Analysis", "VADER", texts.sentiment),
        Plain("Text Summarization", "LexRank", texts.summary),
        Plain("Visual Question Answering", shapes.NAME, shapes.answered),
    )
    return {expert.tool: expert for expert in found}


def _check_installed(tool: str) -> None:
    """Raises ToolFailed: what the hub's model is run by is not installed."""
    if tool == "Text to Image Generation" and find_spec("diffusers") is None:
        raise ToolFailed(f"`{tool}` asks diffusers, which is not installed.", hub_drawing.EXTRA)


def _check_weights(tool: str, part: str) -> None:
    """Raises ToolFailed: the weights of an offline part are not here."""
    if part == efficientnet.NAME and local_path(part) is None:
        raise ToolFailed(f"`{tool}` asks {part}, which is not here.", efficientnet.CURE)
    if part == shapes.NAME and not shapes.FILE.is_file():
        raise ToolFailed(f"`{tool}` asks the {part}, whose weights {shapes.FILE.name} are missing.", shapes.CURE)


def _label(image: Any) -> str:
    from autoflow.tools.openagi.efficientnet import labels

    try:
        return labels([image])[0]
    except ModelNotFound as error:
        raise ToolNotLoaded(error.message, error.hint) from error


def _missing(tool: str) -> tuple[str, str]:
    """What is said of a tool that is not available."""
    model = MODELS.get(tool)
    if model is None:
        return f"`{tool}` is not available.", "No model for it can be fetched."
    return (
        f"`{tool}` has no part that works without the Hugging Face hub.",
        f"On a machine that reaches the hub, {model.repository} ({model.licence}) is fetched at the first use.",
    )


@cache
def hub_answers() -> bool:
    """Asked once a process."""
    if settings().offline:
        return False
    try:
        return httpx.head(settings().hub_url, timeout=HUB_S, follow_redirects=True).status_code < 500
    except httpx.HTTPError:
        return False


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
