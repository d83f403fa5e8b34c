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


def study_under_way(store: SqlStore) -> Study:
    """A made-up one in its fourth round, held by a worker that is this process: nobody goes on with it."""
    from tests.studies import new_study

    writer = new_study(store, "Made up for a picture: a search under way", seed=3, rounds=8)
    writer.begin()
    for number in range(1, 4):
        writer.round(number)
    study = writer.study
    job = store.submit("study", {"study_id": study.id}, title=f"Optimize {study.name}", subject_id=study.id)
    lease = store.claim("pictures", lease_s=3600, job_id=job.id)
    assert lease is not None
    store.checkpoint(lease, done=3, total=8, unit="rounds")
    store.heartbeat(lease, {"round": 4, "doing": "Round 4: trying 4 on train tasks"})
    return study
