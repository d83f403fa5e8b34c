"""Suites by name: what a person may write for one, what is said of it, and sizes that its rows allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.errors import NotFound, SettingsError
from autoflow.store import SqlStore, open_store
from autoflow.study import SPLITS, Split, SuiteSpec
from autoflow.suites.registry import describe, open_suite, scorer_of, spec_of, title_of
from autoflow.suites.sizes import USUAL, fit_sizes
from autoflow.suites.table_body import suite_body
from autoflow.suites.table_rows import Row
from tests.suites.tables import numbered

CSV = "question,answer\n" + "".join(f"What is {n} + 1?,{n + 1}\n" for n in range(60))


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store()
    yield opened
    opened.close()


def kept(store: SqlStore, count: int = 60, name: str = "Sums", scorer: str = "numeric") -> str:
    return store.save_suite(name, suite_body(numbered(count), scorer)).id


@settings(deadline=None)
@given(st.integers(2, 300), st.fixed_dictionaries({s: st.integers(0, 60) for s in SPLITS}))
def test_sizes_fit_and_keep_their_shares(rows: int, wanted: dict[Split, int]) -> None:
    found = fit_sizes(rows, wanted)
    total = sum(wanted.values())
    assert sum(found.values()) == min(rows, total)
    assert all(found[s] <= wanted[s] for s in SPLITS)
    asked = [s for s in SPLITS if wanted[s]]
    assert all(found[s] >= 1 for s in asked[:2] if s != "test")
    if rows >= len(asked):
        assert all(found[s] >= 1 for s in asked)
        share = {s: wanted[s] / total * min(rows, total) for s in asked}
        assert all(abs(found[s] - share[s]) <= len(asked) for s in asked)


def test_a_small_table_goes_without_a_test_before_it_goes_without_the_others() -> None:
    assert fit_sizes(2) == {"train": 1, "val": 1, "test": 0}
    assert fit_sizes(3) == {"train": 1, "val": 1, "test": 1}
    assert fit_sizes(44) == dict(USUAL)
    assert fit_sizes(1, {"val": 12}) == {"train": 0, "val": 1, "test": 0}


@pytest.mark.parametrize(("rows", "words"), [(0, "no row that can be used"), (1, "one row that can be used")])
def test_too_few_rows_for_a_search_are_told_with_what_to_do(rows: int, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        fit_sizes(rows)
    assert "Add rows" in caught.value.hint


def test_built_in_suites_are_meant_by_their_names() -> None:
    assert spec_of("openagi-plan", 3, {"val": 5}) == SuiteSpec(name="openagi-plan", seed=3, val=5)
    spec = spec_of("reasoning", options={"generators": ["chain_sum"]})
    assert spec.options == {"generators": ["chain_sum"]}
    assert "chain_sum" in describe(spec)
    assert scorer_of(spec) is None


def test_a_saved_suite_is_meant_by_its_id_and_by_its_name(store: SqlStore) -> None:
    suite_id = kept(store)
    for text in (suite_id, "Sums", "sums"):
        spec = spec_of(text, 7, store=store)
        assert spec == SuiteSpec(name="table", seed=7, options={"suite": suite_id})
    assert title_of(spec, store.get_suite) == "Sums"
    assert describe(spec, store.get_suite) == "60 rows, scored: the same number."
    kind = scorer_of(spec, store.get_suite)
    assert kind is not None
    assert kind.name == "numeric"
    assert len(open_suite(spec, saved=store.get_suite).tasks("test")) == 24


def test_what_a_model_proposed_is_told_of_the_suite(store: SqlStore) -> None:
    rows = [Row("a", expected="1", row=1), Row("b", expected="2", row=2, origin="model")]
    spec = spec_of(store.save_suite("Two", suite_body(rows, "exact")).id, store=store)
    assert describe(spec, store.get_suite) == "2 rows, scored: the same text. 1 of 2 proposed by a model."


def test_sizes_that_were_chosen_stay_and_the_others_share_the_rest(store: SqlStore) -> None:
    suite_id = kept(store, 20)
    assert spec_of(suite_id, sizes={"val": 10}, store=store).sizes == {"train": 2, "val": 10, "test": 8}
    assert spec_of(suite_id, sizes={"train": 20}, store=store).sizes == {"train": 20, "val": 0, "test": 0}
    with pytest.raises(SettingsError, match="ask for 31 tasks, but there are 20"):
        open_suite(spec_of(suite_id, sizes={"train": 31}, store=store), saved=store.get_suite)


def test_one_row_can_be_scored_but_not_searched(store: SqlStore) -> None:
    suite_id = kept(store, 1)
    assert spec_of(suite_id, store=store, only="val").sizes == {"train": 0, "val": 1, "test": 0}
    with pytest.raises(SettingsError, match="one row"):
        spec_of(suite_id, store=store)


def test_a_table_is_saved_once_however_often_it_is_named(store: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "sums.csv"
    path.write_text(CSV)
    first, again = spec_of(str(path), store=store), spec_of(str(path), store=store)
    assert first == again
    assert list(store.suite_names().values()) == ["sums"]
    body = store.get_suite(first.options["suite"]).body
    assert (body["source"], body["scorer"], len(body["rows"])) == ("sums.csv", {"name": "numeric"}, 60)
    path.write_text(CSV + "What is 9 + 9?,18\n")
    assert spec_of(str(path), store=store) != first
    with pytest.raises(SettingsError, match="2 suites are called `sums`"):
        spec_of("sums", store=store)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("travel", "There is no suite `travel`"),
        ("nowhere.csv", "There is no file `nowhere.csv`"),
        ("", "There is no suite ``"),
        ("\x00.csv", "There is no file"),
    ],
)
def test_what_means_nothing_is_told(store: SqlStore, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        spec_of(text, store=store)


def test_a_table_without_a_usable_row_is_not_saved(store: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("question,answer\nWhat?,\nWho?,x\n")
    assert spec_of(str(path), store=store, only="val").val == 1
    path.write_text("question,answer\n,x\n,y\n")
    with pytest.raises(SettingsError, match="No row of the table can be used") as caught:
        spec_of(str(path), store=store)
    assert "rows 2, 3 ask nothing" in caught.value.hint


def test_a_deleted_suite_is_told(store: SqlStore) -> None:
    suite_id = kept(store)
    spec = spec_of(suite_id, store=store)
    store.delete_suite(suite_id)
    with pytest.raises(NotFound):
        open_suite(spec, saved=store.get_suite)
    assert title_of(spec, store.get_suite) == "a table that was deleted"
    assert suite_id in describe(spec, store.get_suite)
    assert suite_id not in store.suite_names()


@pytest.mark.parametrize("options", [{}, {"suite": 5}, {"suite": "su_000000000000", "rows": 1}])
def test_a_spec_that_names_no_table_is_told(options: dict[str, object], store: SqlStore) -> None:
    with pytest.raises(SettingsError):
        open_suite(SuiteSpec(name="table", options=options), saved=store.get_suite)


def test_the_latest_suite_comes_first_and_comes_without_its_rows(store: SqlStore) -> None:
    first, second = kept(store, name="A"), kept(store, name="B")
    names = store.suite_names()
    assert list(names.items()) in ([(second, "B"), (first, "A")], [(first, "A"), (second, "B")])  # within one tick
    assert len(store.suite_names(limit=1)) == 1
