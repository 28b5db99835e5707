"""The table of commands beside the parser's."""

from __future__ import annotations

import argparse
import inspect
from pkgutil import resolve_name

from compress_guard.cli import _COMMANDS
from compress_guard.cli.arguments import command_line


def test_every_command_of_the_parser_has_its_function():
    (commands,) = (action for action in command_line()._actions if isinstance(action, argparse._SubParsersAction))
    assert set(commands.choices) == set(_COMMANDS)
    for name, target in _COMMANDS.items():
        function = resolve_name(target)
        assert inspect.isfunction(function)
        assert function.__name__ == name
        assert list(inspect.signature(function).parameters) == ["options"]
