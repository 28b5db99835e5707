"""The command line that benchmarks share: each knows its own name, and refuses what makes no sense."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from benchmarks import command
from benchmarks.command import Command, check_document

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "benchmarks").glob("*/*.py")
    if "Command(" in path.read_text(encoding="utf-8")
)


@pytest.fixture
def parser():
    made = Command("speed.nothing", "Nothing: ``python -m benchmarks.speed.nothing``.\n\nMore of it.")
    made.add_folder(rendered=True)
    made.add_whole("--limit", 7, "images")
    made.add_thresholds("the file")
    made.add_rates([0.25])
    made.add_write()
    return made


def test_there_are_commands():
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_calls_itself_by_the_name_of_its_module(name, capsys):
    with pytest.raises(SystemExit) as end:
        importlib.import_module(name).main(["--help"])
    assert end.value.code == 0
    assert re.match(rf"usage: python -m {re.escape(name)}\s", capsys.readouterr().out)


def test_help_describes_the_command_and_its_defaults(parser):
    text = parser.format_help()
    assert "\nNothing\n" in text
    assert "images (7)" in text


def test_arguments_have_their_defaults(parser):
    assert vars(parser.parse_args([])) == {
        "photographs": None,
        "limit": 7,
        "thresholds": Path("thresholds.yaml"),
        "rates": [0.25],
        "write": None,
    }


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda parser, chosen: parser.check_whole(chosen, "limit"), "--limit: 0 is not a whole number of at least 1"),
        (
            lambda parser, chosen: parser.check_whole(chosen, "limit", least=2),
            "--limit: 0 is not a whole number of at least 2",
        ),
        (
            lambda parser, chosen: parser.check_folder(chosen.photographs),
            "--photographs: nowhere is not a folder; name a folder of photographs",
        ),
        (
            lambda parser, chosen: parser.check_thresholds(chosen.thresholds),
            "--thresholds: none.yaml is not a file; name a thresholds file",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(parser, check, said, capsys):
    chosen = parser.parse_args("--limit 0 --photographs nowhere --thresholds none.yaml".split())
    with pytest.raises(SystemExit) as end:
        check(parser, chosen)
    assert end.value.code == 2
    assert capsys.readouterr().err.endswith(f"python -m benchmarks.speed.nothing: error: {said}\n")


def test_a_document_is_looked_at_before_anything_is_measured(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no marks\n")
    with pytest.raises(SystemExit, match="does not have <!-- speed -->"):
        check_document(page, "speed")
    check_document(None, "speed")
    page.write_text("<!-- speed -->\n<!-- end of speed -->\n")
    check_document(page, "speed")


def test_folders_in_a_command_go_by_their_names():
    assert (
        command.command_line("rates.reached", ["--images", "/data/gb82", "--limit", "3"])
        == "`python -m benchmarks.rates.reached --images gb82 --limit 3`"
    )


def test_words_are_those_given_or_those_of_the_process(monkeypatch):
    monkeypatch.setattr(command.sys, "argv", ["program", "--limit", "3"])
    assert command.given_words(None) == ["--limit", "3"]
    assert command.given_words(["--few"]) == ["--few"]
