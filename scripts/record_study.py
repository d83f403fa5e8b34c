"""Write a study or a benchmark that has ended into a file that `make demo` opens.

Usage: python scripts/record_study.py STUDY|BENCHMARK OUT [WORDS]

    autoflow benchmark --preset quick
    python scripts/record_study.py bm_8k2m1x0c9d7e assets/recordings/benchmark-quick.json.gz "autoflow benchmark ..."

WORDS say with which command it was made; the date, the models and the seed are added. It is read from the store that
AUTOFLOW_HOME or AUTOFLOW_DATABASE_URL names, as by the command line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autoflow.benchmark import Benchmark, without_folder
from autoflow.errors import AutoFlowError
from autoflow.report.benchmark_recording import save_benchmark
from autoflow.report.recording import save_recording
from autoflow.store import SqlStore, open_store
from autoflow.study import Study


def of_study(study: Study) -> str:
    """When and with what it was made."""
    spec = study.spec
    models = f"generator {spec.generator}, interpreter {spec.interpreter}" if spec.generator else spec.interpreter
    return _words(study.finished_at or study.created_at, models, spec.method, spec.seed)


def of_benchmark(benchmark: Benchmark) -> str:
    """Likewise."""
    spec = benchmark.spec
    sides = (("generators", spec.generators), ("interpreters", spec.interpreters))
    models = ", ".join(f"{side} {', '.join(map(without_folder, names))}" for side, names in sides)
    return _words(benchmark.created_at, models, spec.method, spec.seed)


def _words(at: float, models: str, method: str, seed: int) -> str:
    return f"Made on {time.strftime('%Y-%m-%d', time.gmtime(at))}, {models}, method {method}, seed {seed}."


def record(store: SqlStore, what: str, out: str, more: str) -> str:
    """Returns the words that pages show with it. Raises NotFound; SettingsError: it has not ended."""
    if what.startswith("bm_"):
        said = f"{of_benchmark(store.get_benchmark(what))} {more}".strip()
        save_benchmark(store, what, out, said)
    else:
        said = f"{of_study(store.get_study(what))} {more}".strip()
        save_recording(store, what, out, said)
    return said


def main() -> int:
    if not 3 <= len(sys.argv) <= 4:
        print(__doc__, file=sys.stderr)
        return 2
    what, out, more = (*sys.argv[1:], "")[:3]
    try:
        said = record(open_store(), what, out, more)
    except AutoFlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{out}: {Path(out).stat().st_size / 1000:,.0f} kB. {said}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
