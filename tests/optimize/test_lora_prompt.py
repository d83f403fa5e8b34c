"""The chat of a training: what it tells, and what it leaves out."""

from __future__ import annotations

from autoflow.optimize.lora_prompt import chat

EXAMPLE = "Step 1:::terminal:::Answer.:::\n"


def test_the_example_is_the_models_own_answer_to_another_task() -> None:
    system, first, answer, wish = chat(EXAMPLE, ["Mend the image."], shown=["Name the image."])
    assert [m.role for m in (system, first, answer, wish)] == ["system", "user", "assistant", "user"]
    assert first.content == "Write a workflow for this task: Name the image."
    assert answer.content == EXAMPLE.strip()
    assert wish.content == "Write a workflow for this task: Mend the image."


def test_the_example_may_be_shown_for_several_tasks() -> None:
    told = [(m.role, m.content) for m in chat(EXAMPLE, ["Mend it."], shown=["Name it.", "Blur it."])[1:]]
    answer = ("assistant", EXAMPLE.strip())
    asked = [("user", f"Write a workflow for this task: {task}") for task in ("Name it.", "Blur it.", "Mend it.")]
    assert told == [asked[0], answer, asked[1], answer, asked[2]]


def test_several_tasks_stand_on_lines_of_their_own() -> None:
    wish = chat(EXAMPLE, ["One.", "Two."], shown=["None."], steps="three")[-1].content
    assert wish == "Write a workflow of three steps for these tasks:\n- One.\n- Two."


def test_what_is_not_asked_for_is_left_out_without_a_gap() -> None:
    short = chat(EXAMPLE, ["One."], shown=["None."])[0].content
    assert "\n" not in short
    words = chat(EXAMPLE, ["One."], shown=["None."], vocabulary=["Image Denoising", "Colorization"])[0].content
    assert words == f"{short}\n\nWords that the answers are made of: Image Denoising, Colorization"
    told = chat(EXAMPLE, ["One."], shown=["None."], grammar=True)[0].content
    assert told.startswith(f"{short}\n")
    assert "<name>:::<type>:::<instruction>:::<branches>" in told
