"""The command ``compress-guard``, from the parser of its arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from compress_guard.cli.arguments import command_line
from docs._generate.markdown import cell, code, table


def commands() -> Mapping[str, argparse.ArgumentParser]:
    """Return the parser of each command by its name, in the order of the help; tasks of a command are behind it."""
    return dict(_below(command_line()))


def _below(parser: argparse.ArgumentParser, prefix: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for name, command in action.choices.items():
                yield f"{prefix}{name}", command
                yield from _below(command, f"{prefix}{name} ")


def commands_part() -> str:
    """Return the part on the commands: a section for each."""
    return "\n".join(_section(name, parser) for name, parser in commands().items())


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    rows = [(", ".join(_shown(action)), _help(parser, action)) for action in _arguments(parser)]
    usage = " ".join(parser.format_usage().split()).removeprefix("usage: ")
    return f"## `compress-guard {name}`\n\n{cell(parser.description or '')}\n\n```text\n{usage}\n```\n\n" + table(
        ("argument", "meaning"), rows
    )


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in parser._actions if action.dest != "help")


def _shown(action: argparse.Action) -> Iterator[str]:
    metavar = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if not action.option_strings:
        yield code(metavar)
    for name in action.option_strings:
        yield code(f"{name} {metavar}".strip())


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    return cell(parser._get_formatter()._expand_help(action))
