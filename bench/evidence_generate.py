"""Evidence that real models write workflows that are free of errors and run to their end.

For each model, free and constrained, the ten tasks of `generate_tasks.json` are written; then the default model's
constrained workflows are run. Every finished unit is a line of `docs/evidence/generate.jsonl`; the same command goes on
where it was stopped, and begins anew where prompts or grammar have changed. `docs/evidence/generate.md` is the report.

    python bench/evidence_generate.py [--model NAME] [--mode free|constrained|run] [--task SLUG] [--report]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ.setdefault("AUTOFLOW_SERVER_DIR", str(ROOT / ".cache" / "server"))
os.environ["AUTOFLOW_HOME"] = str(ROOT / ".cache" / "evidence")  # the shipped prompts, whatever the user's own are
sys.path.insert(0, str(ROOT))

from autoflow import __version__  # noqa: E402
from autoflow.errors import AutoFlowError  # noqa: E402
from autoflow.generate.generator import generate, mend  # noqa: E402
from autoflow.interpret.interpreter import interpret  # noqa: E402
from autoflow.interpret.observer import Recorder  # noqa: E402
from autoflow.lang import parse, parse_strict  # noqa: E402
from autoflow.lang.extract import extract  # noqa: E402
from autoflow.lang.grammar import core_grammar  # noqa: E402
from autoflow.llm.base import LLM  # noqa: E402
from autoflow.llm.download import get_model  # noqa: E402
from autoflow.llm.registry import open_llm  # noqa: E402
from autoflow.prompts import list_prompts  # noqa: E402
from autoflow.records import STOP_WORDS, RunPolicy, Task, TaskInput  # noqa: E402
from autoflow.tools import open_toolbox  # noqa: E402

FOLDER = ROOT / "docs" / "evidence"
TASKS: list[dict[str, Any]] = json.loads((ROOT / "bench" / "generate_tasks.json").read_text("utf-8"))
MODELS = ("qwen2.5-coder-1.5b", "smollm2-135m")  # the first is run as well
MODES = ("constrained", "free")
SEED, TEMPERATURE, STEPS = 0, 0.4, (4, 6)
ANSWER_TOKENS = 512  # of a free reply, so that a model that repeats itself does not take minutes
POLICY = RunPolicy(max_steps=30, answer_tokens=128, seed=SEED)
Line = dict[str, Any]


def mark(mode: str) -> str:
    """What the results depend on besides the models: prompts, grammar, settings. Other marks are other experiments."""
    areas = ("generate", "interpret") if mode == "run" else ("generate",)
    parts = [f"{p.area}/{p.name}\n{p.text}" for p in list_prompts() if p.area in areas]
    parts += [core_grammar(*STEPS).gbnf, f"{SEED} {TEMPERATURE} {STEPS} {ANSWER_TOKENS}", json.dumps(TASKS)]
    parts += [POLICY.model_dump_json()] if mode == "run" else []
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def units(arguments: argparse.Namespace) -> list[tuple[str, str, str]]:
    """(mode, model, task), cheap and telling ones first; `run` comes behind what it runs."""
    every = [(mode, model, t["slug"]) for model in reversed(MODELS) for mode in MODES for t in TASKS]
    every += [("run", MODELS[0], t["slug"]) for t in TASKS]
    wanted = (arguments.mode, arguments.model, arguments.task)
    return [u for u in every if all(w in (None, part) for w, part in zip(wanted, u, strict=True))]


class Log:
    """The finished units of this experiment."""

    def __init__(self) -> None:
        self.path = FOLDER / "generate.jsonl"
        self.marks = {mode: mark(mode) for mode in (*MODES, "run")}
        lines = self.path.read_text("utf-8").splitlines() if self.path.exists() else []
        self.lines: list[Line] = [line for line in map(json.loads, lines) if line["mark"] == self.marks[line["mode"]]]

    def find(self, mode: str, model: str, task: str) -> Line | None:
        key = (mode, model, task)
        return next((line for line in self.lines if (line["mode"], line["model"], line["task"]) == key), None)

    def add(self, mode: str, model: str, task: str, found: Line) -> None:
        when = time.strftime("%Y-%m-%d", time.gmtime())
        line = {"mark": self.marks[mode], "mode": mode, "model": model, "task": task, "date": when, **found}
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


async def write(llm: LLM, task: Line, constrained: bool) -> Line:
    """Let the model write a workflow, and count its errors at each stage."""
    began = time.monotonic()
    draft = await generate(
        task["objective"], inputs(task), [], llm, constrained=constrained, min_steps=STEPS[0], max_steps=STEPS[1],
        seed=SEED, temperature=TEMPERATURE, answer_tokens=None if constrained else ANSWER_TOKENS,
    )  # fmt: skip
    first = extract(draft.replies[0])
    return {
        "first_errors": len(first.errors),
        "first_slugs": sorted({d.slug for d in first.errors}),
        "mended_errors": len(mend(draft.replies[0]).errors),
        "errors": sum(d.severity == "error" for d in draft.diagnostics),
        "rounds": draft.rounds,
        "strength": draft.strength,
        "steps": len(parse(draft.text).workflow.steps),
        "seconds": round(time.monotonic() - began, 1),
        "completion_tokens": draft.totals.completion_tokens,
        "text": draft.text,
        "replies": list(draft.replies),
    }


async def run(llm: LLM, task: Line, text: str) -> Line:
    """Run a workflow that was written before."""
    began, recorder = time.monotonic(), Recorder()
    given = Task(id="tk_000000000000", objective=task["objective"], inputs=tuple(inputs(task)))
    async with open_toolbox([]) as toolbox:
        result = await interpret(parse_strict(text), given, llm, toolbox, policy=POLICY, observer=recorder)
    visits = [e.data for e in recorder.events if e.kind == "step_finished"]
    return {
        "stop": result.stop,
        "error": result.error,
        "answer": result.answer,
        "path": [[v["step"], v["branch"]] for v in visits],
        "calls": result.totals.calls,
        "prompt_tokens": result.totals.prompt_tokens,
        "completion_tokens": result.totals.completion_tokens,
        "seconds": round(time.monotonic() - began, 1),
    }


def inputs(task: Line) -> list[TaskInput]:
    return [TaskInput(name=name, text=text) for name, text in task["inputs"].items()]


async def work(log: Log, wanted: list[tuple[str, str, str]]) -> None:
    """Do what is missing, one after the other."""
    tasks = {task["slug"]: task for task in TASKS}
    llms: dict[str, LLM] = {}
    for mode, model, slug in wanted:
        if log.find(mode, model, slug):
            continue
        if model not in llms:
            await get_model(model)
            llms[model] = open_llm(f"embedded:{model}", cache=False)
        found = await unit(log, llms[model], mode, model, tasks[slug])
        if found is not None:
            log.add(mode, model, slug, found)
            told = {k: v for k, v in found.items() if k in ("errors", "first_errors", "steps", "stop", "seconds")}
            print(f"{mode:12}{model:20}{slug:18}{told}", flush=True)
    for llm in llms.values():
        await llm.aclose()


async def unit(log: Log, llm: LLM, mode: str, model: str, task: Line) -> Line | None:
    if mode != "run":
        return await write(llm, task, mode == "constrained")
    written = log.find("constrained", model, task["slug"])
    if written is None or written["errors"]:
        return None  # nothing that could be run; the report says so
    return await run(llm, task, written["text"])


def report(log: Log) -> str:
    """The report, from the lines alone."""
    dates = sorted({line["date"] for line in log.lines})
    packages = ", ".join(f"{name} {version(name)}" for name in ("xllamacpp", "pydantic"))
    return "\n".join([
        "# Generating workflows with real models",
        "",
        "Made by `python bench/evidence_generate.py` (part of `make evidence`) from the lines of `generate.jsonl`.",
        "",
        f"- date: {' and '.join(dates) or 'not yet'}",
        f"- marks of the experiment: {', '.join(f'{mode} `{found}`' for mode, found in log.marks.items())}",
        f"- seed {SEED}, temperature {TEMPERATURE}, {STEPS[0]} to {STEPS[1]} steps",
        f"- at most {ANSWER_TOKENS} tokens a free reply; constrained ones end by themselves",
        f"- AutoFlow {__version__}, Python {platform.python_version()}, {packages}, {os.cpu_count()} CPU cores",
        "- ten tasks: " + ", ".join(task["slug"] for task in TASKS),
        "",
        "## Free of errors",
        "",
        "*First reply*: what the model wrote, read by `extract` and nothing else. *Fixed*: with the fixes that are",
        "certain. *Repaired*: after at most two rounds in which the model was shown its errors.",
        "",
        "| model | mode | first reply | fixed | repaired | steps | seconds a workflow | errors of the first reply |",
        "|---|---|---:|---:|---:|---:|---:|---|",
        *(_row(log, model, mode) for model in MODELS for mode in MODES),
        "",
        "## Run",
        "",
        *_runs(log),
        "",
    ])  # fmt: skip


def _row(log: Log, model: str, mode: str) -> str:
    lines = [line for line in log.lines if (line["model"], line["mode"]) == (model, mode)]
    if not lines:
        return f"| {model} | {mode} | not measured yet |||||| "
    counts = [
        f"{sum(not line[key] for line in lines)} of {len(lines)}" for key in ("first_errors", "mended_errors", "errors")
    ]
    slugs = Counter(slug for line in lines for slug in line["first_slugs"])
    steps = sum(line["steps"] for line in lines) / len(lines)
    seconds = sum(line["seconds"] for line in lines) / len(lines)
    told = ", ".join(f"{slug} ({n})" for slug, n in slugs.most_common()) or "none"
    return f"| {model} | {mode} | {' | '.join(counts)} | {steps:.1f} | {seconds:.0f} | {told} |"


def _runs(log: Log) -> list[str]:
    lines = [line for line in log.lines if line["mode"] == "run"]
    done = sum(line["stop"] == "terminal" for line in lines)
    told = [
        f"The constrained workflows of {MODELS[0]}, run by the same model with `max_steps` {POLICY.max_steps} and at "
        f"most {POLICY.answer_tokens} tokens an answer: {done} of {len(lines)} reached a terminal."
        if lines
        else "Not measured yet.",
        "",
        "| task | end | visits | calls | tokens | seconds | why |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for line in lines:
        tokens = f"{line['prompt_tokens']:,} + {line['completion_tokens']:,}"
        why = "" if line["stop"] == "terminal" else f"{STOP_WORDS[line['stop']]} {_loop(line)}".strip()
        told.append(
            f"| {line['task']} | {line['stop']} | {len(line['path'])} | {line['calls']} | {tokens} | "
            f"{line['seconds']:.0f} | {why} |"
        )
    return told


def _loop(line: Line) -> str:
    """Which decisions a run that did not end kept taking."""
    taken = Counter(f"{step}, {branch}" for step, branch in line["path"] if branch and branch != "next")
    return "; ".join(f"{way}: {n} times" for way, n in taken.most_common(3))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS)
    parser.add_argument("--mode", choices=[*MODES, "run"])
    parser.add_argument("--task", choices=[task["slug"] for task in TASKS])
    parser.add_argument("--report", action="store_true", help="only write the report")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    log = Log()
    try:
        if not arguments.report:
            asyncio.run(work(log, units(arguments)))
    except AutoFlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        (FOLDER / "generate.md").write_text(report(log), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
