"""The command line that benchmarks share, and the facts of the machine that stand above their tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Final, final

from benchmarks import document
from compress_guard.engine.settings import cores, processor
from compress_guard.errors import UsageError

PACKAGES: Final = (
    "torch",
    "torchvision",
    "torchcodec",
    "pillow",
    "opencv-python-headless",
    "pillow-heif",
    "pillow-jxl-plugin",
    "pyvips-binary",
    "compressai",
    "constriction",
    "numpy",
)


@final
class Command(argparse.ArgumentParser):
    """The parser of ``python -m benchmarks.NAME``, with the options and checks that several benchmarks have."""

    def __init__(self, name: str, doc: str | None) -> None:
        """Describe the command by the first line of its module's docstring."""
        description = (doc or "").partition("\n")[0].partition(": ``")[0]
        super().__init__(prog=f"python -m benchmarks.{name}", description=description)

    def add_folder(self, option: str = "--photographs", *, rendered: bool = False) -> None:
        """Add the folder of photographs; it may be left out where `rendered` scenes stand in."""
        instead = "; without it scenes are rendered" if rendered else ""
        self.add_argument(option, type=Path, required=not rendered, help=f"folder of photographs{instead}")

    def add_whole(self, option: str, default: int, meaning: str) -> None:
        """Add a number whose help ends with its default."""
        self.add_argument(option, type=int, default=default, help=f"{meaning} ({default})")

    def add_rates(self, default: Sequence[float]) -> None:
        """Add the target rates."""
        self.add_argument("--rates", nargs="+", type=float, default=default, help="bits per pixel")

    def add_thresholds(self, meaning: str) -> None:
        """Add the thresholds file, by default the bundled one."""
        self.add_argument("--thresholds", type=Path, default=Path("thresholds.yaml"), help=meaning)

    def add_write(self) -> None:
        """Add the document that the tables go to."""
        self.add_argument("--write", type=Path, metavar="FILE", help="document to put the tables into")

    def check_whole(self, chosen: argparse.Namespace, *names: str, least: int = 1) -> None:
        """End with an error where one of these numbers is below `least`."""
        for name in names:
            value = getattr(chosen, name)
            if value < least:
                self.error(f"--{name}: {value} is not a whole number of at least {least}")

    def check_folder(self, path: Path | None, option: str = "--photographs") -> None:
        """End with an error where a folder is named that is none."""
        if path is not None and not path.is_dir():
            self.error(f"{option}: {path} is not a folder; name a folder of photographs")

    def check_thresholds(self, path: Path) -> None:
        """End with an error where the thresholds file is none."""
        if not path.is_file():
            self.error(f"--thresholds: {path} is not a file; name a thresholds file")


def check_document(path: Path | None, mark: str) -> None:
    """Raise `SystemExit` where the document lacks the marks: before a long run, not after it."""
    try:
        if path is not None:
            document.read(path, mark)
    except UsageError as problem:
        raise SystemExit(str(problem)) from problem


def given_words(arguments: Sequence[str] | None) -> list[str]:
    """Return the words of the command line: `arguments`, or those of the process where it is None."""
    return list(sys.argv[1:] if arguments is None else arguments)


def command_line(name: str, words: Sequence[str]) -> str:
    """Return the command in backquotes, folders by their names alone."""
    named = [Path(word).name if "/" in word else word for word in words]
    return f"`{' '.join([f'python -m benchmarks.{name}', *named])}`"


def preamble(name: str, words: Sequence[str]) -> Iterator[str]:
    """Yield the command line of a benchmark and its `conditions`."""
    yield command_line(name, words)
    yield ""
    yield from conditions()


def conditions() -> Iterator[str]:
    """Yield the machine, the system and the versions of libraries."""
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
    """Return the name of the processor: ``CPU: AMD EPYC``."""
    return f"CPU: {processor()}"
