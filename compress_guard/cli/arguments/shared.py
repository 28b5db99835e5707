"""Options that several commands share, and the values that they take."""

from __future__ import annotations

import argparse
from typing import TypeAlias

from compress_guard.cli.arguments.parser import Parser

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""The commands of a parser, to which others are added."""


def add_thresholds_file(command: argparse.ArgumentParser) -> None:
    """Add the thresholds file that a command reads."""
    command.add_argument(
        "thresholds", nargs="?", default="thresholds.yaml", metavar="FILE", help="default: thresholds.yaml"
    )


def add_machine_options(command: argparse.ArgumentParser) -> None:
    """Add the options on how a command measures: device, threads, images, seed and cache."""
    command.add_argument(
        "--device", default="auto", help="where models and GPU codecs run: auto (default), cpu, cuda or cuda:N"
    )
    command.add_argument("--workers", type=positive, metavar="N", help="CPU threads for coding (default: cores)")
    command.add_argument("--limit", type=positive, metavar="N", help="use a seeded subset of N images per guard")
    add_seed(command, "subsets, mixes and the bootstrap")
    command.add_argument("--cache", metavar="DIR", help="keep bitstreams in DIR (default: .compress_guard beside FILE)")
    command.add_argument(
        "--cache-size",
        type=positive,
        metavar="MB",
        help="most megabytes that the cache may hold; what was unused longest is removed first (default: 4096)",
    )
    command.add_argument("--no-cache", action="store_true", help="keep nothing after the run")


def add_seed(command: argparse.ArgumentParser, drawn: str) -> None:
    """Add the seed by which a command draws these things."""
    command.add_argument("--seed", type=int, default=0, metavar="S", help=f"seed of {drawn} (default: 0)")


def add_run_options(command: argparse.ArgumentParser) -> None:
    """Add the options of a command that measures and judges."""
    add_machine_options(command)
    command.add_argument(
        "--strict",
        action="store_true",
        help="fail cells that would be skipped, except where FILE itself says skip, and cells that would pass by a "
        "limit that cannot be missed or looks like a share",
    )


def add_text_options(command: argparse.ArgumentParser) -> None:
    """Add the options on the text that a command shows of results."""
    amount = command.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", help="show the results in one line")
    amount.add_argument(
        "-v", "--verbose", action="store_true", help="show the images behind undecided cells and all failed ones too"
    )
    command.add_argument(
        "--color",
        choices=("auto", "yes", "no"),
        default="auto",
        help="colours: auto (default) on a terminal, unless NO_COLOR is set; yes or no",
    )


def set_trial_defaults(command: argparse.ArgumentParser, images: int) -> None:
    """Set the default number of images, and the values of options that only commands with a verdict offer."""
    command.set_defaults(limit=images, strict=False, json=None)


def positive(text: str) -> int:
    """Return the whole number of at least 1 that a text is; raises `ArgumentTypeError`."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
