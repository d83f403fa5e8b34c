"""One visit to one step: ask, call the tools that are asked for, read the answer, take the branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autoflow.interpret.branches import read_branch, without_choice
from autoflow.interpret.conversation import Conversation
from autoflow.interpret.memory import Embedder, recall
from autoflow.interpret.replies import visible
from autoflow.interpret.run import Run, Stop
from autoflow.interpret.state import totals_of_tool
from autoflow.lang.marks import read_marks
from autoflow.lang.workflow import Branch, Step, fold
from autoflow.llm.base import Choice, Completion, Constraint, JsonSchema
from autoflow.records import Event, Json


async def carry_out(run: Run, step: Step, embedder: Callable[[], Embedder]) -> None:
    """One visit, in the record from `step_entered` to `step_finished`. Raises Stop."""
    began, first = run.clock(), len(run.pending)
    run.emit("step_entered", step=step.name, type=step.type, instruction=step.instruction)
    shown = read_marks(step.instruction)[1].shows("observations")
    talk = Conversation(run, step, await recall(run, step, embedder) if shown else ())
    branch: Branch | None = None
    if step.type == "decision":
        answer, branch = await _decide(run, talk)
    else:
        answer = await _produce(run, talk)
        if not step.is_terminal:
            branch = step.branches[0]
            _take(run, branch, "only")
    _finish(run, step, answer, branch, first, run.clock() - began)


async def _produce(run: Run, talk: Conversation) -> str:
    """The result of a process or a terminal. An empty reply is asked for once more, then kept with a warning."""
    answer = talk.answer_in(await talk.hold())
    if not answer:
        answer = talk.answer_in(await talk.again(run.fill("retry-empty")))
    if not answer:
        run.warn(f"The model gave an empty reply at `{talk.step.name}`, twice.", "The run goes on without an answer.")
    return answer


async def _decide(run: Run, talk: Conversation) -> tuple[str, Branch]:
    """The reason and the branch of a decision, from one call; from two where the first names no branch."""
    step = talk.step
    keys = [branch.key for branch in step.branches]
    constraint: Constraint | None = JsonSchema(_schema(keys), "decision") if talk.as_json else None
    if talk.by_choice:
        constraint = Choice(tuple(keys))
    first = await talk.hold(constraint)
    text = visible(first.text)
    key, how = read_branch(text, keys), _how(first)
    answer = talk.answer_in(first)
    if key is None:
        complaint = run.fill("retry-branch", choices=talk.choices)
        second = await talk.again(complaint, Choice(tuple(keys)), said=first.text)
        key, how = read_branch(visible(second.text), keys), _how(second)
    if key is None:
        key, how = _default(run, step, keys), "default"
    branch = next(b for b in step.branches if b.key == key)
    _take(run, branch, how)
    return without_choice(answer, key) or key, branch


def _how(reply: Completion) -> str:
    """How surely the reply is one of the choices."""
    return reply.strength if reply.strength in ("grammar", "schema") else "read"


def _default(run: Run, step: Step, keys: list[str]) -> str:
    """The branch that the policy names for this case. Raises Stop: it names none of these."""
    wanted = fold(run.policy.default_branch or "")
    found = next((key for key in keys if fold(key) == wanted), None)
    if found is None:
        names = ", ".join(f"`{key}`" for key in keys)
        raise Stop(
            "undecided",
            f"The decision `{step.name}` could not be read: two replies named none of {names}, or several.",
            "Word the instruction as a question that these keys answer, or name a default branch in the policy.",
        )
    run.warn(f"The decision `{step.name}` could not be read; the default branch `{found}` was taken.")
    return found


def _schema(keys: list[str]) -> dict[str, object]:
    """Reason first, then the branch: what is decoded first is what the choice can build on."""
    return {
        "type": "object",
        "properties": {"answer": {"type": "string"}, "branch": {"type": "string", "enum": keys}},
        "required": ["answer", "branch"],
        "additionalProperties": False,
    }


def _take(run: Run, branch: Branch, how: str) -> None:
    target = run.workflow.find(branch.target)
    run.emit("branch_taken", key=branch.key, target=target.name if target else branch.target, how=how,
             probabilities=None)  # fmt: skip


def _finish(run: Run, step: Step, answer: str, branch: Branch | None, first: int, seconds: float) -> None:
    target = run.workflow.find(branch.target) if branch else None
    run.emit(
        "step_finished", step=step.name, type=step.type, answer=answer, branch=branch.key if branch else None,
        next=target.name if target else None, seconds=seconds, **usage(run.pending[first:]),
    )  # fmt: skip


def usage(events: Sequence[Event]) -> Json:
    """What the replies and tool calls among these events took: the sums that `step_finished` holds."""
    replies = [e.data for e in events if e.kind == "reply" and e.data["finish"] != "cut"]
    costs = [0.0 if r["cached"] else r["cost_usd"] for r in replies]
    tools = [totals_of_tool(e.data) for e in events if e.kind == "tool_result"]
    costs += [took.cost_usd for took in tools]
    unknown = [None for took in tools if took.unknown_tokens]
    return {
        "calls": len(replies) + sum(took.calls for took in tools),
        "prompt_tokens": _sum([*(r["prompt_tokens"] for r in replies), *unknown, *(t.prompt_tokens for t in tools)]),
        "completion_tokens": _sum(
            [*(r["completion_tokens"] for r in replies), *unknown, *(t.completion_tokens for t in tools)]
        ),
        "cost_usd": None if None in costs else sum(costs),
        "tools": [e.data["name"] for e in events if e.kind == "tool_call"],
    }


def _sum(numbers: list[int | None]) -> int | None:
    return None if None in numbers else sum(n for n in numbers if n is not None)
