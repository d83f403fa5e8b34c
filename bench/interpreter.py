"""What the interpreter itself costs: CPU time a step with a model that answers at once, and calls and prompt tokens.

    python bench/interpreter.py        prints Markdown tables; exits 1 where a limit is broken

Limits: under 1 ms of CPU a step, also late in a long run; for `assets/workflows/openagi-manual.core`, 6 calls for its
6 visits and fewer than 2,100 prompt tokens (characters / 4) in all, which is what the released interpreter of the
paper takes 14 calls for; for long runs with tool calls those of `bench/scripted/trip.py`, with each memory that makes
no call of its own.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autoflow.interpret import Recorder, interpret
from autoflow.lang import parse_strict
from autoflow.lang.workflow import Branch, Step, Workflow
from autoflow.llm.base import Capabilities, Completion, Message, OnToken, Options, ToolCall, Usage
from autoflow.records import Event, MemoryStrategy, RunPolicy, Task
from autoflow.tools import Tool, Toolbox
from autoflow.tools.builtin import BUILTIN
from bench.scripted.trip import TRIPS, plan

VISITS = 2_000
LIMIT_MS = 1.0
MANUAL = Path(__file__).parents[1] / "assets" / "workflows" / "openagi-manual.core"
REFERENCE = (14, 2_100)  # calls, prompt tokens of the released interpreter on its manual workflow, measured
TOKEN_LIMIT = 2_100
ASKING = ("direct", "traverse")  # memories that ask the model what to show

OPENAGI_TOOLS = (
    "Image Classification", "Colorization", "Object Detection", "Image Super Resolution", "Image Captioning",
    "Image Deblurring", "Image Denoising", "Text to Image Generation", "Visual Question Answering",
    "Sentiment Analysis", "Question Answering", "Text Summarization", "Text Generation",
    "Machine Translation", "Fill Mask",
)  # fmt: skip
OBJECTIVE = "Given noisy blurry grayscale image, how to return the caption in German step by step?"
PLAN = "Image Denoising, Image Deblurring, Colorization, Image Captioning, Machine Translation"

LOOP = Workflow(
    (
        Step("Read", "process", "Read the next mail and say what it is about.", (Branch("next", "Sort"),)),
        Step("Sort", "process", "Say which of the folders it belongs to.", (Branch("next", "More"),)),
        Step("More", "decision", "Is there another mail?", (Branch("yes", "Read"), Branch("no", "End"))),
        Step("End", "terminal", "Say how many mails there were.", ()),
    )
)


class Scripted:
    """Answers at once: decisions with their first branch; calls a tool before each answer where `with_tool` is set."""

    name = "bench"

    def __init__(
        self, answers: Sequence[str] = ("A mail about an order, from Monday.",), *, with_tool: bool = False
    ) -> None:
        self._answers = answers
        self._with_tool = with_tool
        self._answered = 0
        self.called: list[float] = []  # process time at the beginning of each call

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(tools=True, schema="schema", images=False)

    async def complete(
        self, messages: Sequence[Message], options: Options, on_token: OnToken | None = None
    ) -> Completion:
        self.called.append(time.process_time())
        usage = Usage(len(messages[-1].content) // 4, 10, 0.0, 0.0)
        if self._with_tool and messages[-1].role == "user":
            arguments = f'{{"expression": "{len(self.called)} + 1"}}'
            return Completion("", (ToolCall("c", "calculator", arguments),), usage, finish="tool_calls")
        answer = self._answers[self._answered % len(self._answers)]
        self._answered += 1
        if "is a decision" in messages[-1].content or (self._with_tool and _decides(messages)):
            return Completion(f'{{"answer": "There is.", "branch": "{_first_branch(messages)}"}}', usage=usage)
        return Completion(answer, usage=usage)

    async def aclose(self) -> None:
        return


def _asked(messages: Sequence[Message]) -> str:
    return [m.content for m in messages if m.role == "user"][-1]


def _decides(messages: Sequence[Message]) -> bool:
    return "is a decision" in _asked(messages)


def _first_branch(messages: Sequence[Message]) -> str:
    return _asked(messages).rpartition("<one of ")[2].split('"')[1]


async def overhead(memory: str, tools: Sequence[Tool], visits: int = VISITS) -> tuple[float, float, int]:
    """Milliseconds of CPU a visit (over all, and over the last tenth), and model calls."""
    model = Scripted(with_tool=bool(tools))
    policy = RunPolicy.model_validate({"memory": memory, "max_steps": visits})
    began = time.process_time()
    result = await interpret(
        LOOP, Task(id="tk_bench", objective="Sort the mail."), model, Toolbox(tools), policy=policy
    )
    ended = time.process_time()
    assert result.stop == "max-steps", result
    calls = len(model.called)
    late = model.called[calls - calls // 10 :]
    return (ended - began) / visits * 1e3, (late[-1] - late[0]) / (visits / 10) * 1e3, calls


async def manual() -> tuple[int, int, int]:
    """Visits, calls and prompt tokens (characters / 4) of the manual workflow for OpenAGI."""
    workflow = parse_strict(MANUAL.read_text("utf-8"))
    model = Scripted(["An image.", "A text in German.", PLAN, PLAN])
    task = Task(id="tk_bench", objective=OBJECTIVE, listed_tools=OPENAGI_TOOLS)
    seen = Recorder()
    result = await interpret(workflow, task, model, Toolbox(), observer=seen)
    assert result.stop == "terminal", result
    characters = sum(len(part["text"]) for e in seen.events if e.kind == "prompt" for part in e.data["parts"])
    return _visits(seen.events), result.totals.calls, characters // 4


def _visits(events: Sequence[Event]) -> int:
    return sum(e.kind == "step_finished" for e in events)


def trips() -> bool:
    """Print what long runs take under each memory; whether a limit is broken."""
    print(f"\nLong runs with tool calls, at most {RunPolicy().memory_tokens:,} tokens of observations a prompt:\n")
    print(
        "| memory | visits | tool calls | characters a result | model calls | prompt tokens (characters / 4) | limits |"
    )
    print("|---|---:|---:|---:|---:|---:|---|")
    broken = False
    for trip in TRIPS:
        for memory in get_args(MemoryStrategy):
            cost = asyncio.run(plan(trip, RunPolicy(memory=memory)))
            limit = trip.limit if memory not in ASKING else None
            broken |= limit is not None and (cost.calls > limit[0] or cost.tokens > limit[1])
            figures = f"{cost.visits} | {cost.tool_calls} | {trip.result:,} | {cost.calls} | {cost.tokens:,}"
            print(f"| {memory} | {figures} | {'' if limit is None else f'{limit[0]}, {limit[1]:,}'} |")
    return broken


def main() -> int:
    print(f"CPU time of the interpreter a step, over {VISITS:,} visits of a loop (limit {LIMIT_MS:g} ms):\n")
    print("| memory | tool calls | model calls | ms a step | ms a step, last tenth |\n|---|---|---|---|---|")
    slow = False
    for memory, tools in (("none", ()), ("all", ()), ("none", BUILTIN[:1]), ("all", BUILTIN[:1])):
        mean, late, calls = asyncio.run(overhead(memory, tools))
        slow = slow or (not tools and max(mean, late) >= LIMIT_MS)
        print(f"| {memory} | {'one a step' if tools else 'none'} | {calls:,} | {mean:.3f} | {late:.3f} |")
    visits, calls, tokens = asyncio.run(manual())
    print(f"\n`{MANUAL.name}`, {len(OPENAGI_TOOLS)} tools listed as words:\n")
    print("| interpreter | visits | model calls | prompt tokens (characters / 4) |\n|---|---|---|---|")
    print(f"| this one | {visits} | {calls} | {tokens:,} |")
    print(f"| the paper's, released | 6 | {REFERENCE[0]} | {REFERENCE[1]:,} |")
    return int(trips() or slow or calls != visits or tokens >= TOKEN_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
