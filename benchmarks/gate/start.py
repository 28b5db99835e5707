"""Time of starting: ``python -m benchmarks.gate.start``.

A table in Markdown with three rows: what the plugin adds to an empty pytest run while it is switched off, how long
``compress-guard --help`` takes to answer, and what collecting a thresholds file takes. Each run is a process of its
own. The runs that are compared take turns, first in one order and then in the other, so that what else the machine does
falls on all alike; the figures are medians, the first that of the differences between neighbours. Other plugins of
pytest are kept out of all of them, and a run without this one loads an empty one instead. Everything has been imported
once before, so that files are cached.
"""

from __future__ import annotations

import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.command import Command

PAIRS: Final = 31
"""Number of pairs of runs; with fewer, the noise of a shared machine shows in the median."""
HEAVY: Final = ("torch", "PIL")
"""Packages that collecting a thresholds file must not import."""
OFF_MS: Final = 30
"""Bar: milliseconds that a plugin that is switched off may add to a pytest run."""
HELP_MS: Final = 300
"""Bar: milliseconds that the help may take."""
PYTEST: Final = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
PLUGIN: Final = ("-p", "compress_guard.plugin")
EMPTY: Final = ("-p", "plugin_of_nothing")
"""Options for an empty module: pytest searches all installed packages for the name after -p, whatever it is."""
HELP: Final = (sys.executable, "-m", "compress_guard", "--help")
HEADER: Final = """\
| start | CPU ms | wall ms | bar |
|---|--:|--:|---|"""
_IMPORTED: Final = re.compile(r"^import time:[^|]*\|[^|]*\|\s*(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Spent:
    """The time of a process, in milliseconds."""

    cpu: float
    """User and system time, including child processes."""
    wall: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.cpu - other.cpu, self.wall - other.wall)

    @classmethod
    def median(cls, found: Iterable[Spent]) -> Spent:
        """Return the medians of CPU and wall time."""
        found = list(found)
        return cls(statistics.median(one.cpu for one in found), statistics.median(one.wall for one in found))


def environment() -> dict[str, str]:
    """Return the environment of a plain pytest run: plugins and options come only from the command line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPROFILE"))}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"}


def spend(command: Sequence[str], folder: Path) -> Spent:
    """Run a command to its end; raises `CalledProcessError` if it fails, since its time would mean nothing."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(1000 * cpu, 1000 * wall)


def interleaved(commands: Mapping[str, Sequence[str]], folder: Path, rounds: int) -> dict[str, list[Spent]]:
    """Return the time of each command in each round; they run in turn, every other round in the other order."""
    for command in commands.values():
        spend(command, folder)
    found: dict[str, list[Spent]] = {name: [] for name in commands}
    for number in range(rounds):
        order = list(commands) if number % 2 == 0 else list(commands)[::-1]
        for name in order:
            found[name].append(spend(commands[name], folder))
    return found


def imported(command: Sequence[str], folder: Path) -> frozenset[str]:
    """Return the top-level packages that a Python command imports."""
    given = (command[0], "-X", "importtime", *command[1:])
    done = subprocess.run(  # noqa: S603 - our own command
        given, cwd=folder, env=environment(), capture_output=True, text=True, check=True
    )
    return frozenset(name.partition(".")[0] for name in _IMPORTED.findall(done.stderr))


def lines(thresholds: Path, pairs: int = PAIRS) -> Iterator[str]:
    """Yield the table; `thresholds` is the file that is collected."""
    collect = (*PYTEST, *PLUGIN, "--compress-guard", "--collect-only", str(thresholds.resolve()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (folder / f"{EMPTY[1]}.py").touch()
        (folder / "test_nothing.py").write_text("def test_nothing() -> None: ...\n", encoding="utf-8")
        off = interleaved({"without": (*PYTEST, *EMPTY), "with": (*PYTEST, *PLUGIN)}, folder, pairs)
        others = interleaved({"help": HELP, "collect": collect}, folder, pairs)
        heavy = sorted(set(HEAVY) & imported(collect, folder))
    without = Spent.median(off["without"])
    differences = [one - other for one, other in zip(off["with"], off["without"], strict=True)]
    low, high = (sorted(one.cpu for one in differences)[place] for place in quarters(len(differences)))
    yield from HEADER.splitlines()
    told = f"plugin installed and switched off, added to an empty pytest run of {without.cpu:.0f} ms"
    yield row(told, Spent.median(differences), f"{OFF_MS} ms; half of the pairs lie between {low:.0f} and {high:.0f}")
    yield row("`compress-guard --help`", Spent.median(others["help"]), f"{HELP_MS} ms")
    what = f"`pytest --compress-guard --collect-only {thresholds.name}`"
    yield row(what, Spent.median(others["collect"]), f"imports neither torch nor PIL: {', '.join(heavy) or 'neither'}")


def quarters(count: int) -> tuple[int, int]:
    """Return the two positions in a sorted list of this length that enclose its middle half."""
    return count // 4, count - 1 - count // 4


def row(what: str, spent: Spent, bar: str) -> str:
    """Return one row of the table."""
    return f"| {what} | {spent.cpu:.0f} | {spent.wall:.0f} | {bar} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("gate.start", __doc__)
    parser.add_whole("--pairs", PAIRS, "runs of each kind")
    parser.add_thresholds("the file that is collected")
    chosen = parser.parse_args(arguments)
    parser.check_whole(chosen, "pairs")
    parser.check_thresholds(chosen.thresholds)
    for line in lines(chosen.thresholds, chosen.pairs):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
