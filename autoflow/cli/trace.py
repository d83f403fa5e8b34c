"""A run as lines of text, event by event, and as the JSON that `autoflow run` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from autoflow.cli.output import note, paint, plural

if TYPE_CHECKING:
    from autoflow.records import Event, Run
    from autoflow.store import SqlStore

SHOWN = 300  # characters of an answer or a tool's result in the trace; the whole is in the record
_STEP_FIELDS = ("step", "type", "answer", "branch", "tools", "calls", "prompt_tokens", "completion_tokens", "seconds")
_USAGE_FIELDS = ("calls", "cached", "prompt_tokens", "completion_tokens", "cost_usd", "seconds")
_MARKS = {"process": "●", "decision": "◆", "terminal": "■"}


class Trace:
    """Shows a run on standard error as it goes on: what is durable, and the visit under way, each event once.

    Events are numbered from 1 without holes, and those under way get the next numbers when they become durable.
    """

    def __init__(self, store: SqlStore, job_id: str) -> None:
        self._store = store
        self._job_id = job_id
        self._durable = 0  # number of the last durable event seen
        self._visit = -1  # the last visit that is durable
        self._shown = 0  # number of the last event shown

    def show(self) -> None:
        """Show what is new. Reads the store."""
        from autoflow.records import Event

        job = self._store.get_job(
            self._job_id
        )  # before the events: what is live may be durable by then, never the reverse
        for number, event in self._store.run_events(job.subject_id or "", self._durable):
            self._durable, self._visit = number, max(self._visit, event.visit)
            self._tell(number, event)
        for number, told in enumerate(job.live.get("events", ()), self._durable + 1):
            if told["visit"] > self._visit:
                self._tell(number, Event.model_validate(told))

    def _tell(self, number: int, event: Event) -> None:
        if number > self._shown:
            self._shown = number
            for line in trace_lines(event):
                note(line)


def run_json(run: Run, events: Iterable[Event]) -> dict[str, Any]:
    """The fixed shape of `autoflow run --json`. A `cost_usd` of null is an unknown price."""
    return {
        "run_id": run.id,
        "stop": run.stop,
        "answer": run.answer,
        "steps": [_step_json(e) for e in events if e.kind == "step_finished"],
        "usage": run.totals.model_dump(include=set(_USAGE_FIELDS)),
    }


def _step_json(event: Event) -> dict[str, Any]:
    return {"visit": event.visit, **{name: event.data.get(name) for name in _STEP_FIELDS}}


def trace_lines(event: Event) -> list[str]:
    """What the person who watches is told of an event; nothing of most kinds."""
    teller = _TELLERS.get(event.kind)
    return teller(event) if teller else []


def ending(run: Run) -> str:
    """How a run ended, in words."""
    from autoflow.records import STOP_WORDS

    if run.stop is None:
        return "The run has not ended."
    style = "good" if run.stop == "terminal" else "error"
    t = run.totals
    cost = "unknown price" if t.cost_usd is None else f"{t.cost_usd:.4f} $"
    cached = f" ({t.cached} from the cache)" if t.cached else ""
    took = (
        f"{plural(t.calls, 'call')}{cached}, {t.prompt_tokens}→{t.completion_tokens} tokens, {cost}, {t.seconds:.1f} s"
    )
    return f"{paint(STOP_WORDS[run.stop], style)} {run.error}".rstrip() + f"\n{paint(took, 'quiet')}"


def _entered(event: Event) -> list[str]:
    d = event.data
    head = f"{_MARKS.get(d['type'], '?')} {event.visit} {d['step']}"
    return [f"{paint(head, 'information')}  {paint(clip(d['instruction']), 'quiet')}"]


def _tool_called(event: Event) -> list[str]:
    return [f"    {event.data['name']}({clip(str(event.data['arguments']))})"]


def _tool_answered(event: Event) -> list[str]:
    d = event.data
    by = paint(f"  ({clip(d['by'])})", "quiet") if d.get("by") else ""
    return [f"    {'=' if d['ok'] else paint('failed:', 'warning')} {clip(d['text'])}{by}"]


def _branched(event: Event) -> list[str]:
    d = event.data
    if d["how"] == "only":
        return []
    chances = ", ".join(f"{key} {p:.2f}" for key, p in (d.get("probabilities") or {}).items())
    return [f"    → {d['key']}: {d['target']}" + (f"  ({chances})" if chances else "")]


def _warned(event: Event) -> list[str]:
    return [f"    {paint('warning:', 'warning')} {event.data['message']} {event.data.get('hint', '')}".rstrip()]


def _finished(event: Event) -> list[str]:
    d = event.data
    cost = f"{d['seconds']:.1f} s, {plural(d['calls'], 'call')}, {d['prompt_tokens']}→{d['completion_tokens']} tokens"
    return [f"    {clip(d['answer'])}", f"    {paint(cost, 'quiet')}"]


def clip(text: str) -> str:
    """One line of at most SHOWN characters, without control characters: model text must not steer the terminal."""
    line = "".join(c if c.isprintable() else " " for c in text[: 4 * SHOWN])
    line = " ".join(line.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


_TELLERS = {
    "step_entered": _entered,
    "tool_call": _tool_called,
    "tool_result": _tool_answered,
    "branch_taken": _branched,
    "warning": _warned,
    "step_finished": _finished,
}
