"""The suite `reasoning`: the same tasks everywhere, disjoint splits, and verifiers that model text cannot misuse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autoflow.errors import SettingsError
from autoflow.study import SPLITS, SuiteSpec
from autoflow.suites.base import SuiteTask
from autoflow.suites.reasoning import DEFAULT, LEFT_OUT, ReasoningSuite, _datasets, generators, readings

NAMES = [generator.name for generator in generators()]
DEALING = """
import json, sys
from autoflow.study import SuiteSpec
from autoflow.suites.reasoning import ReasoningSuite
for name in json.loads(sys.argv[1]):
    suite = ReasoningSuite(SuiteSpec(name="reasoning", train=0, val=0, test=3, options={"generators": [name]}))
    print(json.dumps([[t.id, t.task.objective, t.expected["answer"]] for t in suite.tasks("test")], default=str))
"""


def suite(**spec: Any) -> ReasoningSuite:
    return ReasoningSuite(SuiteSpec(name="reasoning", **spec))


def every_task(of: ReasoningSuite) -> list[SuiteTask]:
    return [task for split in SPLITS for task in of.tasks(split)]


def dealt_by_another_process(hash_seed: int) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", DEALING, json.dumps(NAMES)],
        env={"PYTHONHASHSEED": str(hash_seed), "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": "/tmp"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


class TestTasks:
    def test_every_process_deals_the_same_tasks_with_every_generator_and_prints_nothing(self) -> None:
        with ThreadPoolExecutor(2) as threads:
            one, other = threads.map(dealt_by_another_process, (1, 2))
        differ = [name for name, mine, theirs in zip(NAMES, one, other, strict=True) if mine != theirs]
        assert differ == []

    def test_splits_have_their_sizes_and_share_nothing(self) -> None:
        tasks = every_task(suite(train=8, val=12, test=24))
        assert len({task.id for task in tasks}) == len({task.task.objective for task in tasks}) == 44

    def test_every_split_has_its_share_of_every_generator(self) -> None:
        found = suite(train=8, val=12, test=24)
        for split in SPLITS:
            shares = Counter(task.tags for task in found.tasks(split))
            assert set(shares) == {(name,) for name in DEFAULT}
            assert max(shares.values()) - min(shares.values()) <= 1

    def test_a_size_that_does_not_divide_is_dealt_out_all_the_same(self) -> None:
        assert len(every_task(suite(train=1, val=2, test=3))) == 6
        assert every_task(suite(train=0, val=0, test=0)) == []

    def test_another_seed_deals_other_tasks(self) -> None:
        one, other = ({task.id for task in every_task(suite(seed=seed))} for seed in (0, 1))
        assert len(one & other) < len(one) / 4  # short sums may come again

    def test_a_task_keeps_its_id_whatever_is_dealt_with_it(self) -> None:
        ids = {task.task.objective: task.id for task in every_task(suite())}
        again = {task.task.objective: task.id for task in every_task(suite(options={"generators": ["chain_sum"]}))}
        both = ids.keys() & again.keys()
        assert both
        assert all(ids[objective] == again[objective] for objective in both)

    def test_settings_are_passed_on(self) -> None:
        options = {"generators": {"chain_sum": {"min_terms": 9, "max_terms": 9}}}
        assert all(task.expected["metadata"]["num_terms"] == 9 for task in every_task(suite(options=options)))

    def test_the_order_in_which_generators_are_named_does_not_matter(self) -> None:
        names = ["leg_counting", "chain_sum"]
        one, other = (suite(options={"generators": listed}) for listed in (names, names[::-1]))
        assert [task.id for task in every_task(one)] == [task.id for task in every_task(other)]


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"generators": ["chainsum"]}, "no generator `chainsum`.*Did you mean `chain_sum`"),
            ({"generators": ["countdown"]}, "`countdown` cannot be chosen.*runs an answer as a program"),
            ({"generators": {"chain_sum": {"terms": 3}}}, "no setting `terms`.*`max_terms`"),
            ({"generators": {"chain_sum": {"seed": 3}}}, "no setting `seed`"),
            ({"generators": {"chain_sum": {"min_terms": 9}}}, "max_terms must be >= min_terms"),
            ({"generators": {"chain_sum": {"min_terms": "x"}}}, "does not take these settings"),
            ({"generators": "chain_sum"}, "list of names"),
            ({"generators": {"chain_sum": 3}}, "list of names"),
            ({"generator": ["chain_sum"]}, "no option `generator`.*`generators`"),
        ],
    )
    def test_bad_options_are_told(self, options: dict[str, Any], words: str) -> None:
        with pytest.raises(SettingsError) as raised:
            suite(options=options)
        assert re.search(words, str(raised.value))

    def test_more_tasks_than_a_generator_has_are_refused(self) -> None:
        narrow = {"chain_sum": {"min_terms": 2, "max_terms": 2, "min_digits": 1, "max_digits": 1}}
        with pytest.raises(SettingsError, match=r"`chain_sum` has 200 different tasks here, but 300 are asked for"):
            suite(train=100, val=100, test=100, options={"generators": narrow})

    def test_what_can_be_chosen_has_a_topic_and_defaults(self) -> None:
        by_name = {generator.name: generator for generator in generators()}
        assert by_name["chain_sum"].topic == "arithmetic"
        assert by_name["chain_sum"].defaults["max_terms"] == 6
        assert not set(by_name) & set(LEFT_OUT)
        assert set(by_name) | set(LEFT_OUT) == set(_datasets())
        assert set(DEFAULT) <= set(by_name)


class TestScores:
    async def test_right_answers_score_1_and_others_less(self) -> None:
        found = suite()
        for task in every_task(found):
            right = task.expected["answer"]
            assert (await found.score(task, right)).value == 1
            assert (await found.score(task, f"I count step by step.\nThe answer is {right}.")).value == 1
            assert (await found.score(task, "zebra")).value < 0.1
            assert (await found.score(task, "")).value < 0.1

    async def test_the_score_says_what_would_have_been_right(self) -> None:
        found = suite(options={"generators": ["chain_sum"]})
        task = found.tasks("val")[0]
        score = await found.score(task, "x")
        assert (score.expected, dict(score.parts)) == (task.expected["answer"], {"exact": 0.0})

    async def test_a_task_with_several_right_answers_is_scored(self) -> None:
        found = suite(options={"generators": ["graph_color"]})
        task = found.tasks("val")[0]
        graph = task.expected["metadata"]["puzzle"]
        vertices, edges = graph["vertices"], graph["edges"]
        colours: dict[str, int] = {}
        for vertex in vertices:  # greedily; the first options that no neighbour has
            near = {colours.get(str(b if a == vertex else a)) for a, b in edges if vertex in (a, b)}
            colours[str(vertex)] = next(c for c in graph["color_options"] if c not in near)
        assert (await found.score(task, json.dumps(colours))).value == 1
        assert (await found.score(task, json.dumps(dict.fromkeys(map(str, vertices), 1)))).value < 1

    @pytest.mark.parametrize(
        ("answer", "result"),
        [
            ("The answer is 42.", "42"),
            ("First 4, then\n42", "42"),
            ("<answer>1</answer> no, <answer>\n42</answer>.", "42"),
            ("so \\boxed{42}.", "42"),
            ("**Answer:** 42", "42"),
            ("final answer = `42`", "42"),
            ("Answer:\n1 2\n3 4", "1 2\n3 4"),
            ("The answer is", "The answer is"),
            ("I answer the question:\n['1', '2']", "['1', '2']"),
        ],
    )
    def test_results_are_found_in_prose(self, answer: str, result: str) -> None:
        assert readings(answer)[-1] == result

    def test_a_plain_answer_is_read_once_and_a_long_one_is_cut(self) -> None:
        assert readings(" 42\n") == ("42",)
        assert len(readings("x" * 50_000)[0]) == 20_000


ATTACKS = (
    "__import__('pathlib').Path({path!r}).touch()", "[__import__('pathlib').Path({path!r}).touch()]", "1e999999999",
    "9" * 5000, "((" * 400, "[" * 5000, "\x00", "A1000000 B", "nan", "-inf", '{{"a": 1}}', "1/0", "½",
)  # fmt: skip


class TestVerifiers:
    @staticmethod
    def fired(name: str, path: Path) -> bool:
        maker, settings = _datasets()[name]
        made = maker(settings(seed=1, size=3))
        for attack in ATTACKS:
            try:
                made.score_answer(attack.format(path=str(path)) if "{path" in attack else attack, made[0])
            except Exception:
                continue
        return path.exists()

    @pytest.mark.parametrize("name", NAMES)
    async def test_no_answer_is_carried_out_or_breaks_a_score(self, name: str, tmp_path: Path) -> None:
        assert not self.fired(name, tmp_path / "fired")
        found = suite(train=0, val=1, test=0, options={"generators": [name]})
        for attack in ATTACKS:
            assert 0 <= (await found.score(found.tasks("val")[0], attack)).value <= 1

    def test_this_would_see_an_answer_that_is_carried_out(self, tmp_path: Path) -> None:
        assert self.fired("spiral_matrix", tmp_path / "fired")
