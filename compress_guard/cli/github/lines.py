"""Lines for the runner of GitHub on standard output."""

from __future__ import annotations

import sys

from compress_guard.github.commands import Level, message


def say(level: Level, text: str, **properties: str | int | None) -> None:
    """Write a line that makes an annotation."""
    encoding = sys.stdout.encoding or "utf-8"
    line = message(level, text, **properties)
    sys.stdout.write(f"{line.encode(encoding, 'backslashreplace').decode(encoding)}\n")
