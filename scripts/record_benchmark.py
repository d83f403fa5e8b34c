"""Write a benchmark whose cells have all ended into a file that `make demo` opens.

Usage: python scripts/record_benchmark.py BENCHMARK OUT [WORDS]

    autoflow benchmark --preset quick
    python scripts/record_benchmark.py bm_8k2m1x0c9d7e assets/recordings/benchmark-quick.json.gz "autoflow ..."

WORDS say with which command it was made; the date, the models and the seed are added. The benchmark is read from the
store that AUTOFLOW_HOME or AUTOFLOW_DATABASE_URL names, as by the command line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autoflow.benchmark import Benchmark, without_folder
from autoflow.errors import AutoFlowError
from autoflow.report.benchmark_recording import save_benchmark
from autoflow.store import open_store


def words(benchmark: Benchmark, more: str) -> str:
    """When and with what it was made."""
    spec, day = benchmark.spec, time.strftime("%Y-%m-%d", time.gmtime(benchmark.created_at))
    generators, interpreters = (
        ", ".join(map(without_folder, models)) for models in (spec.generators, spec.interpreters)
    )
    told = f"Made on {day}, generators {generators}, interpreters {interpreters}, method {spec.method}"
    return f"{told}, seed {spec.seed}. {more}".strip()


def main() -> int:
    if not 3 <= len(sys.argv) <= 4:
        print(__doc__, file=sys.stderr)
        return 2
    benchmark_id, out, more = sys.argv[1], sys.argv[2], (sys.argv[3] if len(sys.argv) == 4 else "")
    try:
        store = open_store()
        said = words(store.get_benchmark(benchmark_id), more)
        save_benchmark(store, benchmark_id, out, said)
    except AutoFlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{out}: {Path(out).stat().st_size / 1000:,.0f} kB. {said}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
