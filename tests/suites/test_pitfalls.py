"""Three pitfalls of the released code, each with a test that catches it where rewards are made.

    distance as a reward        what is called its ViT score is a distance: worse pictures are rewarded
    shuffled BERTScore batches  a pair gets the score of another pair of its batch
    reward of the task before   a task that raises is given the reward that was worked out before it

Next to what they are about, by the word Pitfall: `tests/metrics/test_pictures.py`, `tests/metrics/test_bertscore.py`,
`tests/test_evaluate.py`.
"""

from __future__ import annotations

import pytest

from autoflow.metrics import pictures
from autoflow.metrics.pictures import ByContent
from autoflow.suites import openagi_run
from autoflow.suites.openagi_run import HUB, OFFLINE, Metric
from autoflow.suites.openagi_tasks import openagi_tasks
from autoflow.tools.openagi.degrading import degraded
from tests.metrics.test_pictures import tiny_vit  # noqa: F401
from tests.models import offline_files, offline_parts  # noqa: F401
from tests.suites.test_openagi_run import suite
from tests.tools.openagi.pictures import natural

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("offline_parts")]
TASKS = openagi_tasks()
LABEL, SENTIMENT = TASKS[103], TASKS[116]


@pytest.mark.usefixtures("tiny_vit")
@pytest.mark.parametrize("metric", [HUB.pictures, OFFLINE.pictures])
def test_pitfall_distance_as_reward(metric: Metric, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reward of a picture rises with likeness, is 1 for the right picture and never above 1."""
    monkeypatch.setattr(pictures, "vit_score", ByContent("vit-score", pictures._vit))  # keeps nothing of this model
    right = natural("coffee.png")
    made = [right, degraded(right, ["noisy"], ""), degraded(right, ["blurry", "noisy", "low-resolutioned"], "")]
    same, near, far = openagi_run._scored(metric, made, [right] * 3)
    assert same == pytest.approx(1.0, abs=1e-4)
    assert 1 > near > far >= 0


async def test_pitfall_shuffled_batches() -> None:
    """Each sample of a task is scored against its own text, whatever else is in the batch, and in whatever order."""
    right = ["A train left the station.", "no", "The mill has ground wheat by water for a hundred years.", "Two cats."]
    made = ["Trains leave stations.", "no", "It rains.", "Some dogs and one cat sat there."]
    alone = [openagi_run._scored("bertscore-minilm", [one], [other])[0] for one, other in zip(made, right, strict=True)]
    assert len({round(value, 2) for value in alone}) == 4, "or an order that is wrong could not be seen"
    assert openagi_run._scored("bertscore-minilm", made, right) == pytest.approx(alone, abs=1e-5)
    turned = openagi_run._scored("bertscore-minilm", made[::-1], right[::-1])
    assert turned == pytest.approx(alone[::-1], abs=1e-5)


async def test_pitfall_reward_of_the_task_before() -> None:
    """A plan that fails has a score of its own, and so has the one after it."""
    there = suite()
    good = await there.score_plan(SENTIMENT, ("Sentiment Analysis",))
    broken = await there.score_plan(LABEL, ("Colorization", "Image Classification"))
    after = await there.score_plan(SENTIMENT, ())
    assert (good.value, broken.value, broken.parts["failed"]) == (pytest.approx(1.0), 0.0, 1.0)
    assert 0 < after.value < good.value
