"""The command ``compress-guard``: the gate without pytest.

Arguments come in; tables on standard output, lines on standard error and an exit code go out. This module has the
options; `run`, `recover`, `profile`, `report`, `diff`, `merge` and `doctor` are the commands, `starting` has those for
the first minutes, and `preparation` makes settings of their options. Importing it loads nothing of the gate.

`benchmark` times the throughput cells of a file, `results` writes the results file, `terminal` writes lines and
progress, `parser` refuses arguments, `decoders` says which decoders are here, and `findings` are the lines of `doctor`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard import __version__
from compress_guard.cli.parser import Parser
from compress_guard.cli.starting.arguments import add_check, add_init

if TYPE_CHECKING:
    from compress_guard.thresholds.shards import FileShard

EXIT_HELD: Final = 0
EXIT_FAILED: Final = 1
EXIT_INCOMPARABLE: Final = 2
EXIT_USAGE: Final = 4
EXIT_INTERRUPTED: Final = 130
"""The status that shells give a command that Ctrl-C ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 all cells held, 1 one failed or errored, 4 a file or option made no
    sense, 130 it was interrupted. For `doctor`: 0 all is there, 1 something is missing or damaged. For
    `diff` and `merge`: 2 the files cannot be compared, or cells are missing; `diff`: 1 there are regressions.
    """
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        # argparse exits with 2; the gate's own code for a usage error is 4, as pytest's.
        return EXIT_USAGE if stop.code == 2 else EXIT_HELD
    from compress_guard.errors import IncomparableError, UsageError

    try:
        ended = _command(options.command)(options)
        return (EXIT_HELD if ended else EXIT_FAILED) if isinstance(ended, bool) else ended
    except UsageError as problem:
        sys.stderr.write(f"compress-guard: {problem}\n")
        return EXIT_INCOMPARABLE if isinstance(problem, IncomparableError) else EXIT_USAGE
    except SystemExit as stop:  # from other people's code: nothing here exits so, and the status says nothing
        sys.stderr.write(f"compress-guard: stopped by code that is not its own, which exited with {_exit_text(stop)}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        sys.stderr.write("compress-guard: interrupted\n")
        return EXIT_INTERRUPTED


def _exit_text(stop: SystemExit) -> str:
    """Return the status that other people's code exited with, as Python writes it where it is a number or a text."""
    from compress_guard.errors import error_text
    from compress_guard.foreign import shown

    return shown(repr(stop.code)) if stop.code is None or type(stop.code) in (int, str) else error_text(stop)


def _command(name: str) -> Callable[[argparse.Namespace], bool | int]:
    """Return the function of a command: it returns True if all is well, or an exit code, and raises `UsageError`."""
    if name == "init":
        from compress_guard.cli.starting.init import init

        return init
    if name == "check":
        from compress_guard.cli.starting.check import check

        return check
    if name == "doctor":
        from compress_guard.cli.doctor import doctor

        return doctor
    if name == "profile":
        from compress_guard.cli.profile import profile

        return profile
    if name == "diff":
        from compress_guard.cli.diff import diff

        return diff
    if name == "report":
        from compress_guard.cli.report import report

        return report
    if name == "recover":
        from compress_guard.cli.recover import recover

        return recover
    if name == "merge":
        from compress_guard.cli.merge import merge

        return merge
    from compress_guard.cli.run import run

    return run


def _parser() -> argparse.ArgumentParser:
    own = Parser(
        prog="compress-guard",
        description="Gate vision models on how well they survive image compression. In CI, `pytest --compress-guard` "
        "does the same with JUnit reports, fixtures and parallel workers.",
    )
    parser: argparse.ArgumentParser = own
    parser.add_argument("--version", action="version", version=f"compress-guard {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_init(commands, _add_machine_options)
    add_check(commands, _add_machine_options)
    run = commands.add_parser(
        "run",
        help="measure and judge the cells of a thresholds file",
        description="Measure and judge the cells of a thresholds file, without pytest. Exit code 0: all cells held; "
        "1: one failed or errored, or a guard had no cell that was judged; 4: the file or an option makes no sense.",
    )
    run.add_argument(
        "thresholds", nargs="?", default="thresholds.yaml", metavar="FILE", help="default: thresholds.yaml"
    )
    run.add_argument(
        "--only",
        action="append",
        metavar="PATTERN",
        help="measure only cells whose name matches, e.g. 'photos[jpeg-*' or '*-0.25bpp]'; may be given more than once",
    )
    _add_run_options(run)
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
    run.add_argument(
        "--benchmark",
        action="store_true",
        help="time the codecs instead of measuring models: the file's throughput cells, or all codecs and rates if it "
        "has none",
    )
    _add_recover(commands)
    _add_profile(commands)
    _add_report(commands)
    _add_diff(commands)
    _add_doctor(commands)
    _add_merge(commands)
    own.learn(commands.choices.values())
    return parser


def _add_run_options(command: argparse.ArgumentParser) -> None:
    _add_machine_options(command)
    command.add_argument(
        "--strict",
        action="store_true",
        help="fail cells that would be skipped, except where FILE itself says skip, and cells that would pass by a "
        "limit that cannot be missed or looks like a share",
    )


def _add_machine_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", default="auto", help="where models and GPU codecs run: auto (default), cpu, cuda or cuda:N"
    )
    command.add_argument("--workers", type=_positive, metavar="N", help="CPU threads for coding (default: cores)")
    command.add_argument("--limit", type=_positive, metavar="N", help="use a seeded subset of N images per guard")
    command.add_argument(
        "--seed", type=int, default=0, metavar="S", help="seed of subsets, mixes and the bootstrap (default: 0)"
    )
    command.add_argument("--cache", metavar="DIR", help="keep bitstreams in DIR (default: .compress_guard beside FILE)")
    command.add_argument(
        "--cache-size",
        type=_positive,
        metavar="MB",
        help="most megabytes that the cache may hold; what was unused longest is removed first (default: 4096)",
    )
    command.add_argument("--no-cache", action="store_true", help="keep nothing after the run")


