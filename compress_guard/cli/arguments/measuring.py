"""Options of the commands that measure and judge the cells of a thresholds file: `run` and `recover`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from compress_guard.cli.arguments.shared import Commands, add_run_options, add_text_options, add_thresholds_file

if TYPE_CHECKING:
    from compress_guard.thresholds.shards import FileShard


def add_run(commands: Commands) -> None:
    """Add the command `run`."""
    run = commands.add_parser(
        "run",
        help="measure and judge the cells of a thresholds file",
        description="Measure and judge the cells of a thresholds file, without pytest. Exit code 0: all cells held; "
        "1: one failed or errored, or a guard had no cell that was judged; 4: the file or an option makes no sense.",
    )
    add_thresholds_file(run)
    run.add_argument(
        "--only",
        action="append",
        metavar="PATTERN",
        help="measure only cells whose name matches, e.g. 'photos[jpeg-*' or '*-0.25bpp]'; may be given more than once",
    )
    add_run_options(run)
    run.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="measure only the I-th of N parts of FILE, which are the same on every machine; `merge` joins the results",
    )
    run.add_argument("--json", metavar="FILE", help="write all results as JSON, evidence in a zip file beside it")
    run.add_argument("--html", metavar="FILE", help="write a report for people: one HTML page that loads nothing")
    run.add_argument("--images", metavar="DIR", help="keep small pictures of the worst images of each cell in DIR")
    run.add_argument(
        "--baseline",
        metavar="FILE",
        help="compare with the results of an earlier run that --json has written, or with a folder of them",
    )
    run.add_argument(
        "--early-stop", action="store_true", help="stop a cell when its verdict is certain; such cells are marked"
    )
    add_text_options(run)
    run.add_argument(
        "--update",
        action="store_const",
        const="tighten",
        help="measure without judging by max_drop, and lower the limits in FILE to the upper end of each interval plus "
        "half a point; the change is printed. Needs all cells and images, no errors, and is refused in CI",
    )
    run.add_argument(
        "--update=loosen",
        dest="update",
        action="store_const",
        const="loosen",
        help="the same, and limits that the measurement is above are raised too",
    )
    run.add_argument(
        "--benchmark",
        action="store_true",
        help="time the codecs instead of measuring models: the file's throughput cells, or all codecs and rates if it "
        "has none",
    )


def add_recover(commands: Commands) -> None:
    """Add the command `recover`."""
    recover = commands.add_parser(
        "recover",
        help="measure how much of a drop finetuning on compressed images brings back",
        description="Carry out the recovery studies of a thresholds file: finetune the models of guards that have a "
        "key recovery on compressed images, and controls on clean ones, and report the share of the drop that comes "
        "back. "
        "Finished weights are kept in the cache, and a study that was stopped goes on where it was. Exit code 0: none "
        "failed; 1: a share is below its min_recovered, or something could not be measured; 4: the file or an option "
        "makes no sense.",
    )
    add_thresholds_file(recover)
    recover.add_argument(
        "--guard", action="append", metavar="NAME", help="the study of this guard only; may be given more than once"
    )
    add_run_options(recover)
    recover.add_argument("--json", metavar="FILE", help="write the results as JSON, anew after each")
    recover.add_argument(
        "--figure", metavar="FILE", help="draw score against bits per pixel, before and after finetuning, as SVG"
    )
    recover.add_argument(
        "--from",
        dest="results",
        metavar="RESULTS",
        help="measure nothing: show and draw the studies of a results file that --json or --cg-json has written",
    )


def _shard(text: str) -> FileShard:
    """Return the shard that a text names; raises `ArgumentTypeError`."""
    from compress_guard.errors import OptionError
    from compress_guard.thresholds.shards import FileShard

    try:
        return FileShard.read(text)
    except OptionError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
