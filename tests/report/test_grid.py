"""What a benchmark came to: figures of the test alone, pairs chosen by validation, nothing told that was not so."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product
from statistics import fmean

import pytest

from autoflow.benchmark import Benchmark, BenchmarkSpec, Cell, Variant
from autoflow.report.colours import gain_colour, score_colour
from autoflow.report.grid import GridCell, Measured, Scored, against_first, interval, synergy
from autoflow.report.grid_files import grid_csv, grid_json, grid_latex, grid_tasks_csv
from autoflow.report.grid_html import grid_html
from autoflow.report.grid_read import GONE, GridReport, read_grid
from autoflow.report.grid_scoring import PUBLISHED, by_column, scored_by
from autoflow.report.grid_table import WORKFLOWS, columns, lines, metric_gains, workflow_words
from autoflow.report.grid_words import NO_MIXED, NO_PURE, answers, difference_words, facts, signed_interval
from autoflow.statistics import compare, verdict
from autoflow.store import SqlStore, open_store
from autoflow.study import StudyBudget, SuiteSpec
from tests import grids
from tests.grids import GAVE_UP, spec, written
from tests.report.test_markup import Seen

A, B = "openai:a", "openai:b"


@pytest.fixture
def store() -> SqlStore:
    return open_store()


def scored(number: int, *scores: float, first: int = 0) -> Scored:
    tasks = {f"openagi-{first + n}": score for n, score in enumerate(scores)}
    return Scored(number, tasks, interval(tasks), 1.0, 1.0)


def cell(generator: int, interpreter: int, *scores: float, val: float = 0.0, variant: int = 0) -> GridCell:
    place = Cell(suite=0, variant=variant, interpreter=interpreter, generator=generator)
    return GridCell(place, "st_000000000000", "done", "", Measured({"found": scored(2, *scores)}, val))


def test_the_pairs_that_stand_for_their_kind_are_chosen_by_validation_and_compared_on_the_test() -> None:
    told = spec((A, B), (A, B))
    found = synergy(told, [
        cell(0, 0, 0.1, 0.2, val=0.9), cell(1, 1, 0.9, 0.9, val=0.2),  # the better one on the test is not chosen
        cell(0, 1, 0.4, 0.6, val=0.5), cell(1, 0, 0.9, 0.9, val=0.4),
    ])  # fmt: skip
    assert found is not None
    assert (found.pure.cell.generator, found.pure.cell.interpreter) == (0, 0)
    assert (found.mixed.cell.generator, found.mixed.cell.interpreter) == (0, 1)
    assert found.difference.difference.mean == pytest.approx(0.35)


@pytest.mark.parametrize("cells", [[cell(0, 0, 0.5)], [cell(0, 1, 0.5)], []])
def test_without_a_mixed_and_a_pure_pair_nothing_is_said(cells: list[GridCell]) -> None:
    assert synergy(spec((A, B), (A, B)), cells) is None


def test_pairs_without_a_task_in_common_are_not_compared() -> None:
    other = cell(0, 1, 0.5)
    other = replace(other, measured=Measured({"found": scored(2, 0.5, first=50)}, 0.1))
    assert synergy(spec((A, B), (A, B)), [cell(0, 0, 0.5), other]) is None


def test_a_variant_is_held_against_the_first_on_pairs_that_have_both() -> None:
    cells = [
        cell(0, 0, 0.2, 0.4), cell(0, 1, 0.4, 0.8),
        cell(0, 0, 0.3, 0.3, variant=1), cell(0, 1, 0.5, 0.9, variant=1), cell(1, 1, 1.0, 1.0, variant=1),
    ]  # fmt: skip
    found = against_first(cells, 0, 1)
    assert found is not None
    assert found.pairs == 2
    assert found.difference.difference.mean == pytest.approx(fmean((0.4, 0.6)) - fmean((0.3, 0.6)))
    assert against_first(cells, 0, 0) is None
    assert against_first(cells[:2], 0, 1) is None


def test_states_of_cells_say_what_happened(store: SqlStore) -> None:
    states = {"0-0-0-0": "done", "0-0-0-1": "running", "0-0-0-2": "failed", "0-0-1-0": "waiting", "0-0-1-1": "paused",
              "0-0-1-2": "stopped", "0-0-2-0": "deleted"}  # fmt: skip
    made = written(store, generators=(A, B, "openai:c"), interpreters=(A, B, "openai:c"), states=states)
    report = read_grid(store, made)
    told = {one.cell.key: one for one in report.cells}
    assert {key: told[key].state for key in states} == states
    assert told["0-0-0-1"].words == "Round 1: proposing"
    assert told["0-0-0-2"].words == GAVE_UP
    assert told["0-0-1-2"].words.startswith("It was stopped by a person.")
    assert told["0-0-2-0"].words == GONE
    assert report.done == 3
    assert all(bool(one.sides) == (one.state == "done") for one in report.cells)


def test_the_figures_are_those_of_the_study_itself(store: SqlStore) -> None:
    report = read_grid(store, written(store, generators=(A,), interpreters=(B,), rounds=2))
    (one,) = report.cells
    study = store.get_study(one.study_id)
    for side, number in (("manual", 0), ("plain", 1), ("found", study.best)):
        outcomes = [o for _, o in store.study_outcomes(study.id, candidate=number, split="test")]
        assert one.sides[side].tasks == {o.task: o.score for o in outcomes}  # type: ignore[index]
    by_task = [one.sides["found"].tasks[t] - one.sides["manual"].tasks[t] for t in study.splits["test"]]
    assert one.gain is not None
    assert one.gain.difference.mean == pytest.approx(fmean(by_task))
    assert set(one.sides["found"].tasks) == set(study.splits["test"])


def test_what_was_read_before_is_not_read_again(store: SqlStore) -> None:
    made = written(store, generators=(A,), interpreters=(A,))
    asked: list[str] = []

    def kept(study: object) -> Measured:
        asked.append(study.id)  # type: ignore[attr-defined]
        return Measured()

    assert [one.sides for one in read_grid(store, made, kept).cells] == [{}]
    assert asked == list(made.studies.values())


def test_manual_and_plain_stand_once_an_interpreter_and_what_was_kept_is_called_that(store: SqlStore) -> None:
    report = read_grid(store, written(store, rounds=1))
    found = lines(report)
    assert [line.workflow for line in found].count(WORKFLOWS["manual"]) == 2
    assert [line.workflow for line in found].count(WORKFLOWS["found"]) == 4
    for line in found:
        kept = line.generator and line.scored.number in (0, 1)
        assert ("itself" in workflow_words(line)) == bool(kept)
        assert (line.gain is None) == (line.workflow != WORKFLOWS["found"])


def test_where_nothing_was_searched_nothing_is_called_generated(store: SqlStore) -> None:
    made = written(store, generators=(A,), interpreters=(A,), rounds=0)
    assert {line.workflow for line in lines(read_grid(store, made))} == {"manual", "plain prompt"}


@pytest.mark.parametrize(
    ("generators", "interpreters", "words"), [((A,), (A,), NO_MIXED), ((A,), (B,), NO_PURE)]
)  # fmt: skip
def test_a_grid_that_cannot_answer_says_why(
    store: SqlStore, generators: tuple[str, ...], interpreters: tuple[str, ...], words: str
) -> None:
    assert answers(read_grid(store, written(store, generators=generators, interpreters=interpreters))) == [words]


def test_answers_name_models_variants_and_intervals(store: SqlStore) -> None:
    made = written(store, variants=[Variant(name="search"), Variant(name="no search")])
    found = answers(read_grid(store, made))
    assert [words.split(":")[0] for words in found] == ["search", "no search", "no search against search"]
    assert all("95 % interval" in words and "over 12 tasks" in words for words in found)


def on_openagi(provider: str = "offline") -> GridReport:
    """Made up: tasks of three kinds, in a cell that was carried out."""
    told = spec((A,), (B,), suites=(SuiteSpec(name="openagi", options={"provider": provider} if provider else {}),))
    tasks = {"openagi-0": 0.5, "openagi-1": 0.7, "openagi-15": 0.2, "openagi-105": 0.9}
    manual = {task: score - 0.1 for task, score in tasks.items()}
    sides = {
        side: Scored(n, scores, interval(scores), 1.0, 2.0)
        for n, (side, scores) in enumerate((("manual", manual), ("found", tasks)))
    }
    one = GridCell(Cell(suite=0, variant=0, interpreter=0, generator=0), "st_0", "done", "", Measured(sides, 0.5))  # type: ignore[arg-type]
    return GridReport(Benchmark(id="bm_0", name="x", spec=told, studies={}), [one], [], [], ["openagi"])


def test_tasks_count_for_the_papers_columns_by_their_kind() -> None:
    report = on_openagi()
    assert columns(report) == ("CLIP score", "BERTScore", "ViT score")
    found = next(line for line in lines(report) if line.generator)
    assert {c: round(m.mean, 6) for c, m in found.metrics.items()} == {
        "CLIP score": 0.9,
        "BERTScore": 0.2,
        "ViT score": 0.6,
    }
    gains = metric_gains(report.cells[0])
    assert all(one.difference.mean == pytest.approx(0.1) for one in gains.values())
    assert [one.tasks for one in gains.values()] == [1, 1, 2]


def test_every_task_of_openagi_has_a_column() -> None:
    found = by_column({f"openagi-{n}": 0.0 for n in range(185)})
    assert {column: len(tasks) for column, tasks in found.items()} == {
        "CLIP score": 2,
        "BERTScore": 168,
        "ViT score": 15,
    }


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        ("hub", "scored as in the paper: CLIP score by openai/clip-vit-base-patch16"),
        ("offline", "cannot be held against published ones"),
        ("", "by whose models was not kept"),
    ],
)
def test_whose_tools_and_which_metric_is_said(provider: str, words: str) -> None:
    assert words in scored_by(on_openagi(provider).benchmark.spec.suites[0])


def test_figures_on_other_data_are_not_held_against_published_ones_even_with_the_hub() -> None:
    words = "The data are other ones than the paper's: these figures cannot be held against published ones."
    assert words in scored_by(SuiteSpec(name="openagi", options={"provider": "hub"}))
    assert words not in scored_by(SuiteSpec(name="openagi", options={"provider": "hub", "data": "official"}))


def test_a_deleted_table_is_told(store: SqlStore) -> None:
    gone = SuiteSpec(name="table", options={"suite": "su_000000000000"})
    assert "the table was deleted" in scored_by(gone, store.get_suite)


def test_facts_name_all_that_it_was_made_with(store: SqlStore) -> None:
    told = spec((A,), (B,), budget=StudyBudget(max_rounds=3, max_calls=1200), repeats=2, seed=7, judge="openai:j")
    made = store.create_benchmark("x", told, {})
    found = dict(facts(made))
    assert found["Generators"] == A
    assert found["Limits of a cell"] == "3 rounds, 1,200 calls"
    assert (found["Runs a task"], found["Seed"], found["Model that suites ask"]) == ("2", "7", "openai:j")
    assert found["Begun"]


def test_published_figures_are_those_of_the_paper_and_of_no_cell() -> None:
    assert [(one.manual, one.generated) for one in PUBLISHED] == [(0.2483, 0.3597), (0.6104, 0.6501)]


def test_what_is_written_on_a_colour_can_be_read() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(pair: Iterable[str]) -> float:
        low, high = sorted(map(light, pair))
        return (high + 0.05) / (low + 0.05)

    shares = [n / 100 for n in range(-10, 111)]
    assert min(contrast(score_colour(share)) for share in shares) >= 4.5
    assert min(contrast(gain_colour(2 * share - 1)) for share in shares) >= 4.5
    grounds: Mapping[float, str] = {share: score_colour(share)[0] for share in (0.0, 0.5, 1.0)}
    assert len(set(grounds.values())) == 3


def test_a_grid_of_the_largest_size_is_read(store: SqlStore) -> None:
    made = grids.many(store)
    report = read_grid(store, made)
    assert (len(report.cells), report.done, len(lines(report))) == (400, 400, 440)
    assert {(g, i) for g, i in report.at(0, 0)} == set(product(range(20), range(20)))


def test_a_spec_of_another_time_without_all_studies_is_read(store: SqlStore) -> None:
    made = store.create_benchmark("x", BenchmarkSpec.model_validate(spec((A,), (A, B)).model_dump()), {})
    assert [one.state for one in read_grid(store, made).cells] == ["deleted", "deleted"]


def where_some_found_nothing_better() -> GridReport:
    """Made up: the mixed pair of both variants kept the manual workflow, and of the second the pure one the prompt."""
    told = spec((A,), (A, B), variants=(Variant(name="search"), Variant(name="no search")))
    kept = {(0, 0): 2, (0, 1): 0, (1, 0): 1, (1, 1): 0}  # (variant, interpreter) -> candidate
    rows = {0: (0.2, 0.3, 0.5), 1: (0.3, 0.4, 0.4), 2: (0.4, 0.6, 0.7)}
    found = []
    for (variant, interpreter), number in kept.items():
        sides = {"manual": scored(0, *rows[0]), "plain": scored(1, *rows[1]), "found": scored(number, *rows[number])}
        place = Cell(suite=0, variant=variant, interpreter=interpreter, generator=0)
        gain = compare(sides["manual"].tasks, sides["found"].tasks)
        found.append(GridCell(place, "st_0", "done", "", Measured(sides, 0.5, gain)))  # type: ignore[arg-type]
    mixed, against = synergy(told, found), against_first(found, 0, 1)
    assert mixed is not None
    assert against is not None
    made = Benchmark(id="bm_0", name="x", spec=told, studies={})
    return GridReport(made, found, [mixed], [against], ["openagi-plan"])


def test_nobody_is_said_to_write_what_was_kept() -> None:
    report = where_some_found_nothing_better()
    first, against = answers(report)
    assert f"({A} writes, {B} runs, which kept the manual workflow: 0.33)" in first
    assert f"({A} with itself: 0.57)" in first
    assert "Of 2 pairs with search 1 kept the manual workflow." in against
    assert "Of 2 pairs with no search 1 kept the manual workflow." in against
    assert "Of 2 pairs with no search 1 kept the plain prompt." in against


def test_files_name_what_was_kept() -> None:
    report = where_some_found_nothing_better()
    kept = ["", "manual", "plain", "manual"]
    for text in (grid_csv(report), grid_tasks_csv(report)):
        rows = {(r["variant"], r["interpreter"]): r for r in csv.DictReader(text.splitlines()) if r["generator"]}
        assert [row["kept"] for row in rows.values()] == kept
        assert all((row["workflow"] == "generated") == (not row["kept"]) for row in rows.values())
    told = [line for line in grid_json(report)["lines"] if line["generator"]]
    assert [line["kept"] or "" for line in told] == kept
    assert grid_latex(report).count("generated (the manual workflow itself)") == 2
    page = grid_html(report, at=0.0)
    assert page.count("which kept the manual workflow") >= 3


def test_what_is_sure_is_what_a_comparison_calls_sure() -> None:
    """The interval of five tasks that all rose is above 0; the rank test cannot bear so few out."""
    few = compare({f"t{n}": 0.1 for n in range(5)}, {f"t{n}": 0.2 + n / 100 for n in range(5)})
    many = compare({f"t{n}": 0.1 for n in range(20)}, {f"t{n}": 0.2 + n / 100 for n in range(20)})
    one = compare({"t": 0.1}, {"t": 0.4})
    assert few.difference.low > 0
    assert "does not bear it out" in difference_words(few)
    assert ": not sure)" in signed_interval(few)
    assert difference_words(many).endswith("over 20 tasks, p < 0.001.")
    assert signed_interval(many) == "+0.20 (+0.17 to +0.22)"
    assert difference_words(one) == "+0.30 on the one task there is, which says nothing of others."
    assert signed_interval(one) == "+0.30 (one task)"
    assert "does not bear it out" in verdict(few)
    assert "says nothing of others" in verdict(one)


def test_a_single_task_has_no_interval_anywhere() -> None:
    """Of the metrics on `on_openagi` two have one task, of four that the line has."""
    report = on_openagi()
    page = Seen(grid_html(report, at=0.0)).text
    assert "0.9000 (one task), n 1" in page
    assert "0.6000 (0.50 to 0.70), n 2" in page
    row = next(row for row in csv.DictReader(grid_csv(report).splitlines()) if row["generator"])
    assert (row["CLIP score"], row["CLIP score low"], row["CLIP score tasks"]) == ("0.9", "", "1")
    assert (row["ViT score tasks"], row["tasks"]) == ("2", "4")
    told = next(line for line in grid_json(report)["lines"] if line["generator"])
    assert told["metrics"]["CLIP score"] == {"mean": 0.9, "low": None, "high": None, "tasks": 1}
    assert "0.9000, n 1 & 0.2000, n 1 & 0.6000, n 2 &" in grid_latex(report)


def test_an_interval_does_not_hang_on_the_order_in_which_tasks_came() -> None:
    scores = {f"t{n}": (n * 37 % 11) / 10 for n in range(9)}
    assert interval(scores) == interval(dict(sorted(scores.items(), key=lambda one: one[1])))
