"""Operations of the editor: what they change, what they leave, and what they refuse."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.lang import format_workflow, parse
from autoflow.lang.edit import EditResult, add_step, delete_step, move_step, rename_step, update_step
from autoflow.lang.workflow import Branch, Step, Workflow, fold
from tests.lang.workflows import ANYTHING, PHRASES, sound

TEXT = (
    "# mails\r\n"
    "Step 1 ::: process ::: Read the mail ::: next :: step 2\r\n"
    "\r\n"
    "Step 2:::Decision:::Is it urgent?:::yes::Step 3::no::Step 1\r\n"
    "some prose\r\n"
    "Step 3:::terminal:::Answer it:::"
)


def lines(result: EditResult) -> list[str]:
    assert result.ok, result.diagnostics
    return result.text.split("\r\n")


def test_renaming_replaces_the_name_and_the_references_and_nothing_else() -> None:
    assert lines(rename_step(TEXT, 1, "Urgent?")) == [
        "# mails",
        "Step 1 ::: process ::: Read the mail ::: next :: Urgent?",
        "",
        "Urgent?:::Decision:::Is it urgent?:::yes::Step 3::no::Step 1",
        "some prose",
        "Step 3:::terminal:::Answer it:::",
    ]


def test_a_step_that_leads_to_itself_follows_its_own_name() -> None:
    text = "A:::decision:::Again?:::yes::a::no::B\nB:::terminal:::Stop:::\n"
    assert rename_step(text, 0, "Ask").text == "Ask:::decision:::Again?:::yes::Ask::no::B\nB:::terminal:::Stop:::\n"


def test_a_form_is_written_as_one_canonical_line() -> None:
    form = Step("Step 2", "Decision", "Is it\r\nvery urgent? ", (Branch(" yes", "step 3"), Branch("no", "STEP 1")))
    assert lines(update_step(TEXT, 1, form))[3] == "Step 2:::decision:::Is it very urgent?:::yes::Step 3::no::Step 1"


def test_a_form_that_renames_takes_its_references_along() -> None:
    form = Step("Check", "decision", "Is it urgent?", (Branch("yes", "Step 3"), Branch("no", "Step 2")))
    result = lines(update_step(TEXT, 1, form))
    assert result[1].endswith("next :: Check")
    assert result[3] == "Check:::decision:::Is it urgent?:::yes::Step 3::no::Check"


def test_a_form_without_a_change_leaves_the_text_as_it_is() -> None:
    for index, step in enumerate(parse(TEXT).workflow.steps):
        assert update_step(TEXT, index, step).text == TEXT


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"name": ""}, "empty-name"),
        ({"name": "a::b"}, "reserved-mark"),
        ({"name": "# a"}, "reserved-mark"),
        ({"name": "step 3"}, "duplicate-name"),
        ({"type": "wait"}, "unknown-type"),
        ({"instruction": " \n"}, "empty-instruction"),
        ({"instruction": "a:::b"}, "reserved-mark"),
        ({"instruction": ":a"}, "reserved-mark"),
        ({"type": "process"}, "process-branches"),
        ({"type": "terminal"}, "terminal-branches"),
        ({"branches": (Branch("yes", "Step 3"),)}, "decision-branches"),
        ({"branches": (Branch("yes", "Step 3"), Branch("YES", "Step 1"))}, "decision-branches"),
        ({"branches": (Branch("yes", "Step 3"), Branch("", "Step 1"))}, "empty-branch"),
        ({"branches": (Branch("a::b", "Step 3"), Branch("no", "Step 1"))}, "reserved-mark"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_and_the_text_stays(change: dict[str, object], slug: str) -> None:
    old = parse(TEXT).workflow.steps[1]
    result = update_step(TEXT, 1, replace(old, **change))  # type: ignore[arg-type]
    assert [d.slug for d in result.diagnostics] == [slug]
    assert result.diagnostics[0].line == 4
    assert result.text == TEXT


def test_a_fault_that_was_there_before_is_no_reason_to_refuse() -> None:
    text = "A:::process:::Go:::yes::B::no::C\nB:::terminal:::Stop:::\n"
    (branches, _) = (step.branches for step in parse(text).workflow.steps)
    result = update_step(text, 0, Step("A", "process", "Go on", branches))
    assert result.text.startswith("A:::process:::Go on:::yes::B::no::C\n")


def test_a_target_that_does_not_exist_yet_is_let_through() -> None:
    result = update_step(TEXT, 0, Step("Step 1", "process", "Read", (Branch("next", "Later"),)))
    assert lines(result)[1] == "Step 1:::process:::Read:::next::Later"


def test_a_new_step_stands_between() -> None:
    result = lines(add_step(TEXT, 0))
    assert result[1:3] == [
        "Step 1 ::: process ::: Read the mail ::: next :: Step 4",
        "Step 4:::process:::Say here what to do:::next::Step 2",
    ]
    assert parse("\n".join(result)).ok


def test_behind_a_decision_a_new_step_takes_the_branch_to_the_next_line() -> None:
    assert lines(add_step(TEXT, 1))[3:5] == [
        "Step 2:::Decision:::Is it urgent?:::yes::Step 4::no::Step 1",
        "Step 4:::process:::Say here what to do:::next::Step 3",
    ]


def test_in_front_of_all_a_new_step_becomes_the_entry() -> None:
    assert lines(add_step(TEXT, -1))[:2] == ["# mails", "Step 4:::process:::Say here what to do:::next::Step 1"]


def test_behind_the_end_a_new_step_is_another_end_on_a_line_of_its_own() -> None:
    assert lines(add_step(TEXT, 2))[-2:] == [
        "Step 3:::terminal:::Answer it:::",
        "Step 4:::terminal:::Say here what to do:::",
    ]


def test_the_first_step_of_an_empty_text() -> None:
    assert add_step("", -1).text == add_step("", 0).text == "Step 1:::terminal:::Say here what to do:::\n"
    assert add_step("# so far", -1).text == "# so far\nStep 1:::terminal:::Say here what to do:::"


def test_a_given_step_is_linked_in_where_it_leads_on() -> None:
    linked = add_step(TEXT, 0, Step("Translate", "process", "Translate it"))
    assert lines(linked)[1:3] == [
        "Step 1 ::: process ::: Read the mail ::: next :: Translate",
        "Translate:::process:::Translate it:::next::Step 2",
    ]
    apart = add_step(TEXT, 0, Step("Give up", "terminal", "Say sorry"))
    assert lines(apart)[1].endswith("next :: step 2")


def test_deleting_rejoins_the_neighbours_or_leaves_a_hole() -> None:
    assert lines(delete_step(TEXT, 1))[1] == "Step 1 ::: process ::: Read the mail ::: next :: Step 3"
    assert lines(delete_step(TEXT, 1, rejoin=False))[1] == "Step 1 ::: process ::: Read the mail ::: next :: step 2"
    assert "yes::Step 3" in delete_step(TEXT, 2).text, "a terminal leads nowhere to rejoin to"


def test_moving_keeps_comments_and_line_ends_in_place() -> None:
    assert lines(move_step(TEXT, 2, 0)) == [
        "# mails",
        "Step 3:::terminal:::Answer it:::",
        "",
        "Step 1 ::: process ::: Read the mail ::: next :: step 2",
        "some prose",
        "Step 2:::Decision:::Is it urgent?:::yes::Step 3::no::Step 1",
    ]
    assert move_step(TEXT, 0, 99).index == 2


def test_of_two_steps_with_one_name_references_follow_the_first_alone() -> None:
    text = "A:::process:::Go:::next::B\nB:::terminal:::Stop:::\nB:::terminal:::Halt:::\n"
    assert rename_step(text, 2, "C").text == text.replace("B:::terminal:::Halt", "C:::terminal:::Halt")
    assert rename_step(text, 1, "C").text.splitlines()[:2] == ["A:::process:::Go:::next::C", "C:::terminal:::Stop:::"]


def test_a_byte_order_mark_stays_in_front() -> None:
    assert rename_step("\ufeffA:::terminal:::x:::", 0, "B").text == "\ufeffB:::terminal:::x:::"
    assert move_step("\ufeffA:::terminal:::x:::\nB:::terminal:::y:::", 1, 0).text.startswith("\ufeffB:::")


@pytest.mark.parametrize("index", [-2, 3, 99])
def test_a_step_that_is_not_there_is_refused(index: int) -> None:
    step = Step("A", "terminal", "x")
    for result in (
        update_step(TEXT, index, step), rename_step(TEXT, index, "A"), add_step(TEXT, index), delete_step(TEXT, index),
        move_step(TEXT, index, 0),
    ):  # fmt: skip
        assert not result.ok
        assert result.text == TEXT


def graph(text: str) -> list[list[tuple[str, int | None]]]:
    """For each step its keys and the positions they lead to."""
    workflow = parse(text).workflow
    return [[(fold(b.key), workflow.index.get(fold(b.target))) for b in s.branches] for s in workflow.steps]


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, int]:
    """The text of a sound workflow, and the position of one of its steps."""
    workflow = draw(sound())
    return format_workflow(workflow), draw(st.integers(0, len(workflow.steps) - 1))


@given(texts(), PHRASES)
def test_renaming_keeps_the_graph(given_text: tuple[str, int], name: str) -> None:
    text, index = given_text
    result = rename_step(text, index, name)
    if result.ok:
        assert graph(result.text) == graph(text)
        assert parse(result.text).workflow.steps[index].name == name


@given(texts(), st.booleans())
def test_adding_and_deleting_again_restores_the_text(given_text: tuple[str, int], in_front: bool) -> None:
    text, index = given_text
    added = add_step(text, -1 if in_front else index)
    assert added.ok
    assert added.index is not None
    assert parse(added.text).ok
    assert len(parse(added.text).workflow.steps) == len(parse(text).workflow.steps) + 1
    assert delete_step(added.text, added.index).text == text


@given(texts(), st.integers(-2, 9))
def test_moving_there_and_back_restores_the_text(given_text: tuple[str, int], to: int) -> None:
    text, index = given_text
    moved = move_step(text, index, to)
    assert moved.index is not None
    assert move_step(moved.text, moved.index, index).text == text
    assert Counter(moved.text.splitlines()) == Counter(text.splitlines())


LINES = st.builds(
    "{}:::{}:::{}:::{}".format,
    st.sampled_from(["A", "B", "b", " C ", "", "1. A", "x::y"]),
    st.sampled_from(["process", "Decision", "terminal", "proces", "", "foo"]),
    st.sampled_from(["go", "go:", "a::b", "", " say  it "]),
    st.sampled_from(["next::B", "yes::A::no::B", "B", "yes:: c::no", "", "::", "yes::A, no::B", "next :: x", "a::b::"]),
)
OTHER_LINES = ANYTHING | st.sampled_from(["# note", "A:::process", "prose", "A:::terminal:::x"])
BROKEN = st.lists(LINES | OTHER_LINES, max_size=7)
FORMS = st.builds(
    Step, ANYTHING, st.sampled_from(["process", "decision", "terminal", "x"]), ANYTHING,
    st.lists(st.builds(Branch, ANYTHING, ANYTHING), max_size=2).map(tuple),
)  # fmt: skip


@given(
    st.tuples(BROKEN, st.sampled_from(["\n", "\r\n"])).map(lambda found: found[1].join(found[0])),
    st.integers(-2, 7), st.integers(-2, 7), ANYTHING, st.none() | FORMS,
)  # fmt: skip
def test_on_any_text_nothing_raises_and_nothing_of_other_steps_is_lost(
    text: str, index: int, to: int, name: str, form: Step | None
) -> None:
    before = parse(text).workflow
    mine = Counter([before.steps[index].instruction] if 0 <= index < len(before.steps) else [])
    results = [
        rename_step(text, index, name), update_step(text, index, form or Step("A", "terminal", "x")),
        add_step(text, index, form), move_step(text, index, to), delete_step(text, index),
        delete_step(text, index, rejoin=False),
    ]  # fmt: skip
    for result in results:
        after = parse(result.text).workflow
        instructions = Counter(step.instruction for step in before.steps)
        assert not instructions - mine - Counter(step.instruction for step in after.steps)
        assert [c.text for c in after.comments] == [c.text for c in before.comments]
        assert result.ok or result.text == text


def test_editing_a_long_workflow_stays_quick() -> None:
    steps = [Step(f"S{k}", "process", "go", (Branch("next", f"S{k + 1}"),)) for k in range(3000)]
    text = format_workflow(Workflow((*steps, Step("S3000", "terminal", "stop"))))
    assert "next::Last\n" in rename_step(text, 3000, "Last").text
