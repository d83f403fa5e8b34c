"""Which of the expert tools a run can use on this machine, and what to get for the others. Loads nothing."""

from __future__ import annotations

from importlib.util import find_spec

from autoflow.llm.catalogue import local_path
from autoflow.tools.openagi import efficientnet, shapes
from autoflow.tools.openagi.experts import ASKED, Available, OpenAGIExperts, hub_answers
from autoflow.tools.openagi.hub_drawing import EXTRA
from autoflow.tools.openagi.hub_models import MODELS


def look(tool: str) -> Available:
    """Whether a run can use the tool. A run always has a language model, which some offline parts ask."""
    if hub_answers() and tool in MODELS:
        return _of_the_hub(tool)
    if tool in ASKED:
        return Available(tool, "offline", "the model of the run")
    found = OpenAGIExperts("offline").available(tool)
    if found.part == efficientnet.NAME and local_path(efficientnet.NAME) is None:
        return Available(tool, None, why=f"`{tool}` asks {efficientnet.NAME}, which is not here. {efficientnet.CURE}")
    if found.part == shapes.NAME and not shapes.FILE.is_file():
        return Available(tool, None, why=f"`{tool}` asks the {shapes.NAME}, whose weights are missing. {shapes.CURE}")
    return found


def _of_the_hub(tool: str) -> Available:
    if tool == "Text to Image Generation" and find_spec("diffusers") is None:
        return Available(tool, None, why=f"`{tool}` asks diffusers, which is not installed. {EXTRA}")
    return Available(tool, "hub", MODELS[tool].repository)
