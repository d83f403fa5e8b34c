"""Evidence that a search finds a workflow that beats the manual one: a real 1.5B model generates and interprets.

Suite `openagi-plan`, 8 train, 12 validation and 24 test tasks, of the split seed that is named. A study is kept in
`docs/evidence/study-NAME.jsonl`, run by run: the same command goes on where it was stopped. The test set is opened
once, when the search has ended; manual workflow and plain prompt are measured on it in the same way. The report is
`docs/evidence/study.md`; `--record` also writes the recording that `make demo` opens.

    python bench/evidence_study.py [NAME] [--minutes 85] [--report] [--record]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ.setdefault("AUTOFLOW_SERVER_DIR", str(ROOT / ".cache" / "server"))
os.environ["AUTOFLOW_HOME"] = str(ROOT / ".cache" / "evidence")  # the shipped prompts, whatever the user's own are
sys.path.insert(0, str(ROOT))

from autoflow.errors import ModelError  # noqa: E402
from autoflow.llm.download import get_model  # noqa: E402
from autoflow.llm.registry import open_llm  # noqa: E402
from autoflow.metrics.plan import score_plan  # noqa: E402
from autoflow.optimize.view import StudyView  # noqa: E402
from autoflow.records import RunPolicy  # noqa: E402
from autoflow.report.recording import save_recording  # noqa: E402
from autoflow.statistics import bootstrap, compare  # noqa: E402
from autoflow.store import open_store  # noqa: E402
from autoflow.study import Candidate, StudyBatch, StudyBudget, StudySpec, SuiteSpec  # noqa: E402
from autoflow.suites.registry import open_suite  # noqa: E402
from bench.real.study_file import StudyFile, carry_on  # noqa: E402

FOLDER = ROOT / "docs" / "evidence"
RECORDING = ROOT / "assets" / "recordings" / "study-openagi-plan.json.gz"
MODEL = "qwen2.5-coder-1.5b"
RECORDED = "attempt-3"  # the study that the recording holds
CONSTANT = ("Image Super Resolution", "Image Denoising", "Image Deblurring", "Colorization")


BIG, SMALL = SuiteSpec(name="openagi-plan"), SuiteSpec(name="openagi-plan", seed=2, train=4, val=6, test=12)


def _spec(method: str, suite: SuiteSpec, rounds: int, calls: int, baseline: str | None = None) -> StudySpec:
    return StudySpec(
        method=method, suite=suite, baseline=baseline, generator=f"embedded:{MODEL}",
        interpreter=f"embedded:{MODEL}", budget=StudyBudget(max_rounds=rounds, max_calls=calls),
        policy=RunPolicy(max_steps=40, answer_tokens=128),
    )  # fmt: skip


STUDIES = {
    "attempt-1": _spec("in-context", BIG, rounds=6, calls=4_000),  # of earlier code; kept, and told in the report
    "attempt-2": _spec("in-context", BIG, rounds=5, calls=6_000),  # likewise
    "attempt-3": _spec("in-context", BIG, rounds=3, calls=8_000),  # likewise
    "attempt-4": _spec("in-context", SuiteSpec(name="openagi-plan", seed=1), rounds=4, calls=10_000),  # likewise
    "in-context": _spec("in-context", SuiteSpec(name="openagi-plan", seed=3), rounds=4, calls=10_000),  # a fresh split
    "small-in-context": _spec("in-context", SMALL, rounds=20, calls=400, baseline=""),  # the two at equal calls
    "small-paper": _spec("paper", SMALL, rounds=30, calls=400, baseline=""),
}
NOTES = {  # what was different, told in the report
    "attempt-1": "Earlier code: wordings of questions were tried on the eight train tasks alone, and the last step saw "
    "results as bare lines. The search ended by its calls; runs of the other two on the test were broken off.",
    "attempt-2": "Earlier code: results stand under a heading, wordings were tried on validation tasks too, by "
    "the words that they say. Better on validation than on the test: twenty tasks hardly tell good from lucky.",
    "attempt-3": "Wordings are tried on changed tasks as well (words taken out, or put in the place of others), about "
    "forty texts each. The attempts above had opened the same test set before; of what came of it only the means were "
    "looked at, no task and no answer. Between the attempts, 24 tasks outside of the three splits were looked at.",
    "attempt-4": "A split that nobody had seen. Two questions may have to agree, half of the drafts are rewrites, "
    "trying wordings takes at most half of what is left of the calls. So this test set was opened twice, not once: a "
    "first start was broken off by a restart of the model server, and the search, as it then was, ran the manual "
    "workflow and the plain prompt on it. Of that the plain prompt's scores were seen, no task and no answer; the runs "
    "were taken out of the file and made again at the end, with answers from the cache.",
    "in-context": "Another split that nobody had seen. Words that a part is asked for by are no longer held against "
    "each other by how rightly questions about them are answered: in attempt 4, `Given low-resolutioned noisy` so won "
    "over words that tell of a caption.",
}


def path_of(name: str) -> Path:
    return FOLDER / f"study-{name}.jsonl"


def kept(name: str) -> StudyFile:
    spec = STUDIES[name]
    return StudyFile(path_of(name), spec, open_suite(spec.suite), name)


async def run(name: str, minutes: float) -> None:
    llm = open_llm(f"embedded:{MODEL}")
    try:
        await asyncio.wait_for(carry_on(path_of(name), STUDIES[name], name, llm), minutes * 60)
    except TimeoutError:
        print("Out of time; the same command goes on from here.")
    except ModelError as error:
        print(f"{error} The same command goes on from here.")
    finally:
        await llm.aclose()


def report() -> str:
    parts = [
        "# Searches with a real model\n",
        f"`python bench/evidence_study.py NAME`. Suite `openagi-plan`; {MODEL} (Q4_K_M, CPU) as generator and "
        "interpreter, temperature 0 for the interpreter, study seed 0. The test set of a study is opened once, at its "
        "end. Intervals are 95 % (BCa bootstrap over tasks); differences are paired; p is of Wilcoxon's test. The two "
        "small studies have 400 calls each and no manual workflow, to hold the methods against each other.\n",
    ]
    for name in STUDIES:
        if path_of(name).exists():
            parts += _section(name, kept(name).view)
    return "\n".join(parts) + "\n"


def _section(name: str, view: StudyView) -> list[str]:
    study, totals = view.study, view.totals(test=False)
    suite, day = study.spec.suite, time.strftime("%Y-%m-%d", time.gmtime(study.created_at))
    lines = [
        f"## {name}\n",
        f"Begun on {day}; {suite.train} train, {suite.val} validation, {suite.test} test tasks, split seed "
        f"{suite.seed}. "
        f"Method `{study.spec.method}`, {study.rounds} rounds, {len(view.candidates)} candidates, {totals.calls:,} "
        f"calls without the test ({totals.cached:,} from the cache), {study.seconds / 60:.0f} minutes, ended: "
        f"{study.stop or 'not yet'}; the test set was opened {study.test_uses} times. {NOTES.get(name, '')}\n",
        "| workflow | validation | test | calls a task | s a task | exact | valid | Jaccard |",
        "|---|---|---|---|---|---|---|---|",
    ]
    best = view.best()
    shown = {"best found": best, "manual workflow": view.manual, "plain prompt": view.plain}
    lines += [_row(view, label, c) for label, c in shown.items() if c is not None]
    lines.append(_constant(view))
    if study.test_uses and best is not None:
        lines += ["", *_differences(view, best)]
    if best is not None:
        lines += ["", f"The best, candidate {best.number} ({best.operator}):\n", "```", best.text.strip(), "```"]
    return [*lines, "", *_candidates(view)]


def _row(view: StudyView, label: str, candidate: Candidate) -> str:
    val, test = view.task_scores(candidate.number, "val"), view.outcomes(candidate.number, "test")
    found = test or view.outcomes(candidate.number, "val")
    n = max(1, len(found))
    part = {key: sum(o.parts.get(key, 0.0) for o in found) / n for key in ("exact", "valid", "overlap")}
    return (
        f"| {label} | {_interval(list(val.values()))} | {_interval([o.score for o in test])} | "
        f"{sum(o.totals.calls for o in found) / n:.1f} | {sum(o.totals.seconds for o in found) / n:.1f} | "
        f"{part['exact']:.2f} | {part['valid']:.2f} | {part['overlap']:.2f} |"
    )


def _constant(view: StudyView) -> str:
    """The best plan that is the same for every task."""
    suite = open_suite(view.study.spec.suite)
    cells = [_interval([score_plan(t.expected.plan, CONSTANT).score for t in suite.tasks(s)]) for s in ("val", "test")]
    return f"| constant plan (four restorations) | {cells[0]} | {cells[1]} | 0 | 0 | | | |"


def _differences(view: StudyView, best: Candidate) -> list[str]:
    lines = []
    for label, other in (("manual workflow", view.manual), ("plain prompt", view.plain)):
        if other is None or other.number == best.number or not view.complete(other.number, "test"):
            continue
        found = compare(view.task_scores(other.number, "test"), view.task_scores(best.number, "test"))
        d, p = found.difference, "" if found.p is None else f", p = {found.p:.2g}"
        lines.append(
            f"- Test, best found - {label}: {d.mean:+.3f}, 95 % interval [{d.low:+.3f}, {d.high:+.3f}]{p}, "
            f"{found.wins} wins, {found.ties} ties, {found.losses} losses."
        )
    return lines


def _candidates(view: StudyView) -> list[str]:
    rows = ["| candidate | round | made by | parent | train | validation | note |", "|---|---|---|---|---|---|---|"]
    for c in view.candidates:
        train, val = view.reward(c.number, "train"), view.score(c.number, "val")
        note = (c.error or c.note).replace("|", "/")
        parent = "" if c.parent is None else c.parent
        rows.append(f"| {c.number} | {c.round} | {c.operator} | {parent} | {_two(train)} | {_two(val)} | {note} |")
    return [*rows, ""]


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _interval(values: list[float]) -> str:
    if not values:
        return ""
    found = bootstrap(values)
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def record() -> None:
    """One study, put into a store and written as a recording."""
    study = kept(RECORDED)
    view = study.view
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/autoflow.db")
        made = store.create_study("OpenAGI plans", view.study.spec, view.study.splits)
        store.add_to_study(StudyBatch(made.id, candidates=view.candidates, outcomes=study.outcomes()))
        store.add_to_study(
            StudyBatch(
                made.id, rounds=view.study.rounds, stop=view.study.stop, best=view.study.best,
                test_uses=view.study.test_uses, seconds=view.study.seconds, unused=view.study.unused,
            )
        )  # fmt: skip
        RECORDING.parent.mkdir(exist_ok=True)
        day = time.strftime("%Y-%m-%d", time.gmtime(view.study.created_at))
        words = (
            f"Made on {day} by `python bench/evidence_study.py`, generator and interpreter {MODEL}, seed 0. Two "
            "earlier studies had opened the same test set; docs/evidence/study.md tells of all."
        )
        save_recording(store, made.id, RECORDING, words)
        store.close()
    print(f"Recording: {RECORDING}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=list(STUDIES), help="default: all that have not ended")
    parser.add_argument("--minutes", type=float, default=85)
    parser.add_argument("--report", action="store_true", help="only write the report")
    parser.add_argument("--record", action="store_true", help="only write the recording")
    arguments = parser.parse_args()
    if arguments.record:
        return record()
    until = time.monotonic() + arguments.minutes * 60
    names = [name for name in STUDIES if not name.startswith("attempt")]
    for name in [] if arguments.report else [arguments.name] if arguments.name else names:
        if not path_of(name).exists() or kept(name).view.study.best is None:
            asyncio.run(get_model(MODEL))
            asyncio.run(run(name, max(1.0, (until - time.monotonic()) / 60)))
    (FOLDER / "study.md").write_text(report(), "utf-8")
    print(f"Report: {FOLDER / 'study.md'}")
    return None


if __name__ == "__main__":
    main()
