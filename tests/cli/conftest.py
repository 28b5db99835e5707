"""A little project of the toy model, and the command run in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import torch

from compress_guard.cli import main

TOY = Path(__file__).parents[1] / "plugin" / "toy"


@dataclass(frozen=True)
class Done:
    """Exit code and output of one command."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> Iterator[None]:
    """Ctrl-C works in these tests and their processes, also where a shell runs them in the background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The project, as the current folder; its modules are gone afterwards."""
    shutil.copytree(TOY, tmp_path, dirs_exist_ok=True)
    torch.set_num_threads(1)
    with contextlib.chdir(tmp_path):
        yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """``compress-guard`` with these arguments."""

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def guards(folder: Path) -> Callable[..., None]:
    """Writes a thresholds file of toy guards with these further keys each, as one line of YAML."""

    def write(defaults: str = "codecs: [jpeg], bpp: [0.5], limit: 8", **keys: str) -> None:
        lines = ["version: 1", f"defaults: {{{defaults}}}", "guards:"]
        for name, more in keys.items():
            model = "" if "model:" in more else 'model: "toy:model", '
            lines.append(f'  {name}: {{task: classification, {model}data: "toy:data", {more}}}')
        (folder / "thresholds.yaml").write_text("\n".join(lines) + "\n")

    return write
