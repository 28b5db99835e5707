"""Workflow commands: one line each, whatever a text contains."""

from __future__ import annotations

import pytest

from compress_guard.github.commands import assignments, message


def test_a_message_has_its_properties_escaped_for_their_place():
    line = message("error", "50 % lost: a, b", file="a,b:c%d.yaml", line=4, title=None)
    assert line == "::error file=a%2Cb%3Ac%25d.yaml,line=4::50 %25 lost: a, b"


@pytest.mark.parametrize(
    "foreign", ["a\n::error::b", "a\r\n::set-output name=x::b", "a\u2028b", "##[error]b", "\x1b[2Jx"]
)
def test_no_text_ends_the_line_or_begins_another_command(foreign):
    line = message("error", foreign, title=foreign, file=foreign)
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert "##[" not in line
    assert line.count("::") - foreign.count("::") == 2  # those of the title and the file are %3A%3A


def test_a_message_without_properties_is_one():
    assert message("notice", "x") == "::notice::x"


def test_no_value_assigns_another_output():
    assert assignments({"a": "x\nb=evil", "n": 3}) == "a=x\\x0ab=evil\nn=3\n"
