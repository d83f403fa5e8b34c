"""The worked examples are what beginners see first: they have no faults."""

from __future__ import annotations

import pytest

from autoflow.errors import SettingsError
from autoflow.examples import Example, get_example, list_examples
from autoflow.lang import format, parse
from autoflow.tools import local_tools

EXAMPLES = list_examples()


def test_there_are_three_and_each_can_be_had_by_name() -> None:
    assert [e.slug for e in EXAMPLES] == ["refund-mail", "german-caption", "split-invoice"]
    assert all(get_example(e.slug) == e for e in EXAMPLES)
    with pytest.raises(SettingsError, match="refund-mail"):
        get_example("refund")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.slug)
def test_an_example_has_no_faults_and_is_canonical(example: Example) -> None:
    result = parse(example.text)
    assert result.diagnostics == ()
    assert format(result.workflow) == example.text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.slug)
def test_an_example_is_whole(example: Example) -> None:
    assert example.title
    assert example.shows.endswith(".")
    assert example.objective
    assert example.inputs
    assert all(i.text.strip() for i in example.inputs)
    assert {step.type for step in parse(example.text).workflow.steps} == {"process", "decision", "terminal"}
    assert set(example.tools) <= {tool.name for tool in local_tools()}


def test_one_example_uses_a_tool() -> None:
    assert any(example.tools for example in EXAMPLES)
