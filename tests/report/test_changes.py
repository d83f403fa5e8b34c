"""The difference as records: nothing of either text is lost, and only what differs is marked."""

from __future__ import annotations

from hypothesis import given

from autoflow.lang import parse
from autoflow.lang.diff import diff
from autoflow.lang.workflow import Workflow
from autoflow.report.changes import MOST_WORDS, changes, counted
from tests.lang.strategies import workflows

A = "Ask:::process:::Read the short mail.:::next::End\nEnd:::terminal:::Answer.:::\n"


def between(a: str, b: str) -> list[dict[str, object]]:
    return changes(diff(parse(a).workflow, parse(b).workflow))


def test_words_that_changed_are_marked_and_the_others_are_not() -> None:
    (record,) = between(A, A.replace("short", "long"))
    assert (record["sign"], record["title"], record["what"]) == ("~", "Ask", "changed")
    assert record["fields"] == [
        {
            "field": "instruction",
            "before": [["same", "Read the "], ["removed", "short"], ["same", " mail."]],
            "after": [["same", "Read the "], ["added", "long"], ["same", " mail."]],
        }
    ]


def test_a_step_on_one_side_only_is_shown_whole() -> None:
    longer = A.replace("next::End", "next::Look").replace("End:::", "Look:::process:::Look it up.:::next::End\nEnd:::")
    assert [(r["sign"], r["title"]) for r in between(A, longer)] == [("~", "Ask"), ("+", "Look")]
    gone = between(longer, A)[-1]
    assert (gone["sign"], gone["what"]) == ("−", "removed")
    assert {"field": "instruction", "before": [["removed", "Look it up."]], "after": []} in gone["fields"]  # type: ignore[operator]


def test_comments_are_a_record_of_their_own() -> None:
    (record,) = between(A, A + "# a remark\n")
    assert record["title"] == "Comments"
    assert record["fields"] == [{"field": "comment", "before": [], "after": [["added", "# a remark"]]}]


def test_very_long_texts_count_as_changed_whole() -> None:
    long = "word " * MOST_WORDS
    (record,) = between(A, A.replace("Read the short mail.", long))
    assert record["fields"][0]["before"] == [["removed", "Read the short mail."]]  # type: ignore[index]


def test_it_is_counted_in_words() -> None:
    one, other = parse(A).workflow, parse(A.replace("short", "long")).workflow
    assert counted(diff(one, other)) == "Steps: 1 changed."
    assert counted(diff(one, one)) == "Both say the same."


@given(workflows(), workflows())
def test_pieces_add_up_to_both_texts(a: Workflow, b: Workflow) -> None:
    found = diff(a, b)
    for step, record in zip(found.steps, changes(found), strict=False):
        for change, field in zip(step.fields, record["fields"], strict=False):
            assert "".join(piece for _, piece in field["before"]) == change.before
            assert "".join(piece for _, piece in field["after"]) == change.after
