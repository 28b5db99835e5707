"""What figures were measured with: the command, the machine and the versions, for the head of a document's tables."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

from compress_guard.engine.settings import cores, processor

PACKAGES: Final = (
    "torch",
    "torchvision",
    "torchcodec",
    "pillow",
    "pillow-heif",
    "pillow-jxl-plugin",
    "compressai",
    "numpy",
)


def preamble(module: str, given: Sequence[str]) -> Iterator[str]:
    """The command line of a module of this folder, folders by their names alone, and its `conditions`."""
    named = [Path(one).name if "/" in one else one for one in given]
    yield f"`{' '.join([f'python -m benchmarks.{module}', *named])}`"
    yield ""
    yield from conditions()


def conditions() -> Iterator[str]:
    """The machine, the system and the versions of libraries."""
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    yield f"{cpu()}, {cores()} of {os.cpu_count()} cores; {system}; {', '.join(versions)}."
    yield ""


def cpu() -> str:
    """``CPU: AMD EPYC``."""
    return f"CPU: {processor()}"
