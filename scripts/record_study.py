"""Write a study that has ended into a file that `make demo` opens.

Usage: python scripts/record_study.py STUDY OUT [WORDS]

    python scripts/record_study.py st_8k2m1x0c9d7e assets/recordings/study-openagi-plan.json.gz "autoflow optimize ..."

WORDS say with which command it was made; the date, the models and the seed are added. The study is read from the store
that AUTOFLOW_HOME or AUTOFLOW_DATABASE_URL names, as by the command line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from autoflow.errors import AutoFlowError
from autoflow.report.recording import save_recording
from autoflow.store import open_store
from autoflow.study import Study


def words(study: Study, more: str) -> str:
    """When and with what it was made."""
    spec, day = study.spec, time.strftime("%Y-%m-%d", time.gmtime(study.finished_at or study.created_at))
    models = f"generator {spec.generator}, interpreter {spec.interpreter}" if spec.generator else spec.interpreter
    return f"Made on {day}, {models}, method {spec.method}, seed {spec.seed}. {more}".strip()


def main() -> int:
    if not 3 <= len(sys.argv) <= 4:
        print(__doc__, file=sys.stderr)
        return 2
    study_id, out, more = sys.argv[1], sys.argv[2], (sys.argv[3] if len(sys.argv) == 4 else "")
    try:
        store = open_store()
        said = words(store.get_study(study_id), more)
        save_recording(store, study_id, out, said)
    except AutoFlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{out}: {Path(out).stat().st_size / 1000:,.0f} kB. {said}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
