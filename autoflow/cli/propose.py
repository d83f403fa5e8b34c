"""`autoflow suites propose`: from a task alone, a model proposes examples or a rubric, for a person to correct."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoflow.cli import output
from autoflow.cli.files import write_text
from autoflow.cli.options import Json, Model, Seed

if TYPE_CHECKING:
    from autoflow.generate.examples import Example, Proposal, Rubric


def propose(
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="What should get done.")],
    input_: Annotated[
        list[str], typer.Option("--input", metavar="NAME", help="What differs from task to task.", show_default="input")
    ] = [],  # noqa: B006  (typer reads it, nobody changes it)
    count: Annotated[int, typer.Option(min=1, max=100, help="Examples.")] = 10,
    rubric: Annotated[bool, typer.Option("--rubric", help="A rubric for a judge instead.")] = False,
    model: Model = None,
    seed: Seed = 0,
    out: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")] = "",
    json_: Json = False,
) -> int:
    """Have a model propose examples of a task, as JSON lines to correct and to add with `autoflow suites add`.

    Each bears the mark `"origin": "model"`, which stays with it. Exit 1 where nothing was proposed.
    """  # fmt: skip
    if rubric:
        found = asyncio.run(_rubric(task, model, seed))
        _give(found.text + "\n", out, {"rubric": found.text, "usage": found.totals.model_dump()}, json_)
        return output.FINE
    proposal = asyncio.run(_examples(task, model, count, input_ or ["input"], seed))
    rows = [_row(task, example) for example in proposal.examples]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    told = {"examples": rows, "errors": list(proposal.errors), "usage": proposal.totals.model_dump()}
    _give(text, out, told, json_)
    for sentence in proposal.errors:
        output.note(sentence)
    return output.FINE if rows else output.FAILED


def _row(task: str, example: Example) -> dict[str, str]:
    """Columns by which `autoflow suites add` knows what is what."""
    return {"objective": task, **example.inputs, "expected": example.expected, "origin": example.origin}


def _give(text: str, out: str, told: dict[str, Any], json_: bool) -> None:
    if out:
        write_text(out, text)
    if json_:
        output.emit(told)
    elif out:
        output.note(f"{out} was written. Correct it, then: autoflow suites add {out}")
    else:
        output.write(text)


async def _examples(task: str, model: str | None, count: int, inputs: list[str], seed: int) -> Proposal:
    from autoflow.cli.llms import open_model
    from autoflow.generate.examples import propose_examples

    done = 0

    def show(example: Example) -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            output.retell(f"{done} of {count} examples")

    async with aclosing(open_model(model)) as llm:
        return await propose_examples(task, llm, count, inputs=inputs, seed=seed, on_progress=show)


async def _rubric(task: str, model: str | None, seed: int) -> Rubric:
    from autoflow.cli.llms import open_model
    from autoflow.generate.examples import propose_rubric

    async with aclosing(open_model(model)) as llm:
        return await propose_rubric(task, llm, seed=seed)
