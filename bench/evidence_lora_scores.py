"""Evidence that fine-tuning goes from syntax to score: method `lora` on OpenAGI plans, carried out by a real model.

SmolLM2-135M is trained on the CPU from a manual workflow of three steps (`bench/real/short_plan.core`) as its example.
Parser and checker grade what it draws; what counts is run by a 1.5B model, and earns its plan score and a quarter more
for a run that comes to its end. A training is a study in `.cache`, so that the same command goes on where it was
stopped; its steps are kept in `docs/evidence/lora-scores.jsonl` as they come. The report is
`docs/evidence/lora-scores.md`.

    python bench/evidence_lora_scores.py [--seed 0] [--report] [--record]

Without a seed it goes on with the first training that has not ended. `--record` also writes the recording of seed 0
that `make demo` opens.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".cache" / "evidence" / "lora-scores"
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("AUTOFLOW_MODELS_DIR", str(ROOT / ".cache" / "models"))
os.environ["AUTOFLOW_HOME"] = str(HOME)  # the shipped prompts, whatever the user's own are
sys.path.insert(0, str(ROOT))

from autoflow.cli.here import carry_out_here, submitted  # noqa: E402
from autoflow.llm.download import get_model  # noqa: E402
from autoflow.optimize.start import start_study  # noqa: E402
from autoflow.optimize.view import StudyView  # noqa: E402
from autoflow.records import RunPolicy  # noqa: E402
from autoflow.report.recording import save_recording  # noqa: E402
from autoflow.store import SqlStore, open_store  # noqa: E402
from autoflow.study import RewardSpec, Study, StudyBudget, StudySpec, SuiteSpec  # noqa: E402
from bench.real.scores_file import ScoresFile  # noqa: E402
from bench.real.scores_report import write_report  # noqa: E402

FILE = ROOT / "docs" / "evidence" / "lora-scores.jsonl"
REPORT, IMAGE = ROOT / "docs" / "evidence" / "lora-scores.md", ROOT / "docs" / "images" / "lora-scores.svg"
ATTEMPTS = ROOT / "bench" / "real" / "scores_attempts.md"  # what was tried before, told in the report
EXAMPLE = ROOT / "bench" / "real" / "short_plan.core"
RECORDING = ROOT / "assets" / "recordings" / "training-openagi-plan.json.gz"
MODEL, INTERPRETER = "smollm2-135m", "qwen2.5-coder-1.5b"
SEEDS = (0, 1, 2)
POLL_S = 30.0  # how soon a step is in the file


def spec_of(seed: int) -> StudySpec:
    return StudySpec(
        method="lora", suite=SuiteSpec(name="openagi-plan", seed=seed, train=4, val=6, test=10), seed=seed,
        generator=f"local:{MODEL}", interpreter=f"embedded:{INTERPRETER}", reward=RewardSpec(valid=0.25),
        budget=StudyBudget(max_rounds=40, max_time_s=3600.0), policy=RunPolicy(max_steps=8, answer_tokens=48),
        options={"group": 12, "wanted_steps": 3, "max_new_tokens": 128, "half": True, "compare": 6, "threads": 1},
        baseline=EXAMPLE.read_text("utf-8"),
    )  # fmt: skip


def kept(store: SqlStore, seed: int) -> Study | None:
    """The study of a seed, where it has begun."""
    wanted = spec_of(seed)
    return next((study for study in store.list_studies() if study.spec == wanted), None)


def write_down(store: SqlStore, study: Study) -> None:
    """What the study has come to by now."""
    study = store.get_study(study.id)
    outcomes = [outcome for _, outcome in store.study_outcomes(study.id)]
    view = StudyView(study, store.study_candidates(study.id), outcomes)
    ScoresFile(FILE, f"seed-{study.spec.seed}").write(view, store.training_steps(study.id))


def train(store: SqlStore, seed: int) -> None:
    study = kept(store, seed) or start_study(store, f"Workflows that plan, seed {seed}", spec_of(seed))
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_S):
            write_down(store, study)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        carry_out_here(store, submitted(store, study.id, study.name))
    finally:
        ended.set()
        watching.join()
        write_down(store, study)


def next_seed(seeds: Sequence[int]) -> int | None:
    """The first whose training has not ended."""
    return next((seed for seed in seeds if not ScoresFile(FILE, f"seed-{seed}").ended), None)


def record(store: SqlStore) -> None:
    study = kept(store, SEEDS[0])
    assert study is not None, "there is nothing to record yet"
    words = (
        f"A training made by `python bench/evidence_lora_scores.py --seed {SEEDS[0]}`: generator {MODEL}, interpreter "
        f"{INTERPRETER}, on the CPU. docs/evidence/lora-scores.md tells what came of it."
    )
    save_recording(store, study.id, RECORDING, words)
    print(f"Recording: {RECORDING}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help=f"those of the report are {', '.join(map(str, SEEDS))}")
    parser.add_argument("--report", action="store_true", help="only write the report")
    parser.add_argument("--record", action="store_true", help="only write the recording")
    arguments = parser.parse_args()
    if not arguments.report:
        HOME.mkdir(parents=True, exist_ok=True)
        store = open_store()
        if arguments.record:
            return record(store)
        seed = next_seed(SEEDS if arguments.seed is None else (arguments.seed,))
        if seed is not None:
            for model in (MODEL, INTERPRETER):
                asyncio.run(get_model(model))
            train(store, seed)
    if FILE.exists():
        write_report(FILE, [f"seed-{seed}" for seed in SEEDS], REPORT, IMAGE, ATTEMPTS.read_text("utf-8"))
        print(f"Report: {REPORT}")
    return None


if __name__ == "__main__":
    main()
