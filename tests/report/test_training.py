"""A study that trained its generator, in the HTML file: its curves and its steps; and curves as SVG by themselves."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from autoflow.report.as_json import report_json
from autoflow.report.curves_svg import Curve, curves_svg, nice_ticks
from autoflow.report.html import report_html
from autoflow.report.load import trace_pairs
from autoflow.store import SqlStore, open_store
from autoflow.study import Study
from tests.report.reports import report_of
from tests.report.studies import HOSTILE, written
from tests.report.test_html import WRITTEN_BY_US
from tests.report.test_markup import Seen
from tests.trainings import new_training, trained_study


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> SqlStore:
    return open_store(f"sqlite:///{tmp_path_factory.mktemp('report') / 'report.db'}")


@pytest.fixture(scope="module")
def study(store: SqlStore) -> Study:
    return trained_study(store, steps=20)


@pytest.fixture(scope="module")
def page(store: SqlStore, study: Study) -> str:
    report = report_of(store, study, 0, study.best or 1, "test")
    return report_html(report, trace_pairs(store, report), at=0.0)


def looks(page: str) -> Counter[str]:
    return Counter(str(attributes.get("class")) for name, attributes in Seen(page).tags if name in ("path", "svg"))


def test_the_report_of_a_trained_study_has_its_curves_and_some_of_its_steps(page: str) -> None:
    seen = Seen(page)
    assert "20 steps of training; in the last one: reward " in seen.text
    drawn = looks(page)
    assert drawn["chart"] == 2
    assert drawn["band mean"] == 1
    assert {look: drawn[look] for look in ("curve mean", "curve sound", "curve counts", "curve runs")} == dict.fromkeys(
        ("curve mean", "curve sound", "curve counts", "curve runs"), 2
    )  # each once in its chart and once in the legend
    table = page.split('aria-label="Steps of the training"')[1].split("</table>")[0]
    steps = [int(number) for number in re.findall(r'<th scope="row">(\d+)', table)]
    assert (steps[0], steps[-1]) == (1, 20)
    assert 8 <= len(steps) <= 9
    assert table.count("★") == 1


def test_it_holds_nothing_that_other_reports_do_not(page: str) -> None:
    seen = Seen(page)
    assert {name for name, _ in seen.tags} <= WRITTEN_BY_US
    names = {attribute for _, attributes in seen.tags for attribute in attributes}
    assert not {n for n in names if n.startswith("on") or n in ("src", "href", "style", "srcset", "action", "data")}


def test_why_it_ended_early_is_told_as_text(store: SqlStore) -> None:
    writer = new_training(store, "Ends early")
    writer.train(1)
    writer.end_early(HOSTILE)
    text = report_html(report_of(store, writer.study), at=0.0)
    assert f"It ended early: {HOSTILE}" in Seen(text).text
    assert HOSTILE not in text


def test_a_study_that_trains_nothing_has_no_such_section_and_one_without_steps_neither(store: SqlStore) -> None:
    for one in (written(store), new_training(store, "Not begun").study):
        report = report_of(store, one)
        assert "Training" not in Seen(report_html(report, at=0.0)).text
        assert "training" not in report_json(report)


def test_json_has_the_last_step(store: SqlStore, study: Study) -> None:
    told = report_json(report_of(store, study, split="test"))
    assert list(told)[-1] == "training"
    assert told["training"]["step"] == 20
    assert told["training"]["count"] == sum(
        not s.error and not s.copied for s in store.training_steps(study.id, after=19)[0].samples
    ) / len(store.training_steps(study.id, after=19)[0].samples)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1, 10, [2, 4, 6, 8, 10]), (1, 300, [50, 100, 150, 200, 250, 300]), (-1.04, 1.04, [-1, -0.5, 0, 0.5, 1]),
        (-0.04, 1.04, [0, 0.2, 0.4, 0.6, 0.8, 1]), (3, 3, [3]),
    ],
)  # fmt: skip
def test_ticks_are_few_round_numbers_within(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high, 6) == ticks


def test_a_curve_bridges_holes_marks_a_lone_point_and_leaves_out_one_without_any() -> None:
    def drawn(*y: float | None) -> str:
        return curves_svg([Curve("a", "counts", range(1, len(y) + 1), y)], title="A").split('class="legend"')[0]

    path = re.search(r'<path d="([^"]*)" class="curve counts">', drawn(0.0, None, 1.0))
    assert path is not None
    assert [x for x, _ in points(path[1])] == [46.0, 548.0]
    assert "<circle" in drawn(None, 0.5)
    assert "curve counts" not in drawn(None, None)


def test_higher_values_lie_higher_and_a_band_goes_round() -> None:
    band = Curve("a", "mean", [1, 2, 3], [3.0, 4.0, 5.0], [1.0, 2.0, 1.0])
    path = re.search(r'<path d="([^"]*) Z" class="band mean">', curves_svg([band], title="A"))
    assert path is not None
    corners = points(path[1])
    assert [x for x, _ in corners] == [46.0, 297.0, 548.0, 548.0, 297.0, 46.0]
    upper, lower = [y for _, y in corners[:3]], [y for _, y in corners[3:]][::-1]
    assert upper == sorted(upper, reverse=True)
    assert all(u < low for u, low in zip(upper, lower, strict=True))


def points(path: str) -> list[tuple[float, float]]:
    pairs = [piece.split() for piece in path.removeprefix("M").split(" L")]
    return [(float(x), float(y)) for x, y in pairs]
