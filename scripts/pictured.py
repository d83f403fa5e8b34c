"""The study that pictures show: the recorded one where there is one, else one made up, which then says so."""

from __future__ import annotations

from pathlib import Path

from autoflow.report.recording import load_recording
from autoflow.store import SqlStore
from autoflow.study import Study

RECORDINGS = Path(__file__).resolve().parents[1] / "assets" / "recordings"
MADE_UP = "Made up for this picture: no model was asked."


def study_to_show(store: SqlStore) -> Study:
    """Put it into the store."""
    for path in sorted(RECORDINGS.glob("*.json.gz")):
        return load_recording(store, path)
    from tests.studies import finished_study

    return finished_study(store, recorded=MADE_UP)
