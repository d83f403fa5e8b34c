"""Examples and rubrics from a task alone, whatever the model says."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from autoflow.errors import BudgetExceeded, ModelReplyError, ModelUnavailable, SettingsError
from autoflow.generate.example_reader import ExampleReader, Found, labelled
from autoflow.generate.examples import Example, Proposal, propose_examples, propose_rubric
from autoflow.llm.base import LLM, Capabilities, Completion, JsonSchema, Message, OnToken, Options, Usage
from tests.generate.fakes import Teller

TASK = "Say whether the mail asks for a refund: yes or no."


def reply(*numbers: int, key: str = "input") -> str:
    return json.dumps({"examples": [{"inputs": {key: f"mail {n}"}, "expected": f"answer {n}"} for n in numbers]})


def texts(proposal: Proposal) -> list[str]:
    return [example.inputs["input"] for example in proposal.examples]


async def proposed(llm: LLM, count: int = 10, **options: Any) -> Proposal:
    return await propose_examples(TASK, llm, count, **options)


class TestExamples:
    async def test_examples_are_asked_for_a_few_at_a_time_until_all_are_there(self) -> None:
        llm = Teller(reply(1, 2, 3, 4, 5), reply(6, 7, 8, 9, 10), reply(11, 12))
        found = await proposed(llm, 12)
        assert texts(found) == [f"mail {n}" for n in range(1, 13)]
        assert found.errors == ()
        assert (found.totals.calls, found.totals.prompt_tokens) == (3, 300)
        assert {example.origin for example in found.examples} == {"model"}

    async def test_each_call_shows_what_is_there_and_takes_the_next_seed(self) -> None:
        llm = Teller(reply(1, 2, 3, 4, 5), reply(6, 7))
        known = Example(inputs={"input": "mail 0"}, expected="answer 0", origin="person")
        await proposed(llm, 7, known=[known], seed=40)
        (first, second), seeds = [asked[0][-1].content for asked in llm.asked], [o.seed for _, o in llm.asked]
        assert "mail 0 / answer 0" in first
        assert "mail 5 / answer 5" not in first
        assert "mail 0 / answer 0" in second
        assert "mail 5 / answer 5" in second
        assert ("Make 5 new ones" in first, "Make 2 new ones" in second) == (True, True)
        assert seeds == [40, 41]
        assert all(TASK in text for text in (first, second))

    async def test_the_schema_takes_what_is_asked_for_and_nothing_else(self) -> None:
        llm = Teller(reply(1, 2, key="mail"))
        await proposed(llm, 2, inputs=["mail"])
        constraint = llm.asked[0][1].constraint
        assert isinstance(constraint, JsonSchema)
        check = jsonschema.Draft202012Validator(dict(constraint.schema))
        assert check.is_valid(json.loads(reply(1, 2, key="mail")))
        assert not check.is_valid(json.loads(reply(1, 2)))
        assert not check.is_valid(json.loads(reply(1, key="mail")))

    async def test_duplicates_are_dropped_also_of_known_ones(self) -> None:
        again = reply(1, 2).replace("mail 1", " MAIL   1 ")
        known = Example(inputs={"input": "mail 2"}, expected="other")
        found = await proposed(Teller(again, reply(1, 1, 3), reply(3)), 3, known=[known])
        assert [" ".join(text.split()) for text in texts(found)] == ["MAIL 1", "mail 3"]
        assert found.errors[0] == "2 of 3 examples were proposed."
        assert "another seed" in found.errors[1]

    async def test_more_than_asked_for_are_left_out(self) -> None:
        assert texts(await proposed(Teller(reply(1, 2, 3, 4)), 2)) == ["mail 1", "mail 2"]

    async def test_a_model_without_anything_new_is_asked_twice_more_and_not_for_ever(self) -> None:
        llm = Teller(reply(1), "I cannot.", "I cannot.")
        found = await proposed(llm, 10)
        assert (texts(found), len(llm.asked)) == (["mail 1"], 3)
        assert found.errors[0] == "1 of 10 examples were proposed."

    async def test_nothing_at_all_is_said_and_no_error(self) -> None:
        found = await proposed(Teller("no"), 4)
        assert found.examples == ()
        assert found.errors[0] == "0 of 4 examples were proposed."
        assert found.totals.calls == 2

    async def test_progress_is_told_example_by_example_while_the_reply_streams(self) -> None:
        seen: list[tuple[str, int]] = []
        text = reply(1, 2, 3)
        llm = Streaming(text)
        found = await proposed(llm, 3, on_progress=lambda e: seen.append((e.inputs["input"], llm.spoken)))
        assert [name for name, _ in seen] == texts(found) == ["mail 1", "mail 2", "mail 3"]
        assert 0 < seen[0][1] < seen[1][1] < seen[2][1] < len(text)

    async def test_a_reply_that_begins_anew_loses_and_doubles_nothing(self) -> None:
        text = reply(1, 2, 3)
        seen: list[str] = []
        llm = Streaming(text, broken_off=text[: text.index("mail 3")])
        found = await proposed(llm, 3, on_progress=lambda e: seen.append(e.inputs["input"]))
        assert seen == texts(found) == ["mail 1", "mail 2", "mail 3"]

    async def test_going_on_is_asked_before_every_call(self) -> None:
        answers = iter([True, False, False])
        found = await proposed(Teller(reply(1, 2, 3, 4, 5)), 10, go_on=lambda: next(answers))
        assert (len(found.examples), found.errors) == (5, ("5 of 10 examples were proposed.",))

    @pytest.mark.parametrize("error", [ModelUnavailable("Gone."), BudgetExceeded("max-calls", "Gone.")])
    async def test_a_call_that_fails_keeps_what_is_there(self, error: Exception) -> None:
        llm = Teller(reply(1, 2, 3, 4, 5), error)
        found = await proposed(llm, 10)
        assert (len(found.examples), len(llm.asked)) == (5, 2)
        assert found.errors == ("5 of 10 examples were proposed.", "Gone.")

    async def test_a_first_call_that_fails_raises(self) -> None:
        with pytest.raises(ModelUnavailable, match="Gone"):
            await proposed(Teller(ModelUnavailable("Gone.")))

    async def test_a_reply_that_is_cut_gives_what_arrived_and_another_is_asked_for(self) -> None:
        half = reply(1, 2, 3)
        cut = ModelReplyError("Cut.", partial=half[: half.index("mail 3")])
        found = await proposed(Teller(cut, reply(4, 5)), 4)
        assert (texts(found), found.errors) == (["mail 1", "mail 2", "mail 4", "mail 5"], ())

    async def test_replies_that_are_always_cut_raise(self) -> None:
        llm = Teller(ModelReplyError("Cut.", partial="{"))
        with pytest.raises(ModelReplyError, match="Cut"):
            await proposed(llm)
        assert len(llm.asked) == 2

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"objective": " "}, "no task"),
            ({"count": 0}, "1 <= count <= 100"),
            ({"count": 101}, "count=101"),
            ({"inputs": []}, "at least one input"),
            ({"inputs": ["a", " "]}, "need names"),
        ],
    )
    async def test_bad_arguments_are_told(self, arguments: dict[str, Any], words: str) -> None:
        with pytest.raises(SettingsError, match=words):
            await propose_examples(**{"objective": TASK, "llm": Teller("x"), **arguments})

    def test_a_person_accepts_or_edits(self) -> None:
        example = Example(inputs={"input": "a"}, expected="b")
        assert example.accepted().origin == "accepted"
        assert example.edited({"input": "a"}, "b").origin == "model"
        changed = example.accepted().edited({"input": "a"}, "c")
        assert (changed.expected, changed.origin, changed.accepted().origin) == ("c", "person", "person")


class Streaming:
    """Streams `text` in small pieces, perhaps after a try that broke off."""

    name = "scripted:streaming"
    capabilities = Capabilities()

    def __init__(self, text: str, broken_off: str = "") -> None:
        self._text = text
        self._broken_off = broken_off
        self.spoken = 0

    async def complete(self, messages: list[Message], options: Options, on_token: OnToken | None = None) -> Completion:
        assert on_token is not None
        for part in (self._broken_off, self._text) if self._broken_off else (self._text,):
            if part is not self._broken_off and self._broken_off:
                on_token("")
            for at in range(0, len(part), 3):
                self.spoken = at + 3
                on_token(part[at : at + 3])
        return Completion(self._text, usage=Usage(10, 10))

    async def aclose(self) -> None:
        """Nothing to release."""


def read(text: str, *names: str) -> list[Found]:
    reader = ExampleReader(names or ("input",))
    return [*reader.feed(text), *reader.close()]


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            '{"examples": [{"inputs": {"input": "a"}, "expected": "b"}]}',
            '[{"inputs": {"input": "a"}, "expected": "b"}]',
            'Sure!\n```json\n{"inputs": {"input": "a"}, "expected": "b"}\n```\nDone.',
            '<think>{"inputs": {"input": "x"}, "expected": "y"}</think>{"input": "a", "output": "b"}',
            '{"inputs": "a", "answer": "b"}',
            '{"inputs": {"mail": "a"}, "expected": "b"}',
            "Example 1\nInput: a\nExpected: b",
            "**Input:** a\n**Expected output:** b\n",
            "1. Input: a\n   Answer: b\n\nExample 2:",
        ],
    )
    def test_an_example_is_read_in_whatever_form_it_comes(self, text: str) -> None:
        assert read(text) == [({"input": "a"}, "b")]

    def test_numbers_and_lists_become_text(self) -> None:
        assert read('{"inputs": {"n": 3, "l": [1, "a"]}, "expected": true}', "n", "l") == [
            ({"n": "3", "l": '[1, "a"]'}, "true")
        ]

    def test_inputs_that_are_not_asked_for_are_left_out_and_missing_ones_are_empty(self) -> None:
        text = '{"inputs": {"mail": "a", "mood": "angry"}, "expected": "b"}'
        assert read(text, "mail", "name") == [({"mail": "a", "name": ""}, "b")]

    @pytest.mark.parametrize(
        "text",
        [
            '{"inputs": {"input": " "}, "expected": "b"}',
            '{"inputs": {"input": "a"}}',
            '{"expected": "b"}',
            "{}",
            "",
            "[" * 9999,
        ],
    )
    def test_what_has_no_input_or_no_answer_is_no_example(self, text: str) -> None:
        assert read(text) == []

    def test_labelled_values_go_on_to_the_next_label(self) -> None:
        text = (
            "Example 1\nMail: Hello,\nI want: my money\nName: Ann\nExpected: yes\n\nExample 2\nMail: Hi\nExpected: no"
        )
        assert list(labelled(text, ["mail", "name"])) == [
            ({"mail": "Hello,\nI want: my money", "name": "Ann"}, "yes"), ({"mail": "Hi", "name": ""}, "no"),
        ]  # fmt: skip


class TestRubric:
    async def test_the_rubric_is_what_the_model_wrote_without_its_wrapping(self) -> None:
        llm = Teller("<think>hm</think>\n```\n- names the amount\n- is polite\n```")
        found = await propose_rubric(TASK, llm)
        assert (found.text, found.totals.calls) == ("- names the amount\n- is polite", 1)
        assert TASK in llm.asked[0][0][0].content

    async def test_an_empty_reply_is_told(self) -> None:
        with pytest.raises(ModelReplyError, match="scripted:teller wrote no rubric"):
            await propose_rubric(TASK, Teller("<think>hm"))

    async def test_without_a_task_there_is_no_rubric(self) -> None:
        with pytest.raises(SettingsError, match="no task"):
            await propose_rubric("", Teller("x"))
