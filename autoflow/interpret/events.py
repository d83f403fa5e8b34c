"""The kinds of events a run is made of, in one place: what is stored, watched live, replayed and compared.

kind            data
run_started     {"objective", "model", "policy", "workflow_sha256"}
step_entered    {"step", "type", "instruction"}
memory_choice   {"strategy", "considered", "chosen": [observation ids], "calls", "why"}
                `strategy` says what was done in the end: `all` turns into `embedding` or `lexical` over its limit
prompt          {"call", "parts": [{"source", "role", "text"}], "tools": [names], "constraint": str | None}
                `source` says where a part came from: role, tools, objective, input, memory, progress, observations,
                step, retry, and reply, result for what the model and tools said before in the same visit
reply           {"call", "text", "tool_calls": [{"id", "name", "arguments"}], "finish", "strength", "model",
                 "prompt_tokens", "completion_tokens", "seconds", "cost_usd", "cached", "attempts", "purpose",
                 "reasoning"}
                `purpose`: step, memory, retry. `finish`: stop, length, tool_calls; cut for a call that was broken off
                (what had arrived is kept; it does not count as a call)
tool_call       {"call", "id", "name", "arguments": object | text}
tool_result     {"id", "name", "ok", "text", "seconds", "observation": {"id", "description"} | None}
                and where there is something to say: "by" (what did the work), "took" and "made" (pictures: [{"name",
                "sha256", "width", "height"}], their files in the store), "totals" (of its own calls to a model)
branch_taken    {"key", "target", "how": "grammar" | "schema" | "read" | "default" | "only",
                 "probabilities": {key: p} | None}
warning         {"message", "hint"}
step_finished   {"step", "type", "answer", "branch": key | None, "next": name | None, "calls", "prompt_tokens",
                 "completion_tokens", "cost_usd", "seconds", "tools": [names]}
                tokens are None where an endpoint did not say those of one of the calls
run_finished    {"stop", "answer", "error", "hint", "totals"}

Live only, never stored: `token` {"call", "text"} (text "" marks a new attempt).

`call` counts the model calls of a visit from 1. One visit is the events from its `step_entered` to its
`step_finished`; a run is durable in whole visits, so a resumed run never holds half a step. A stopped run keeps the
events of its unfinished visit before `run_finished`.
"""

from __future__ import annotations

from typing import Any, Literal

from autoflow.records import Event

Kind = Literal[
    "run_started", "step_entered", "memory_choice", "prompt", "reply", "tool_call", "tool_result", "branch_taken",
    "warning", "step_finished", "run_finished", "token",
]  # fmt: skip


def event(kind: Kind, visit: int, at: float, **data: Any) -> Event:
    """Make an event; `data` as the table above says."""
    return Event(kind=kind, visit=visit, at=at, data=data)
