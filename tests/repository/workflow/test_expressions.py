"""The stand-in for GitHub's expressions knows its rules."""

from __future__ import annotations

import pytest

from tests.repository.workflow.expressions import Scope, text_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.a == 'Yes'", True),  # texts are compared without case
        ("inputs.none == ''", True),
        ("inputs.a && 'x' || 'y'", "x"),
        ("inputs.empty && 'x' || 'y'", "y"),
        ("inputs.zero && 'x'", "x"),  # the text 0 is no number
        ("!inputs.empty", True),
        ("(inputs.empty || inputs.a) != 'no'", True),
        ("format('--cg-limit {0}', inputs.zero)", "--cg-limit 0"),
        ("steps.one.outputs.exit-code", "4"),
        ("startsWith('pull_request', 'pull')", True),
        ("'it''s'", "it's"),
        ("steps.absent.outputs.x", None),
    ],
)
def test_an_expression_has_the_value_that_github_gives_it(text, value):
    context = {
        "inputs": {"a": "yes", "empty": "", "zero": "0"},
        "steps": {"one": {"outputs": {"exit-code": "4"}}},
    }
    assert Scope(context).evaluate(text) == value


def test_steps_behind_a_failed_one_run_only_if_they_say_so():
    scope = Scope({"steps": {}})
    scope.failed = True
    assert [scope.runs(text) for text in (None, "true", "always()", "failure()", "success() || true")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert [text_of(value) for value in (None, True, 3)] == ["", "true", "3"]
