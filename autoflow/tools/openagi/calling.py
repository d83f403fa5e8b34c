"""The expert tools as tools that the steps of a workflow may call.

A picture is named: an input of the task, or what a tool made before in the same run. What a tool makes is kept by the
hash of its content and told to the model by name and size, so that all a model reads and writes stays text. Models and
networks are loaded at the first call and stay warm from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from autoflow.errors import ToolFailed
from autoflow.llm.base import LLM, ToolSpec
from autoflow.records import PictureRef
from autoflow.tools import inputs
from autoflow.tools.base import Tool, ToolContext, ToolResult
from autoflow.tools.openagi.table import BY_NAME, TOOLS, Type
from autoflow.tools.openagi.table import Tool as Expert
from autoflow.tools.threads import in_thread

if TYPE_CHECKING:
    from autoflow.tools.openagi.base import Expert as Doing
    from autoflow.tools.openagi.experts import OpenAGIExperts, Spending
    from autoflow.tools.openagi.values import Value

GROUP = "openagi"  # named by a task: all of them that can be used here
_SAYS = {
    "Image Classification": "Name what a picture shows, by one of 1,000 labels in English.",
    "Colorization": "Give a grayscale picture its colours.",
    "Object Detection": "Name the objects in a picture, in English.",
    "Image Super Resolution": "Make a picture twice as wide and high, and take away the marks of low resolution.",
    "Image Captioning": "Describe a picture in an English sentence.",
    "Image Deblurring": "Sharpen a blurry picture.",
    "Image Denoising": "Take the noise out of a picture.",
    "Text to Image Generation": "Make a picture of what an English text describes.",
    "Visual Question Answering": "Answer an English question about a picture in a word or two.",
    "Sentiment Analysis": "Say whether an English text is POSITIVE or NEGATIVE.",
    "Question Answering": "Answer an English question with words of a text.",
    "Text Summarization": "Shorten an English text to what matters.",
    "Text Generation": "Go on with the beginning of an English text.",
    "Machine Translation": "Translate an English text into German.",
    "Fill Mask": "Fill in the word that is missing in an English text, where [MASK] stands.",
}
_ARGUMENTS = {
    "image": "Name of a picture: an input of the task, or what a tool made before, such as result-1.",
    "text": "The text itself, or the name of a text that is an input of the task.",
    "question": "The question.",
}


def names() -> list[str]:
    """The fifteen as a task names them: `openagi.image_denoising`."""
    return [f"{GROUP}.{_slug(tool.name)}" for tool in TOOLS]


def exposed(name: str) -> str:
    """As endpoints take it: `openagi__image_denoising` for `openagi.image_denoising`; any other name as it is."""
    return name.replace(f"{GROUP}.", f"{GROUP}__", 1) if name in names() else name


def means_expert(name: str) -> bool:
    """Whether a task that names this asks for one of them, or for all; maybe for one that there is not."""
    return name == GROUP or name.startswith((f"{GROUP}.", f"{GROUP}__"))


def expert_tools(llm: LLM | None = None) -> list[Tool]:
    """All fifteen; those that cannot be used here say so. Asks whether the hub is there, and loads nothing.

    Args:
        llm: what those ask that are a language model offline: the model of the run.
    """
    from autoflow.tools.openagi.availability import look

    return [_tool(expert, llm, look(expert.name).why) for expert in TOOLS]


def _slug(name: str) -> str:
    return name.lower().replace(" ", "_")


def _tool(expert: Expert, llm: LLM | None, unavailable: str) -> Tool:
    async def run(values: Mapping[str, Any], context: ToolContext) -> ToolResult:
        if unavailable:
            raise ToolFailed(unavailable)
        return await _called(expert, llm, [str(values[name]) for name in _arguments(expert)], context)

    says = f"Not available here. {_SAYS[expert.name]}" if unavailable else _SAYS[expert.name]
    spec = ToolSpec(f"{GROUP}__{_slug(expert.name)}", says, _schema(_arguments(expert)))
    return Tool(spec, run, GROUP, unavailable)


def _arguments(expert: Expert) -> tuple[str, ...]:
    """Their names, in the order in which the tool takes them."""
    first, *second = expert.takes
    return (first, "question") if second else (first,)


def _schema(arguments: Sequence[str]) -> dict[str, Any]:
    described = {name: {"type": "string", "description": _ARGUMENTS[name]} for name in arguments}
    return {"type": "object", "properties": described, "required": list(arguments), "additionalProperties": False}


async def _called(expert: Expert, llm: LLM | None, given: Sequence[str], context: ToolContext) -> ToolResult:
    """Raises ToolArgumentError, ToolFailed, or ModelError of the language model that it asks."""
    name = expert.name
    taken = await in_thread(lambda: [_take(*pair, context) for pair in zip(expert.takes, given, strict=True)], name)
    doing, spending = await in_thread(lambda: _find(name, llm), name)
    (made,) = await doing.run([tuple(value for value, _ in taken)])
    took = tuple(ref for _, ref in taken if ref is not None)
    by, totals = f"{doing.provider}: {doing.part}", spending.totals if spending else None
    if isinstance(made, str):
        return ToolResult(made or "Nothing was found.", by, took, totals=totals)
    kept = await in_thread(lambda: _kept(made, context), name)
    return ToolResult(_told(kept, taken), by, took, (kept,), totals)


def _take(kind: Type, given: str, context: ToolContext) -> tuple[Value, PictureRef | None]:
    if kind == "text":
        item = context.input(given)
        return (inputs.text_of(item, context) if item and item.kind != "image" else given), None
    from autoflow.tools.pictures import take

    return take(given, context)


def _kept(image: Any, context: ToolContext) -> PictureRef:
    from autoflow.tools.pictures import keep

    return keep(image, context)


def _told(made: PictureRef, taken: Sequence[tuple[Value, PictureRef | None]]) -> str:
    """`picture result-1, 256 x 256`, and whether less was worked on than was given."""
    smaller = [
        f" `{ref.name}` was scaled down to {value.width} x {value.height} first."
        for value, ref in taken
        if ref is not None and not isinstance(value, str) and value.size != (ref.width, ref.height)
    ]
    return f"picture {made.name}, {made.size}" + ("." if smaller else "") + "".join(smaller)


@cache
def _experts() -> OpenAGIExperts:
    """Of this process: its models stay warm from run to run."""
    from autoflow.tools.openagi.experts import OpenAGIExperts

    return OpenAGIExperts()


def _find(name: str, llm: LLM | None) -> tuple[Doing, Spending | None]:
    """What carries the tool out, and what adds up the calls that it makes to the model of the run."""
    from autoflow.tools.openagi.experts import ASKED, OpenAGIExperts, Spending

    assert name in BY_NAME
    if _experts().provider == "hub" or name not in ASKED:
        return _experts().find(name), None
    spending = Spending(llm) if llm is not None else None
    return OpenAGIExperts("offline", llm=spending).find(name), spending
