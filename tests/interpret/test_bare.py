"""Steps that say what they get to see: the prompt holds that, the instruction, and not a word more."""

from __future__ import annotations

import pytest

from autoflow.interpret.prompting import Prompts
from autoflow.lang import parse_strict
from autoflow.llm.base import Capabilities, Choice, JsonSchema
from autoflow.records import TaskInput
from autoflow.tools.builtin import BUILTIN
from tests.interpret.fakes import Ran, Script, calls, flow, run, said, task

MAIL = TaskInput(name="mail", text="Dear shop, my toaster is broken.")
CAT = TaskInput(name="cat", kind="image", sha256="0" * 64, filename="cat.png", media_type="image/png")
ON = task("Answer the mail.", MAIL, listed_tools=("Denoise", "Deblur"))
TOOLS = "List of tools (their names are words to use in answers): Denoise, Deblur."
TASK = "Task: Answer the mail."
INPUT = "Input `mail`: Dear shop, my toaster is broken."


async def walked(last: str, *, on: object = ON, **more: object) -> Ran:
    """A run through two steps that write, a decision, and a terminal with this instruction."""
    steps = flow(
        "First|process|Write one.|next>Second", "Second|process|Write two.|next>Third",
        "Third|decision|Is it?|yes>Last|no>Last", f"Last|terminal|{last}",
    )  # fmt: skip
    replies = (said("one"), said("two"), said('{"answer": "It is.", "branch": "yes"}'), said("end"))
    return await run(steps, *replies, on=on, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("nothing", []),
        ("tools", [TOOLS]),
        ("task", [TASK, INPUT]),
        ("tools, task", [TOOLS, TASK, INPUT]),
        ("task, tools", [TOOLS, TASK, INPUT]),
        ("last", ["Results:\n- It is."]),
        ("results", ["Results:\n- one\n- two"]),
        ("answers", ["Results:\n- First: one\n- Second: two\n- Third: yes (It is.)"]),
        ("answers, results, last", ["Results:\n- First: one\n- Second: two\n- Third: yes (It is.)"]),
        ("results, last", ["Results:\n- one\n- two"]),
        ("observations", []),
        ("task, results", [TASK, INPUT, "Results:\n- one\n- two"]),
    ],
)
async def test_prompt_holds_what_the_words_let_in_and_nothing_else(words: str, shown: list[str]) -> None:
    ran = await walked(f"Say it. [sees: {words}]")
    (message,) = ran.llm.asked[-1][0]
    assert message.role == "user"
    assert message.content.split("\n\n") == [*_paragraphs(shown), "Say it."]
    assert (ran.result.stop, ran.result.answer) == ("terminal", "end")


def _paragraphs(shown: list[str]) -> list[str]:
    """The input is told as its prompt file words it."""
    told = Prompts()("input", name="mail", content=MAIL.text)
    return [told if text == INPUT else text for text in shown]


async def test_a_step_without_a_mark_is_asked_as_ever_and_its_neighbour_bare() -> None:
    ran = await walked("Say it. [sees: task]")
    assert [m.role for m in ran.llm.asked[0][0]] == ["system", "user"]
    assert "Current step" in ran.llm.prompt(0)
    assert "Current step" not in ran.llm.prompt(-1)


async def test_record_says_where_each_part_of_a_bare_prompt_came_from_and_keeps_the_mark() -> None:
    ran = await walked("Say it. [sees: task, tools, results]")
    parts = ran.of("prompt")[-1].data["parts"]
    assert [part["source"] for part in parts] == ["tools", "objective", "input", "progress", "step"]
    assert ran.of("step_entered")[-1].data["instruction"] == "Say it. [sees: task, tools, results]"


async def test_images_go_where_the_task_is_seen_and_nowhere_else() -> None:
    steps = flow("Look|process|Look. [sees: task]|next>Say", "Say|terminal|Say it. [sees: last]")
    script = Script(["a cat", "end"], Capabilities(images=True))
    await run(steps, llm=script, on=task("What is it?", CAT), read_file=lambda _: b"png")
    assert [[i.data for m in messages for i in m.images] for messages, _ in script.asked] == [[b"png"], []]
    assert script.prompt(1) == "Results:\n- a cat\n\nSay it."


async def test_image_that_cannot_be_shown_is_named_in_a_bare_prompt() -> None:
    script = Script(["ok"], Capabilities(images=False))
    await run(flow("Look|terminal|Look. [sees: task]"), llm=script, on=task("What is it?", CAT))
    assert "the picture cat.png, which cannot be shown here" in script.prompt()


ASK = "Ask|decision|Does the task say X? {marks}|yes>Yes|no>No"
ENDS = ("Yes|terminal|Say yes.", "No|terminal|Say no.")


async def test_question_without_a_reason_is_held_to_its_keys() -> None:
    ran = await run(flow(ASK.format(marks="[sees: task] [no reason]"), *ENDS), "no", "end", on=task("Do X."))
    (message,) = ran.llm.asked[0][0]
    assert message.content == 'Task: Do X.\n\nDoes the task say X?\nAnswer with "yes" or "no".'
    assert ran.llm.asked[0][1].constraint == Choice(("yes", "no"))
    assert ran.steps == ["Ask", "No"]
    assert ran.of("step_finished")[0].data["answer"] == "no"
    assert ran.of("prompt")[0].data["constraint"] == "one of: yes, no"
    assert ran.of("branch_taken")[0].data["how"] == "schema"


