"""A whole little project in a temporary folder: toy data, a toy model, a thresholds file, and pytest run on it."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import junitparser
import pytest

# Small arrays on shared cores are slower with more threads; read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Runs inside this process start from its modules; torch can be imported only once per process.
import torch
import torchvision  # noqa: F401 - see above

from tests.plugin import forks
from tests.plugin.own_modules import own_modules

TOY = Path(__file__).parent / "toy"


@dataclass(frozen=True)
class Run:
    """Exit status and output of one pytest run."""

    code: int
    out: str
    json: dict[str, Any] | None = None
    junit: dict[str, junitparser.TestCase] = field(default_factory=dict)
    """Test cases by name."""

    @property
    def outcomes(self) -> dict[str, int]:
        """``{"passed": 2, "failed": 1}``, what pytest's last line counts."""
        return pytest.RunResult.parse_summary_nouns(self.out.splitlines())

    @property
    def cells(self) -> dict[str, dict[str, Any]]:
        """Results by what stands after the file in their ids."""
        assert self.json is not None
        return {cell["id"].partition("::")[2]: cell for cell in self.json["cells"]}

    @property
    def cell(self) -> dict[str, Any]:
        """The only result."""
        (only,) = self.cells.values()
        return only

    @property
    def collected(self) -> list[str]:
        """The node ids that ``--collect-only -q`` prints."""
        return [line for line in self.out.splitlines() if "::" in line and " " not in line]


class Project:
    """Write files, run pytest, look at everything it left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.as_worker = False
        """True if runs in this process may see that they are in a worker of pytest-xdist, if they are."""
        shutil.copytree(TOY, folder, dirs_exist_ok=True)
        self.write("pytest.ini", "[pytest]\naddopts = -p no:cacheprovider\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def guards(
        self, guards: Mapping[str, str], *, head: str = "", defaults: str = "codecs: [jpeg], bpp: [0.5]"
    ) -> None:
        """A thresholds file of toy guards with these further keys each, as one line of YAML."""
        lines = ["version: 1", *head.splitlines(), f"defaults: {{{defaults}}}", "guards:"]
        for name, keys in guards.items():
            own = {key: f"{key}: {value}, " for key, value in FACTORIES.items() if f"{key}:" not in keys}
            lines.append(f"  {name}: {{{''.join(own.values())}{keys}}}")
        self.write("thresholds.yaml", "\n".join(lines) + "\n")

    def guard(self, keys: str, **other: str) -> None:
        """A thresholds file of one toy guard."""
        self.guards({"toy": keys}, **other)

    def run(self, *arguments: str, gate: bool = True, folder: str = ".") -> Run:
        """Run pytest in the project, within this process; the gate writes its results to files."""
        given = [*self._given(gate), *arguments]
        out = io.StringIO()
        written = contextlib.redirect_stdout(out), contextlib.redirect_stderr(out)
        # Whoever distributes these tests: the run inside is no worker of theirs.
        patch = pytest.MonkeyPatch.context()
        inside = contextlib.chdir(self.folder / folder), own_modules(self.folder), without_old_objects()
        with inside[0], inside[1], inside[2], written[0], written[1], patch as own:
            if forks.AVAILABLE:
                own.setattr("execnet.gateway_io.Popen2IOMaster.__init__", forks.fork_worker)
            if not self.as_worker:
                own.delenv("PYTEST_XDIST_WORKER", raising=False)
            code = pytest.main(given)
        return self._run(int(code), out.getvalue())

    def start(self, *arguments: str, gate: bool = True, program: str = "pytest", seconds: float = 300) -> Run:
        """Run pytest, or another module, in a new interpreter; one that takes longer than `seconds` raises."""
        command = [sys.executable, *self._command(arguments, gate, program)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=forks.child_environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return self._run(done.returncode, done.stdout + done.stderr)

    def fork(self, *arguments: str, gate: bool = True, program: str = "pytest", seconds: float = 300) -> Run:
        """Run it as `start` does, in a process that has torch imported already, as its workers have."""
        if not forks.AVAILABLE:
            return self.start(*arguments, gate=gate, program=program, seconds=seconds)
        command = self._command(arguments, gate, program)
        with Path(os.devnull).open() as nothing, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
            files = {"stdin": nothing.fileno(), "stdout": out.fileno(), "stderr": err.fileno()}
            process = forks.fork(command, folder=str(self.folder), environment=forks.child_environment(), **files)
            try:
                code = process.wait(seconds)
            except BaseException:
                process.kill()
                process.wait()
                raise
            for file in (out, err):
                file.seek(0)
            return self._run(code, out.read() + err.read())

    def _command(self, arguments: Sequence[str], gate: bool, program: str) -> list[str]:
        return ["-m", program, *(self._given(gate) if program == "pytest" else []), *arguments]

    def _given(self, gate: bool) -> list[str]:
        for name in ("results.json", "junit.xml"):
            (self.folder / name).unlink(missing_ok=True)
        results, junit = self.folder / "results.json", self.folder / "junit.xml"
        return ["--compress-guard", f"--cg-json={results}", f"--junitxml={junit}"] if gate else []

    def _run(self, code: int, out: str) -> Run:
        results, junit = self.folder / "results.json", self.folder / "junit.xml"
        document = json.loads(results.read_text(), parse_constant=_refuse) if results.exists() else None
        suites = junitparser.JUnitXml.fromfile(str(junit)) if junit.exists() else []
        cases = [case for suite in suites for case in suite]
        assert len({case.name for case in cases}) == len(cases)
        return Run(code, out, document, {case.name: case for case in cases})


FACTORIES = {"task": "classification", "model": '"toy:model"', "data": '"toy:data"'}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


@contextlib.contextmanager
def without_old_objects() -> Iterator[None]:
    """While inside, the garbage collector leaves alone what there is by now.

    pytest collects garbage twice at the end of each run, and hundreds of thousands of torch's objects are none.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Small tensors on shared cores are slower with more."""
    torch.set_num_threads(1)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    # A test may call the command in this process too, which leaves the modules of the project imported.
    with own_modules(tmp_path):
        yield Project(tmp_path)


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Makes projects that outlive a test, for runs that many tests look at."""
    return lambda: Project(tmp_path_factory.mktemp("project"))
