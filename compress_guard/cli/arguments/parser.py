"""The parser of the command line, which says what is wrong with arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A parser that repeats arguments in printable characters, on one line."""

    long_options: frozenset[str] = frozenset()
    """Options of its commands, such as ``--limit``."""

    def learn(self, commands: Iterable[argparse.ArgumentParser]) -> None:
        """Remember the options of the commands, for messages."""
        usages = " ".join(command.format_usage() for command in commands)
        self.long_options = frozenset(re.findall(r"--[a-z-]+", usages))

    def error(self, message: str) -> NoReturn:
        if not message.isprintable() or not message.isascii() or "##" in message:  # else nothing needs to be loaded
            from compress_guard.foreign import shown

            message = shown(message)
        super().error(message + self._without_prefix(message))

    def _without_prefix(self, message: str) -> str:
        """Return what to type for options of the pytest plugin, if the message refuses any that a command has too."""
        refused = [word.partition("=")[0] for word in message.split() if word.startswith("--cg-")]
        here = {f"--{name.removeprefix('--cg-')}" for name in refused} & self.long_options
        if not message.startswith("unrecognized arguments: ") or not here:
            return ""
        return f"; --cg- belongs to pytest, use {', '.join(sorted(here))}"
