"""Commands in the documents are taken by the parsers of their options, and every option that a page names exists."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compress_guard.cli.arguments import command_line

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
BLOCK: Final = re.compile(r"^```(?:console|sh|bash|)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND: Final = re.compile(r"^(?:\$ )?((?:python -m )?(?:pytest|compress[-_]guard) .+)$", re.MULTILINE)
INLINE: Final = re.compile(r"`(?:pytest|compress-guard) [^`]+`")
OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words of each command in the blocks of a page, without what a shell does with them."""
    for block in BLOCK.findall(text):
        for line in COMMAND.findall(block.replace("\\\n", " ")):
            words = shlex.split(line, comments=True)
            yield words[2:] if words[:2] == ["python", "-m"] else words


def known_options() -> dict[str, set[str]]:
    """The options of each command of compress-guard."""
    (commands,) = (action.choices for action in command_line()._actions if isinstance(action.choices, dict))
    return {name: set(parser._option_string_actions) for name, parser in commands.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_is_taken_by_its_parser(page: Path, pytester: pytest.Pytester) -> None:
    for program, *words in commands_in(page.read_text(encoding="utf-8")):
        if program == "pytest":
            pytester.parseconfig(*words)
        else:
            command_line().parse_args(words)


def test_a_command_with_an_option_that_is_not_there_is_refused(pytester: pytest.Pytester) -> None:
    text = "```console\n$ compress-guard run --jsn x\n$ pytest --cg-nothing\n.. 3 passed\n```\n"
    (_, *ours), (_, *theirs) = commands_in(text)
    with pytest.raises(SystemExit):
        command_line().parse_args(ours)
    with pytest.raises(pytest.UsageError, match="unrecognized arguments: --cg-nothing"):
        pytester.parseconfig(*theirs)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_option_between_backticks_is_one_of_its_command(page: Path, pytester: pytest.Pytester) -> None:
    known, general = known_options(), set(command_line()._option_string_actions)
    for span in INLINE.findall(page.read_text(encoding="utf-8")):
        program, *words = span.strip("`").split()
        used = set(OPTION.findall(span))
        if program == "pytest":
            assert {option for option in used if not is_of_pytest(option, pytester)} == set(), span
        elif words[0] in known:
            assert used - known[words[0]] == set(), span
        else:
            assert used - general == set(), span


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_option_of_the_plugin_that_a_page_names_exists(page: Path, pytester: pytest.Pytester) -> None:
    named = set(re.findall(r"--cg-[a-z-]*[a-z]", page.read_text(encoding="utf-8")))
    assert {option for option in named if not is_of_pytest(option, pytester)} == set()


def is_of_pytest(option: str, pytester: pytest.Pytester) -> bool:
    """Ask the parser of a pytest with the plugin, which takes an option alone or asks for its argument."""
    parser = pytester.parseconfig()._parser.optparser
    assert isinstance(parser, argparse.ArgumentParser)
    return option in parser._option_string_actions
