"""JSON in and out: the same rules as for text, and no shape that raises."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.lang import format_workflow, parse
from autoflow.lang.jsonform import from_json, schema, to_json
from autoflow.lang.workflow import Workflow
from tests.lang.workflows import broken, sound


def steps(*changes: dict[str, Any]) -> dict[str, Any]:
    """A sound workflow of two steps, with these changes to them."""
    first = {"name": "Read", "type": "process", "instruction": "Read it", "branches": [["next", "End"]]}
    last = {"name": "End", "type": "terminal", "instruction": "Say it", "branches": []}
    return {"steps": [{**step, **change} for step, change in zip((first, last), changes, strict=False)]}


def slugs(obj: object) -> list[str]:
    return [d.slug for d in from_json(obj).diagnostics]


@given(sound())
def test_out_and_in_is_the_same_workflow(workflow: Workflow) -> None:
    data = json.loads(json.dumps(to_json(workflow)))
    jsonschema.validate(data, schema())
    result = from_json(data)
    assert result.workflow == Workflow(workflow.steps)
    assert result.text == format_workflow(Workflow(workflow.steps))
    assert parse(result.text).diagnostics == result.diagnostics
    assert [s.line for s in result.workflow.steps] == [s.line for s in parse(result.text).workflow.steps]


def test_the_schema_is_a_schema_and_refuses_what_is_no_workflow() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    changes: list[dict[str, Any]] = [{"type": "end"}, {"branches": [["next"]]}, {"x": 1}, {"name": ""}]
    for bad in ({}, {"steps": []}, *(steps(change, {}) for change in changes)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema())


def test_branches_may_be_an_object_or_absent_and_types_in_any_case() -> None:
    obj = steps({"branches": {"Next": "end"}, "type": "Process"}, {"note": "passed over"})
    del obj["steps"][1]["branches"]
    result = from_json(obj)
    assert result.diagnostics == ()
    assert result.text == "Read:::process:::Read it:::next::End\nEnd:::terminal:::Say it:::\n"


def test_line_breaks_become_spaces() -> None:
    result = from_json(steps({"instruction": "Read\r\n it\u2028all"}, {}))
    assert result.ok
    assert result.workflow.steps[0].instruction == "Read it all"
    assert {d.slug for d in result.diagnostics} == {"control-character"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Re::ad"}, ["reserved-mark"]),
        ({"name": ":Read"}, ["reserved-mark"]),
        ({"name": "# Read"}, ["reserved-mark"]),
        ({"name": " "}, ["empty-name"]),
        ({"type": "proces"}, ["unknown-type"]),
        ({"instruction": "a:::b"}, ["reserved-mark"]),
        ({"instruction": ":a"}, ["reserved-mark"]),
        ({"instruction": ""}, ["empty-instruction"]),
        ({"branches": []}, ["process-branches"]),
        ({"branches": [["then", "End"]]}, ["process-branches"]),
        ({"branches": [["next", "Emd"]]}, ["unknown-target"]),
        ({"type": "decision", "branches": [["a::b", "End"], ["c", "End"]]}, ["reserved-mark"]),
        ({"branches": [["next", ""]]}, ["empty-branch"]),
        ({"name": 1}, ["missing-field"]),
        ({"type": None}, ["missing-field"]),
        ({"instruction": ["Read", "it"]}, ["missing-field"]),
        ({"branches": "End"}, ["odd-branches"]),
        ({"branches": [["next", "End", "x"]]}, ["odd-branches"]),
        ({"branches": {"next": 2}}, ["odd-branches"]),
        ({"branches": 7}, ["odd-branches"]),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_diagnostic(change: dict[str, Any], expected: list[str]) -> None:
    result = from_json(steps(change, {}))
    assert [d.slug for d in result.errors] == expected
    assert all(d.message and d.line == 1 for d in result.errors)


@pytest.mark.parametrize("obj", [None, 3, "x", [], {}, {"steps": None}, {"steps": {}}, {"steps": []}])
def test_without_steps_that_is_the_one_thing_said(obj: object) -> None:
    assert slugs(obj) == ["no-steps"]
    assert from_json(obj).text == ""


def test_a_step_that_is_no_object_is_refused_by_its_number() -> None:
    result = from_json({"steps": ["Read it", *steps({}, {})["steps"]]})
    assert [(d.slug, d.message) for d in result.diagnostics] == [
        ("missing-field", "step number 1 is a text, not an object with fields")
    ]
    assert [step.name for step in result.workflow.steps] == ["Read", "End"]


def test_a_name_used_twice_is_refused() -> None:
    obj = steps({}, {})
    obj["steps"].append({**obj["steps"][1], "name": "end"})
    assert slugs(obj) == ["duplicate-name"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["next", "process", "Step 1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["steps", "name", "type", "instruction", "branches"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(JSON | st.builds(lambda found: {"steps": found}, st.lists(JSON)) | broken().map(to_json))
def test_nothing_raises_and_what_is_accepted_reads_the_same_from_its_text(obj: object) -> None:
    result = from_json(obj)
    if result.ok:
        assert parse(result.text).workflow == result.workflow
    else:
        assert all(d.message for d in result.errors)
