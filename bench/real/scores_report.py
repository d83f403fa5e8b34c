"""The report on trainings that are studies, from the lines that they left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.real.curves import curves
from bench.real.scores_file import ScoresFile

Lines = list[dict[str, Any]]
EVERY = 5  # steps of a row of the table
SMOOTH = 5  # steps of a curve's running mean
SHOWN = 3  # texts
NAMED = {"manual": "manual workflow", "plain": "plain prompt", "best": "workflow that earned most on validation"}
SHARES = {"sound": "no errors", "counts": "counts", "runs": "usable answers"}


def write_report(file: Path, names: Sequence[str], report: Path, image: Path, attempts: str) -> None:
    """Raises ValueError: none of the trainings has begun."""
    told = {name: ScoresFile(file, name).lines() for name in names}
    runs = {name: lines for name, lines in told.items() if any("step" in line for line in lines)}
    if not runs:
        raise ValueError(f"{file} holds no training yet")
    drawn = {f"{label}, {name}": _smooth(_steps(lines), key) for name, lines in runs.items()
             for key, label in (("counts", "counts"), ("runs", "answers"))}  # fmt: skip
    title = f"Share of samples that count, and of runs with a usable answer; mean of {SMOOTH} steps"
    image.write_text(curves(drawn, title=title, across="training step", of_a_colour=2), "utf-8")
    report.write_text("\n".join([*_report(runs, image), attempts]), "utf-8")


def _steps(lines: Lines) -> Lines:
    return [line for line in lines if "step" in line]


def _report(runs: dict[str, Lines], image: Path) -> Iterator[str]:
    begun = [next(line for line in lines if "begun" in line) for lines in runs.values()]
    spec = begun[0]["spec"]
    options, suite, policy = spec["options"], spec["suite"], spec["policy"]
    yield "# From syntax to score: a training whose reward is the plan score\n"
    yield (
        f"Made by `python bench/evidence_lora_scores.py --seed N` from the lines of `lora-scores.jsonl`. Begun on "
        f"{', '.join(sorted({b['begun'] for b in begun}))}; `{spec['generator']}` trained on the CPU, one thread a "
        f"training, `{spec['interpreter']}` carries out; "
        f"{', '.join(f'{name} {version}' for name, version in begun[0]['versions'].items())}.\n"
    )
    yield (
        "Samples are drawn freely from a prompt that shows the manual workflow as its example, and graded as they were "
        "drawn: -1 to -0.5 with errors, -0.25 for a copy of the example, and else what the runs on the train tasks "
        "earned: the plan "
        f"score, and {spec['reward']['valid']:g} for a run that comes to a usable answer. A run that does not end "
        f"within {policy['max_steps']} steps earns 0. Suite `{suite['name']}`, {suite['train']} train, {suite['val']} "
        f"validation, {suite['test']} test tasks, another split for each seed; {options['group']} samples a step, "
        f"answers of at most {policy['answer_tokens']} tokens.\n"
    )
    if spec["baseline"]:
        yield f"The manual workflow:\n\n```\n{spec['baseline'].strip()}\n```\n"
    yield f"![Shares of samples](../images/{image.name})\n"
    yield from _together(runs)
    for name, lines in runs.items():
        yield from _training(name, lines)


def _together(runs: dict[str, Lines]) -> Iterator[str]:
    """A line a training: its first and last steps, and the sealed test."""
    yield f"First and last {EVERY} steps of each, and mean plan scores of samples on the sealed test:\n"
    yield "| training | steps | counts | usable answers | reward | base | trained | trained - base |"
    yield "|---|---:|---|---|---|---:|---:|---:|"
    gained = []
    for name, lines in runs.items():
        steps, end = _steps(lines), next((line for line in lines if "stop" in line), {})
        cells = [_risen(steps, lambda step, key=key: step[key]) for key in ("counts", "runs")]
        cells += [_risen(steps, lambda step: step["figures"]["reward_mean"])]
        if found := end.get("gain"):
            gained.append(found["difference"]["mean"])
            cells += [f"{found[key]['mean']:.3f}" for key in ("base", "trained")] + [_interval(found["difference"])]
        else:
            cells += ["", "", ""]
        yield f"| {_title(name)} | {len(steps)} | {' | '.join(cells)} |"
    if len(gained) > 1:
        span = f"from {min(gained):+.3f} to {max(gained):+.3f}"
        yield f"\nMean of the {len(gained)} differences: {fmean(gained):+.3f}, {span}."
    yield ""


def _risen(steps: Lines, figure: Callable[[dict[str, Any]], float]) -> str:
    return " to ".join(_mean([figure(step) for step in part]) for part in (steps[:EVERY], steps[-EVERY:]))


def _title(name: str) -> str:
    return name.capitalize().replace("-", " ")


def _training(name: str, lines: Lines) -> Iterator[str]:
    steps = _steps(lines)
    yield f"## {_title(name)}\n"
    yield f"| steps | {' | '.join(SHARES.values())} | score of those that ran | reward | distinct | KL | entropy |"
    yield "|---|" + "---:|" * (len(SHARES) + 5)
    for start in range(0, len(steps), EVERY):
        part = steps[start : start + EVERY]
        cells = [_mean([line[key] for line in part]) for key in (*SHARES, "score")]
        cells += [_mean([line["figures"][key] for line in part], 3 if key == "kl" else 2) for key in ("reward_mean",)]
        cells += [f"{fmean(line['distinct_that_count'] for line in part):.1f}"]
        cells += [_mean([line["figures"][key] for line in part], 3) for key in ("kl", "entropy")]
        yield f"| {start + 1} to {start + len(part)} | {' | '.join(cells)} |"
    yield (
        "\nShares are of all samples of a step; usable answers: of all the runs that they could have had, those that "
        "came to one; distinct: different texts that count. KL (from the base model) and "
        f"entropy are nats a token. A step took {fmean(s['figures']['seconds'] for s in steps):.0f} s on average, "
        f"{fmean(s['figures']['reward_s'] for s in steps):.0f} of them for runs.\n"
    )
    end = next((line for line in lines if "stop" in line), None)
    yield from _ended(end) if end else ["It has not ended yet.\n"]
    yield from _texts(steps)


def _ended(end: dict[str, Any]) -> Iterator[str]:
    took = f"{end['minutes']:.0f} minutes and {end['rounds']} steps"
    yield f"Ended by `{end['stop']}` after {took}. On the sealed test, with 95 % intervals (over samples, or tasks):\n"
    yield "| what | without errors | plan score |"
    yield "|---|---:|---:|"
    for name, one in end["scores"].items():
        if one["test"]:
            yield f"| {NAMED[name]}, candidate {one['candidate']} | | {_interval(one['test'])} |"
    if found := end["gain"]:
        count = found["samples"]
        yield f"| base model, {count} samples | {found['base_runnable']:.2f} | {_interval(found['base'])} |"
        yield f"| trained model, {count} samples | {found['trained_runnable']:.2f} | {_interval(found['trained'])} |"
        p = "" if found["p"] is None else f", p = {found['p']:.2g}"
        yield f"\nTrained - base: {_interval(found['difference'])}{p}.\n"
    else:
        yield "\nNo adapter earned more than the base model.\n"
    yield f"The workflow that earned most on validation:\n\n```\n{end['best'].strip()}\n```\n"


def _texts(steps: Lines) -> Iterator[str]:
    kept = [line for line in steps if line["texts"]]
    for line in kept[:1] + kept[1:][-1:]:
        yield f"Step {line['step']}, the first {SHOWN} samples:\n"
        for sample in line["texts"][:SHOWN]:
            yield f"```\n{sample['text'].strip()}\n```\n{_became(sample)}\n"


def _became(sample: dict[str, Any]) -> str:
    if sample["error"] or sample["copied"]:
        return str(sample["error"] or "a copy")
    ran = (
        ""
        if sample["score"] is None
        else f", score {sample['score']:.2f}, {sample['reached']:.0%} of its runs came to a usable answer"
    )
    return f"counts{ran}, reward {sample['reward']:.2f}"


def _mean(values: list[float | None], digits: int = 2) -> str:
    found = [value for value in values if value is not None]
    return f"{fmean(found):.{digits}f}" if found else ""


def _interval(found: dict[str, float]) -> str:
    return f"{found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _smooth(steps: Lines, key: str) -> list[tuple[float, float]]:
    shares = [line[key] or 0.0 for line in steps]
    return [
        (float(line["step"]), fmean(shares[max(0, place - SMOOTH + 1) : place + 1])) for place, line in enumerate(steps)
    ]
