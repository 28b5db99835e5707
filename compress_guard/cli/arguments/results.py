"""Options of the commands on results that runs have written: `report`, `diff` and `merge`."""

from __future__ import annotations

from compress_guard.cli.arguments.shared import Commands, add_text_options


def add_report(commands: Commands) -> None:
    """Add the command `report`."""
    report = commands.add_parser(
        "report",
        help="make a report for people of a results file",
        description="Show the results that --cg-json or --json has written: as text, or as a report to hand on. Exit "
        "code 0: the report is made, whatever it says; 1: a report could not be written; 4: the file holds no results, "
        "or an option makes no sense.",
        epilog="Example: compress-guard report results.json --images pictures --html report.html",
    )
    report.add_argument("results", metavar="RESULTS", help="a results file, or a folder with one")
    report.add_argument("--html", metavar="FILE", help="write one HTML page that holds everything and loads nothing")
    report.add_argument(
        "--images",
        action="append",
        metavar="DIR",
        help="the folder of --cg-images, for the pictures in the page; may be given more than once, for several jobs",
    )
    report.add_argument("--markdown", metavar="FILE", help="write a summary, such as a comment on a pull request shows")
    report.add_argument("--badge", metavar="FILE", help="write the conclusion as an SVG image, such as a README shows")
    add_text_options(report)


def add_diff(commands: Commands) -> None:
    """Add the command `diff`."""
    diff = commands.add_parser(
        "diff",
        help="say what changed from one run to another",
        description="Compare two runs cell by cell: newly failing, recovered, scores that moved beyond noise, cells "
        "that appeared or vanished, and the versions that moved. Images that both runs have are compared one by one "
        "where the evidence is beside the results; recovery studies by the share that came back, throughput cells by "
        "their ratio to the reference. Exit code 0: no regression; 1: a cell newly fails, a score fell, or "
        "a selected cell has no result; 2: the files cannot be compared; 4: an option makes no sense.",
        epilog="Example: compress-guard diff main/results.json results.json --format markdown",
    )
    diff.add_argument("base", metavar="BASE", help="results of the earlier run: JSON, a folder of JSON, or JUnit XML")
    diff.add_argument("head", metavar="HEAD", help="results of the later run")
    diff.add_argument(
        "--format", choices=("text", "markdown", "json"), default="text", help="form of the output (default: text)"
    )


def add_merge(commands: Commands) -> None:
    """Add the command `merge`."""
    merge = commands.add_parser(
        "merge",
        help="join the results of shards, or of the jobs of a matrix",
        description="Join results files with their evidence to those of one run, and judge the whole. Results of one "
        "cell in two files have to be the same but for time and work. Exit code 0: all cells held; 1: one failed or "
        "errored, or a guard had no cell that was judged; 2: cells are missing, or the files do not belong together; "
        "4: an option makes no sense.",
        epilog="Example: compress-guard merge shard1.json shard2.json --out results.json",
    )
    merge.add_argument("results", nargs="+", metavar="RESULTS", help="results files, or folders of them")
    merge.add_argument("--out", required=True, metavar="FILE", help="write all results as JSON, evidence beside it")
    merge.add_argument("--junit", metavar="FILE", help="write all results as JUnit XML")
    add_text_options(merge)
