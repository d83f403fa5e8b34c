"""Which of the 185 OpenAGI tasks run without the hub, and why the others do not: `docs/openagi-tasks.md`.

python -m autoflow.suites.openagi_page > docs/openagi-tasks.md
"""

from __future__ import annotations

import sys
from collections import Counter

from autoflow.metrics.plan import gold_plan
from autoflow.suites.openagi_run import OFFLINE
from autoflow.suites.openagi_tasks import OpenAGITask, openagi_tasks
from autoflow.tools.openagi.experts import ASKED, OpenAGIExperts
from autoflow.tools.openagi.hub_models import MODELS
from autoflow.tools.openagi.table import TOOLS

_HEAD = """# The 185 tasks of OpenAGI

Where the Hugging Face hub answers, every tool has a model, named in the table (Text to Image Generation needs the extra
`requirements-hub.txt`). Without it (the option `provider` of the suite `openagi` is `offline`, or AUTOFLOW_OFFLINE=1) a
task runs where every tool of its right plan has a part that packages ship: {alone} of the 185, and {asking} more where
a language model is chosen, which three of the tools then ask. The other {out} lack a tool.

This page is made by `make docs`.

## Tools

| tool | with the hub | without |
|---|---|---|
"""


def page() -> str:
    """The page, in Markdown."""
    tasks = openagi_tasks()
    states = Counter(_state(task) for task in tasks)
    head = _HEAD.format(alone=states["yes"], asking=states["with a language model"], out=states["no"])
    lacking = Counter(tool for task in tasks for tool in _lacking(task))
    rows = [f"| {tool} | {count} |" for tool, count in lacking.most_common()]
    reasons = [
        "\n## What is lacking",
        "",
        "Tasks whose right plan has the tool:\n",
        "| tool | tasks |",
        "|---|---:|",
        *rows,
    ]
    listed = [
        "\n## Tasks",
        "",
        "| task | objective | right plan | without the hub | lacking |",
        "|---:|---|---|---|---|",
    ]
    listed += [_row(task) for task in tasks]
    return head + "\n".join([*(_tool(tool.name) for tool in TOOLS), *reasons, *listed]) + "\n"


def _tool(name: str) -> str:
    model = MODELS[name]
    return f"| {name} | {model.repository} ({model.licence}) | {_part(name) or '–'} |"


def _part(tool: str) -> str:
    """What does its work without the hub; empty where nothing does."""
    return "the language model that is chosen" if tool in ASKED else OpenAGIExperts("offline").available(tool).part


def _lacking(task: OpenAGITask) -> tuple[str, ...]:
    """Tools of the right plan that nothing does without the hub, each once."""
    return tuple(dict.fromkeys(tool for tool in gold_plan(task.plan) if not _part(tool)))


def _state(task: OpenAGITask) -> str:
    if _lacking(task) or OFFLINE.of(task) is None:
        return "no"
    return "with a language model" if set(gold_plan(task.plan)) & set(ASKED) else "yes"


def _row(task: OpenAGITask) -> str:
    return (
        f"| {task.number} | {task.objective} | {', '.join(gold_plan(task.plan))} | {_state(task)} | "
        f"{', '.join(_lacking(task))} |"
    )


if __name__ == "__main__":
    sys.stdout.write(page())
