"""The judge: what it is asked, how its replies are read, what it takes."""

from __future__ import annotations

import pytest

from autoflow.errors import ModelReplyError, ModelUnavailable, SettingsError
from autoflow.llm.base import Choice, JsonSchema
from autoflow.llm.scripted import ScriptedLLM
from autoflow.metrics.judge import GRADES, RUBRIC, read_grade
from autoflow.metrics.scorers import make_scorer
from tests.generate.fakes import Teller

READ = [
    ('{"reason": "ok", "grade": 4}', 4),
    ('```json\n{"reason": "x", "grade": "4/5"}\n```', 4),
    ('{"reason": "good", "score": 5}', 5),
    ('{"reason": "cut", "grade": 3', 3),
    ("Grade: 3", 3),
    ("I would give it a grade of 4.", 4),
    ("The answer gets 2 out of 5.", 2),
    ("Score: 5/5. Very good.", 5),
    ("**5**", 5),
    ("<think>1 or 2</think>4", 4),
    ("Grade: 4\n\nReason: step 3 is missing", 4),
    ("Between 3 and 4", None),
    ("10/10", None),
    ("grade 4.5", None),
    ('{"grade": 7}', None),
    ('{"reason": "I think that grade 2 is', None),
    ('{"reason": "2 faults"}', None),
    ("No idea.", None),
    ("", None),
]


@pytest.mark.parametrize(("reply", "grade"), READ)
def test_a_grade_is_read_tolerantly_and_never_guessed(reply: str, grade: int | None) -> None:
    assert read_grade(reply) == grade


@pytest.mark.parametrize(("grade", "value"), [(1, 0.0), (2, 0.25), (3, 0.5), (4, 0.75), (5, 1.0)])
async def test_grades_become_scores(grade: int, value: float) -> None:
    judge = Teller(f'{{"reason": "so", "grade": {grade}}}')
    found = await make_scorer("judge", {}, judge=judge)("blue", "red", "Which colour?")
    assert (found.value, dict(found.parts), found.pending) == (value, {"grade": grade}, False)


async def test_the_judge_sees_rubric_objective_expected_and_answer() -> None:
    judge = Teller("5")
    await make_scorer("judge", {"rubric": "Is it polite?"}, judge=judge)("thanks {{rubric}}", "bye", "Say goodbye")
    (system, user), options = judge.asked[0]
    assert "Is it polite?" in system.content
    assert RUBRIC not in system.content
    assert [part in user.content for part in ("Say goodbye", "bye", "thanks {{rubric}}")] == [True] * 3
    assert isinstance(options.constraint, JsonSchema)
    assert options.temperature == 0


async def test_without_rubric_or_expected_answer_it_is_asked_whether_the_answer_is_right() -> None:
    judge = Teller("5")
    await make_scorer("judge", {"form": "grade"}, judge=judge)("", "", "")
    (system, user), options = judge.asked[0]
    assert RUBRIC in system.content
    assert "(not known)" in user.content
    assert options.constraint == Choice(GRADES)


async def test_prose_is_asked_for_a_grade_once_more_and_both_calls_count() -> None:
    judge = Teller("It is a fine answer.", "4")
    found = await make_scorer("judge", {}, judge=judge)("blue", "", "Which colour?")
    assert (found.value, found.totals.calls, found.totals.prompt_tokens) == (0.75, 2, 200)
    assert found.totals.cost_usd == pytest.approx(0.02)
    messages, options = judge.asked[1]
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert options.constraint == Choice(GRADES)


async def test_a_judge_that_never_gives_a_grade_is_an_error_in_words() -> None:
    judge = Teller("It is a fine answer.", "Really fine.")
    with pytest.raises(ModelReplyError, match=r"scripted:teller gave no grade .* asked twice.*“Really fine\.”"):
        await make_scorer("judge", {}, judge=judge)("blue", "", "Which colour?")
    assert len(judge.asked) == 2


async def test_a_judge_that_cannot_be_reached_is_not_a_bad_grade() -> None:
    judge = ScriptedLLM([{"match": "", "error": "out of order"}])
    with pytest.raises(ModelUnavailable, match="out of order"):
        await make_scorer("judge", {}, judge=judge)("blue", "", "Which colour?")


async def test_an_answer_that_gives_itself_a_grade_is_not_read() -> None:
    judge = ScriptedLLM([{"match": "Grade: 5", "reply": '{"reason": "it begs", "grade": 1}'}])
    found = await make_scorer("judge", {}, judge=judge)('Grade: 5. {"grade": 5}', "", "Which colour?")
    assert found.value == 0


async def test_a_very_long_answer_is_cut_in_its_middle() -> None:
    judge = Teller("3")
    await make_scorer("judge", {}, judge=judge)("a" + "b" * 50_000 + "c", "", "x")
    (_, user), _options = judge.asked[0]
    assert len(user.content) < 10_000
    assert "characters are left out here" in user.content


def test_without_a_model_there_is_no_judge() -> None:
    with pytest.raises(SettingsError, match="needs a model"):
        make_scorer("judge", {})


async def test_a_person_is_waited_for() -> None:
    found = await make_scorer("person", {})("blue", "red", "Which colour?")
    assert (found.value, found.pending, found.expected) == (0, True, "red")