async def test_three_choices_are_told_with_an_or_before_the_last() -> None:
    steps = flow("Ask|decision|Which? [sees: nothing] [no reason]|a>A|b>A|c d>A", "A|terminal|Say.")
    ran = await run(steps, "c d", "end")
    assert ran.llm.prompt(0) == 'Which?\nAnswer with "a", "b" or "c d".'
    assert ran.of("branch_taken")[0].data["key"] == "c d"


@pytest.mark.parametrize(("schema", "asked"), [("schema", "Reply with JSON"), ("prompt", "on a line of its own")])
async def test_bare_question_with_a_reason_is_asked_in_the_form_that_the_backend_can_keep(
    schema: str, asked: str
) -> None:
    reply = '{"answer": "It says so.", "branch": "yes"}' if schema == "schema" else "It says so.\nyes"
    script = Script([reply, "end"], Capabilities(tools=True, schema=schema, images=False))  # type: ignore[arg-type]
    ran = await run(flow(ASK.format(marks="[sees: task]"), *ENDS), llm=script, on=task("Do X."))
    assert script.prompt(0).startswith("Task: Do X.\n\n")
    assert asked in script.prompt(0)
    assert isinstance(script.asked[0][1].constraint, JsonSchema) == (schema == "schema")
    assert ran.steps == ["Ask", "Yes"]
    assert ran.of("step_finished")[0].data["answer"] == "It says so."


async def test_no_reason_alone_leaves_the_long_prompt_and_holds_to_the_keys() -> None:
    ran = await run(flow(ASK.format(marks="[no reason]"), *ENDS), "Yes.", "end", on=task("Do X."))
    assert "Current step, Ask, is a decision: Does the task say X?" in ran.llm.prompt(0)
    assert "nothing else" in ran.llm.prompt(0)
    assert "[no reason]" not in ran.llm.prompt(0)
    assert ran.llm.asked[0][1].constraint == Choice(("yes", "no"))
    assert ran.steps == ["Ask", "Yes"]


async def test_bare_question_that_is_not_answered_is_asked_once_more_behind_the_reply() -> None:
    ran = await run(flow(ASK.format(marks="[sees: task] [no reason]"), *ENDS), "perhaps", "yes", "end")
    first, second = ran.llm.asked[0][0], ran.llm.asked[1][0]
    assert second[: len(first)] == first
    assert [m.role for m in second[len(first) :]] == ["assistant", "user"]
    assert ran.steps == ["Ask", "Yes"]
    assert ran.result.totals.calls == 3


async def test_empty_bare_answer_is_asked_for_once_more() -> None:
    ran = await run(flow("A|terminal|Say it. [sees: nothing]"), "", "at last")
    assert ran.result.answer == "at last"
    assert ran.llm.prompt(0) == "Say it."


@pytest.mark.parametrize("native", [True, False])
async def test_where_tools_can_be_called_a_step_sees_everything_whatever_its_marks(native: bool) -> None:
    script = Script(
        [said('{"answer": "so", "branch": "yes"}'), said('{"answer": "end"}' if not native else "end")],
        Capabilities(tools=native, schema="schema", images=False),
    )
    steps = flow(ASK.format(marks="[sees: nothing] [no reason]"), "Yes|terminal|Say. [sees: nothing]", ENDS[1])
    ran = await run(steps, llm=script, on=ON, tools=BUILTIN[:1])
    for number in (0, 1):
        assert "Answer the mail." in script.prompt(number)
        assert "Denoise, Deblur" in script.prompt(number)
        assert "[sees" not in script.prompt(number)
        assert not isinstance(script.asked[number][1].constraint, Choice)
    assert "Ask: yes" in script.prompt(1)
    assert (ran.result.stop, ran.result.answer) == ("terminal", "end")


async def test_observations_are_kept_from_a_step_that_does_not_see_them() -> None:
    steps = flow(
        "Count|process|Count.|next>Blind", "Blind|process|Go on. [sees: task]|next>End",
        "End|terminal|End. [sees: observations]",
    )  # fmt: skip
    replies = (calls(("calculator", '{"expression": "20 + 22"}')), said("done"), said("on"), said("end"))
    ran = await run(steps, *replies, tools=BUILTIN[:1])
    assert "42" not in ran.llm.prompt(2)
    assert "42" in ran.llm.prompt(3)


async def test_file_of_a_bare_prompt_can_be_replaced(home, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    folder = home / "prompts" / "interpret"
    folder.mkdir(parents=True)
    (folder / "bare-task.md").write_text("Aufgabe: {{objective}}\n")
    ran = await run(flow("A|terminal|Say it. [sees: task]"), "ok", on=task("Do X."))
    assert ran.llm.prompt() == "Aufgabe: Do X.\n\nSay it."


async def test_marks_that_were_read_from_a_text_work_as_those_of_a_step() -> None:
    workflow = parse_strict(
        "Ask:::decision:::Does the task say X? [sees: task] [no reason]:::yes::End::no::End\nEnd:::terminal:::Say.:::\n"
    )
    ran = await run(workflow, "yes", "end", on=task("Do X."))
    assert ran.llm.prompt(0) == 'Task: Do X.\n\nDoes the task say X?\nAnswer with "yes" or "no".'
