"""Which of the expert tools a run can use on this machine, and what to get for the others. Loads nothing."""

from __future__ import annotations

from autoflow.tools.openagi.experts import ASKED, Available, OpenAGIExperts, hub_answers


def look(tool: str) -> Available:
    """Whether a run can use the tool. A run always has a language model, which some offline parts ask."""
    if hub_answers():
        return OpenAGIExperts("hub").available(tool)
    if tool in ASKED:
        return Available(tool, "offline", "the model of the run")
    return OpenAGIExperts("offline").available(tool)
