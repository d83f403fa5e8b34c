"""A visit of a run as a record to be drawn: words and figures, nothing else."""

from __future__ import annotations

import json
from typing import Any

from autoflow.interpret.trace import CallView, StepView, ToolView
from autoflow.records import PictureRef
from autoflow.report.figures import duration, money, tokens

PURPOSES = {"step": "", "memory": "choosing observations", "retry": "asked again"}
SAID = 200  # characters of a tool's text that stand beside its picture


def row(view: StepView, *, running: bool, text: str = "") -> dict[str, Any]:
    """The visit, with `text` of the reply under way where it has not finished."""
    state = "done" if view.finished else "running" if running else "unfinished"
    return {
        "visit": view.visit,
        "step": view.step,
        "type": view.type,
        "state": state,
        "branch": view.branch if view.type == "decision" else None,
        "why": view.why.removeprefix(f"{view.answer} "),  # the answer stands below
        "figures": _figures(view),
        "answer": (text or view.answer) if not view.finished else view.answer,
        "warnings": [f"{w['message']} {w.get('hint') or ''}".strip() for w in view.warnings],
        "pictures": [_pictures(tool) for tool in view.tools if tool.took or tool.made],
        "details": [*_calls(view), *map(_tool, view.tools), *_memory(view)],
        "can_fork": view.finished and not running,
    }


def _figures(view: StepView) -> str:
    if view.seconds is None:
        return ""
    cached = f"{view.cached} cached" if view.cached else ""
    figures = (duration(view.seconds), tokens(view.prompt_tokens, view.completion_tokens), money(view.cost_usd), cached)
    return " · ".join(filter(None, figures))


def _calls(view: StepView) -> list[dict[str, Any]]:
    return [{"title": _title(call, len(view.calls)), "parts": [*_prompt(call), *_reply(call)]} for call in view.calls]


def _title(call: CallView, count: int) -> str:
    number = f" {call.number}" if count > 1 else ""
    purpose = PURPOSES.get(call.purpose, call.purpose)
    return f"Prompt and reply{number}" + (f" ({purpose})" if purpose else "")


def _prompt(call: CallView) -> list[dict[str, str]]:
    parts = [{"label": part["source"], "text": part["text"], "note": part["role"]} for part in call.parts]
    if call.constraint:
        parts.append({"label": "constraint", "text": call.constraint, "note": "what may be answered"})
    if call.tools:
        parts.append({"label": "tools", "text": ", ".join(call.tools), "note": "offered to the model"})
    return parts


def _reply(call: CallView) -> list[dict[str, str]]:
    if call.reply is None:
        return []
    said = call.reply
    note = f"{said.get('model') or ''} · {said['finish']} · constraint: {said['strength']}".strip(" ·")
    parts = [{"label": "reply", "text": said["text"] or "(no text)", "note": note}]
    if said.get("reasoning"):
        parts.append({"label": "reasoning", "text": said["reasoning"], "note": "not used"})
    return parts


def _tool(tool: ToolView) -> dict[str, Any]:
    arguments = tool.arguments if isinstance(tool.arguments, str) else json.dumps(tool.arguments, ensure_ascii=False)
    state = {True: "", False: "refused", None: "no result"}[tool.ok]
    note = " · ".join(filter(None, (tool.by, duration(tool.seconds) if tool.seconds is not None else state)))
    parts = [
        {"label": "arguments", "text": arguments, "note": ""},
        {"label": "result", "text": tool.text, "note": note},
    ]
    return {"title": f"Tool: {tool.name}" + (f" ({state})" if state else ""), "parts": parts}


def _pictures(tool: ToolView) -> dict[str, Any]:
    """What a tool took and made: pictures by name, size and hash, or what it said of one."""
    said = "" if tool.made else tool.text if len(tool.text) <= SAID else tool.text[: SAID - 1].rstrip() + "…"
    return {
        "tool": tool.name, "by": tool.by, "before": [*map(_picture, tool.took)], "after": [*map(_picture, tool.made)],
        "said": said,
    }  # fmt: skip


def _picture(ref: PictureRef) -> dict[str, str]:
    return {"name": ref.name, "size": ref.size, "sha256": ref.sha256}


def _memory(view: StepView) -> list[dict[str, Any]]:
    if not view.memory or not view.memory.get("considered"):
        return []
    memory = view.memory
    chosen = ", ".join(memory["chosen"]) or "none"
    text = f"{memory['strategy']}: {chosen} of {memory['considered']} observations. {memory.get('why') or ''}".strip()
    return [{"title": "Memory", "parts": [{"label": "chosen", "text": text, "note": ""}]}]
