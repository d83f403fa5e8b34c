"""What the generator is asked: the task, its inputs and tools, in words that fit any model's context."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.lang.diagnostics import Diagnostic
from autoflow.llm.base import Message, ToolSpec
from autoflow.prompts import fill, load
from autoflow.records import TaskInput

OBJECTIVE_BYTES = 6_000  # about 1,500 tokens of English: leaves room for the answer in a context of 4,096
LIST_BYTES = 2_000  # for the inputs, and for the tools
DESCRIPTION_BYTES = 200  # of one tool
DIAGNOSTICS = 12  # shown to the model in a repair round
_ASCII = bytes(range(128))


def first_messages(
    objective: str, inputs: Sequence[TaskInput], tools: Sequence[ToolSpec], min_steps: int, max_steps: int
) -> list[Message]:
    """System and user message that ask for a workflow. What never changes comes first, for the prompt cache's sake.

    Raises SettingsError: a prompt file that a user replaced cannot be used.
    """
    asked = fill(
        load("generate", "task"),
        objective=shorten(objective.strip(), OBJECTIVE_BYTES) or "(none was given)",
        inputs=shorten("\n".join(map(_input_line, inputs)), LIST_BYTES) or "(none)",
        tools=shorten("\n".join(map(_tool_line, tools)), LIST_BYTES) or "(none)",
        min_steps=str(min_steps),
        max_steps=str(max_steps),
    )
    return [Message("system", fill(load("generate", "system"))), Message("user", asked)]


def repair_message(diagnostics: Sequence[Diagnostic], text: str, min_steps: int, max_steps: int) -> Message:
    """What the model is told when its workflow, as it was read into `text`, has errors."""
    errors = [d for d in diagnostics if d.severity == "error"]
    shown = "\n".join(_diagnostic_line(d, text.splitlines()) for d in errors[:DIAGNOSTICS])
    if len(errors) > DIAGNOSTICS:
        shown += f"\nand {len(errors) - DIAGNOSTICS} more of the same kinds"
    asked = fill(
        load("generate", "repair"), diagnostics=shown, min_steps=str(min_steps), max_steps=str(max_steps)
    )  # fmt: skip
    return Message("user", asked)


def shorten(text: str, limit: int) -> str:
    """`text`, or its beginning and end with a note between them where it takes more than `limit` bytes of UTF-8.

    Bytes outside ASCII count twice: a token holds about four bytes of English, and down to one of other scripts.
    """
    data = text.encode("utf-8", "replace")
    cost = len(data) + len(data.translate(None, _ASCII))
    if cost <= limit:
        return data.decode("utf-8")
    kept = limit * len(data) // cost
    head = data[: kept * 2 // 3].decode("utf-8", "ignore")
    tail = data[len(data) - kept // 3 :].decode("utf-8", "ignore")
    note = f"[... {len(text) - len(head) - len(tail):,} characters are left out here ...]"
    return f"{head}\n{note}\n{tail}"


def _input_line(item: TaskInput) -> str:
    return f"- {' '.join(item.name.split())} ({item.kind})"


def _tool_line(tool: ToolSpec) -> str:
    return f"- {tool.name}: {shorten(' '.join(tool.description.split()), DESCRIPTION_BYTES)}"


def _diagnostic_line(diagnostic: Diagnostic, lines: Sequence[str]) -> str:
    where = lines[diagnostic.line - 1].strip() if 0 < diagnostic.line <= len(lines) else ""
    quoted = f" In the line: {shorten(where, DESCRIPTION_BYTES)}" if where else ""
    hint = f"; {diagnostic.hint}" if diagnostic.hint else ""
    return f"- line {diagnostic.line}: {diagnostic.message}{hint}.{quoted}"
