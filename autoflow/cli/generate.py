"""`autoflow generate`: from an objective to CoRE text."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import output
from autoflow.cli.files import write_text
from autoflow.cli.options import Inputs, Json, Model, Seed, Tools
from autoflow.cli.trace import clip
from autoflow.errors import SettingsError

if TYPE_CHECKING:
    from autoflow.generate.generator import Draft

SEEDS_A_DRAFT = 1000  # repair rounds count on from a draft's seed
Objective = Annotated[str, typer.Argument(metavar="OBJECTIVE", help="What should get done, in plain words.")]


def register(app: typer.Typer) -> None:
    app.command()(generate)


def generate(
    objective: Objective,
    model: Model = None,
    input_: Inputs = [],  # noqa: B006  (typer reads it, nobody changes it)
    tool: Tools = [],  # noqa: B006
    drafts: Annotated[
        int, typer.Option("--drafts", "-n", min=1, max=20, help="How many; the best one is printed.")
    ] = 1,
    constrained: Annotated[
        bool | None,
        typer.Option("--constrained/--free", help="Hold the model to the grammar, or not. Default: where it can be."),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", min=2, max=40, help="At most so many steps.")] = 8,
    seed: Seed = 0,
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 0.4,
    out: Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the workflow here.")] = None,
    json_: Json = False,
) -> int:
    """Let a model write a workflow. Exit 1 where the best draft still has errors."""
    made = asyncio.run(_generate_all(objective, model, input_, tool, drafts, constrained, steps, seed, temperature))
    best = min(range(len(made)), key=lambda i: _rank(made[i]))
    text = made[best].text if made[best].has_steps else ""
    if out is not None and text:
        write_text(out, text)
    if json_:
        output.emit({"best": best, "drafts": [_draft_json(draft) for draft in made]})
    elif out is None:
        output.write(text)
    for number, draft in enumerate(made):
        output.note(_about(draft, number, number == best))
    return output.FINE if made[best].ok else output.FAILED


async def _generate_all(
    objective: str, model: str | None, inputs: list[str], tools: list[str], drafts: int, constrained: bool | None,
    max_steps: int, seed: int, temperature: float,
) -> list[Draft]:  # fmt: skip
    from autoflow.cli.inputs import kind_only, parse_inputs
    from autoflow.cli.llms import open_model
    from autoflow.generate import generator
    from autoflow.tools import open_toolbox

    if not objective.strip():
        raise SettingsError("The objective is empty.", "Say in a sentence what should get done.")
    named, least = parse_inputs(inputs, kind_only), min(3, max_steps)
    made: list[Draft] = []
    live = _Live()
    async with open_toolbox(tools) as toolbox, aclosing(open_model(model)) as llm:
        try:
            for first in range(seed, seed + drafts * SEEDS_A_DRAFT, SEEDS_A_DRAFT):
                live.begin(llm.name)
                draft = await generator.generate(
                    objective, named, toolbox.specs, llm, constrained=constrained, min_steps=least,
                    max_steps=max_steps, seed=first, temperature=temperature, on_token=live.hear, on_draft=live.keep,
                )  # fmt: skip
                made.append(draft)
        except asyncio.CancelledError:  # Ctrl-C: what was written by now is not lost
            made += live.stopped()
            if not made:
                raise
    return made


def _rank(draft: Draft) -> tuple[bool, int, int]:
    """Lower is better: errors count first, then warnings."""
    found = [d.severity for d in draft.diagnostics]
    return not draft.has_steps, found.count("error"), found.count("warning")


def _draft_json(draft: Draft) -> dict[str, Any]:
    from autoflow.lang import parse

    return {
        "text": draft.text,
        "ok": draft.ok,
        "steps": len(parse(draft.text).workflow.steps),
        "diagnostics": [d.to_json() for d in draft.diagnostics],
        "rounds": draft.rounds,
        "constrained": draft.constrained,
        "strength": draft.strength,
        "error": draft.error,
        "replies": list(draft.replies),
        "usage": draft.totals.model_dump(),
    }


def _about(draft: Draft, number: int, best: bool) -> str:
    errors = sum(d.severity == "error" for d in draft.diagnostics)
    state = output.paint("no errors", "good") if not errors else output.paint(output.plural(errors, "error"), "error")
    t = draft.totals
    how = "under the grammar" if draft.constrained else f"free, {output.plural(draft.rounds, 'repair round')}"
    told = [
        state,
        how,
        f"{output.plural(t.calls, 'call')}, {t.prompt_tokens}→{t.completion_tokens} tokens, {t.seconds:.1f} s",
    ]
    told += [f"stopped: {draft.error}"] if draft.error else []
    told += [] if draft.has_steps else [f"no workflow in the reply: {clip(draft.replies[0])}"]
    return f"draft {number + 1}{' (best)' if best else ''}: {'; '.join(told)}"


class _Live:
    """Shows text on standard error as it is decoded, where somebody watches, and keeps it."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._best: Draft | None = None

    def begin(self, name: str) -> None:
        self._best = None
        if sys.stderr.isatty():
            output.note(output.paint(f"{name} writes ...", "quiet"))

    def hear(self, piece: str) -> None:
        """A piece of the reply; an empty one: it begins anew, below what was shown."""
        fresh = piece or ("\n" if self._pieces else "")
        if piece:
            self._pieces.append(piece)
        else:
            self._pieces = []
        if sys.stderr.isatty():
            output.tell(output.paint(printable(fresh), "quiet"))

    def keep(self, draft: Draft) -> None:
        """A finished reply: a stop in a repair round goes back to it."""
        self._best = draft

    def stopped(self) -> list[Draft]:
        """The draft under way, as far as it came."""
        from autoflow.generate.generator import Draft, mend
        from autoflow.records import Totals

        if self._best is not None:
            return [self._best]
        text = "".join(self._pieces)
        read, said = mend(text), (text,)
        found = Draft(read.text, read.diagnostics, 0, Totals(cost_usd=None), said, False, "none", "It was stopped.")
        return [found] if found.has_steps else []


def printable(text: str) -> str:
    """Without control characters but line breaks: model text must not steer the terminal."""
    return "".join(c for c in text if c.isprintable() or c == "\n")