def _add_recover(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    recover.add_argument(
        "thresholds", nargs="?", default="thresholds.yaml", metavar="FILE", help="default: thresholds.yaml"
    )
    recover.add_argument(
        "--guard", action="append", metavar="NAME", help="the study of this guard only; may be given more than once"
    )
    _add_run_options(recover)
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


def _add_profile(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    profile = commands.add_parser(
        "profile",
        help="say what production files look like: formats, sizes, rates, JPEG qualities",
        description="Read the headers of a sample of production files, without decoding them, and print what they "
        "look like: format, size, bits per pixel, JPEG quality by the quantisation tables, chroma, EXIF turns, ICC "
        "profiles, and the operating points that cover the 5th to the 95th percentile. Nothing that is written holds "
        "a file's name or its metadata. Exit code 0: done; 4: there are no images, or an option makes no sense.",
    )
    profile.add_argument(
        "source",
        metavar="FOLDER-or-list",
        help="a folder, read with all folders below; a text file with one path a line; or - for such lines on "
        "standard input",
    )
    profile.add_argument(
        "--sample", type=_positive, default=5000, metavar="N", help="read N files, drawn at random (default: 5000)"
    )
    profile.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the sample (default: 0)")
    profile.add_argument("--json", metavar="FILE", help="write the distribution as JSON")
    profile.add_argument(
        "--out",
        metavar="FILE",
        help="write a thresholds file with the operating points and the share of the traffic of each; a file that is "
        "there stays",
    )
    profile.add_argument("--force", action="store_true", help="let --out replace a file")


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    report = commands.add_parser(
        "report",
        help="make a report for people of a results file",
        description="Show the results that --cg-json or --json has written: as text, or as a report to hand on. Exit "
        "code 0: the report is made, whatever it says; 1: a report could not be written; 4: the file holds no results, "
        "or an option makes no sense.",
    )
    report.add_argument("results", metavar="RESULTS", help="a results file")
    report.add_argument("--html", metavar="FILE", help="write one HTML page that holds everything and loads nothing")
    report.add_argument("--images", metavar="DIR", help="the folder of --cg-images, for the pictures in the page")
    report.add_argument("--markdown", metavar="FILE", help="write a summary, such as a comment on a pull request shows")


def _add_diff(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    diff = commands.add_parser(
        "diff",
        help="say what changed from one run to another",
        description="Compare two runs cell by cell: newly failing, recovered, scores that moved beyond noise, cells "
        "that appeared or vanished, and the versions that moved. Images that both runs have are compared one by one "
        "where the evidence is beside the results. Exit code 0: no regression; 1: a cell newly fails, a score fell, or "
        "a selected cell has no result; 2: the files cannot be compared; 4: an option makes no sense.",
    )
    diff.add_argument("base", metavar="BASE", help="results of the earlier run: JSON, a folder of JSON, or JUnit XML")
    diff.add_argument("head", metavar="HEAD", help="results of the later run")
    diff.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="form of the output (default: text)"
    )


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="say which codecs, decoders and weights are here, and what brings the others",
        description="Say which codecs can run here, which streams each decoder reads, and what brings the others. "
        "With FILE: only what its codecs and guards need, and which weights of CompressAI's published models are "
        "here of those that it asks for, with their hashes checked; weights that a mirror or "
        "COMPRESS_GUARD_DOWNLOAD=1 may bring are then fetched. Without FILE, --weights and --lock list the weights "
        "of all published models. Exit code 0: all is there (without FILE: nothing is damaged); 1: something is "
        "missing or damaged; 4: the file or an option makes no sense.",
    )
    doctor.add_argument("thresholds", nargs="?", metavar="FILE", help="a thresholds file; default: all codecs")
    doctor.add_argument(
        "--weights",
        default="",
        metavar="DIR",
        help="where weights are (default: COMPRESS_GUARD_WEIGHTS, else the cache of torch.hub); codecs of FILE with "
        "an option weights keep theirs",
    )
    doctor.add_argument(
        "--lock",
        action="store_true",
        help="write the sha256 of the weights that are here to compress-guard.lock beside them: from then on no other "
        "content is loaded under these names",
    )


def _shard(text: str) -> FileShard:
    from compress_guard.errors import OptionError
    from compress_guard.thresholds.shards import FileShard

    try:
        return FileShard.read(text)
    except OptionError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def _add_merge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    merge = commands.add_parser(
        "merge",
        help="join the results of shards, or of the jobs of a matrix",
        description="Join results files with their evidence to those of one run, and judge the whole. Results of one "
        "cell in two files have to be the same but for time and work. Exit code 0: all cells held; 1: one failed or "
        "errored, or a guard had no cell that was judged; 2: cells are missing, or the files do not belong together; "
        "4: an option makes no sense.",
    )
    merge.add_argument("results", nargs="+", metavar="RESULTS", help="files that --cg-json or --json has written")
    merge.add_argument("--out", required=True, metavar="FILE", help="write all results as JSON, evidence beside it")
    merge.add_argument("--junit", metavar="FILE", help="write all results as JUnit XML")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)
