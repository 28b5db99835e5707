"""A walk through a page of the documents: its files are written, its commands run, and their output is compared.

A block whose line before it ends with a name in backticks and a colon is the file of that name. A block of `console`
holds commands, each after ``$``, and what they print: the lines shown must be printed in this order, but for numbers
and the width of gaps; ``...`` stands for what is left out. Commands run in this process, as `pytest`, `compress-guard`
and `python` of the reader's environment.

``python -m tests.plugin.pages.walk PAGE`` does so in a new folder and prints all output, to be copied into the page.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from compress_guard.cli import main
from tests.plugin.own_modules import own_modules
from tests.plugin.pages.stand_in import served

DOCS: Final = Path(__file__).parents[3] / "docs"
PICTURES: Final = 100
"""Pictures in the folder of the how-to pages, which keeps them quick."""

BLOCK: Final = re.compile(r"^(?P<before>[^\n]*)\n+```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CAPTION: Final = re.compile(r"`([\w./-]+\.(?:py|yaml|toml|ini|txt|csv))`:$")
FOR_THE_READER: Final = ("mkdir ", "pip ", "python3 -m venv", ". .venv", "git clone", "export PYTHONPATH=", "cd ")
"""Beginnings of commands that make the environment, which a test has already."""
WIDTH: Final = 120


@dataclass
class Shown:
    """A command with the lines that the page shows of its output, or a file with its text."""

    what: str
    lines: list[str] = field(default_factory=list)
    is_file: bool = False


def steps(page: Path) -> Iterator[Shown]:
    """Yield the files and commands of a page in their order."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        caption = CAPTION.search(block["before"].strip())
        if caption and block["kind"] != "console":
            yield Shown(caption[1], block["text"].splitlines(), is_file=True)
        elif block["kind"] == "console":
            yield from _commands(block["text"].splitlines())


def _commands(lines: list[str]) -> Iterator[Shown]:
    current: Shown | None = None
    for line in lines:
        if line.startswith("$ "):
            if current:
                yield current
            current = Shown(line[2:])
        elif current:
            current.lines.append(line)
    if current:
        yield current


def walk(page: Path, folder: Path) -> Iterator[tuple[Shown, str]]:
    """Do what a page says in a folder, and yield each of its commands with what it printed."""
    code = 0
    for step in steps(page):
        if step.is_file:
            path = folder / step.what
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(step.lines) + "\n", encoding="utf-8")
        elif step.what == "echo $?":
            yield step, f"{code}\n"
        elif not step.what.startswith(FOR_THE_READER):
            code, out = ran(step.what, folder)
            yield step, out


def ran(command: str, folder: Path) -> tuple[int, str]:
    """Return exit code and output of one command of a page."""
    program, *arguments = shlex.split(command, comments=True)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(own_modules(folder))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(out))
        patch.setenv("COLUMNS", str(WIDTH))
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        if "MODEL_URL" in "".join(path.read_text(encoding="utf-8") for path in folder.glob("release.py")):
            patch.setenv("MODEL_URL", stack.enter_context(served()))
        for name in [name for name in os.environ if name.startswith(("PYTEST_", "CI"))]:
            patch.delenv(name)
        if program == "pytest":
            code = int(pytest.main(["-p", "no:cacheprovider", "--color=no", *arguments]))
        elif program == "compress-guard":
            code = int(main(arguments))
        else:
            assert program == "python", command
            code = _python(arguments, patch)
    out.seek(0)
    return code, out.read()


def _python(arguments: list[str], patch: pytest.MonkeyPatch) -> int:
    module = arguments[0] == "-m"
    name, *rest = arguments[module:]
    patch.setattr(sys, "argv", [name, *rest])
    patch.syspath_prepend(".")
    if module:
        patch.delitem(sys.modules, name, raising=False)  # a new interpreter has not imported it
        runpy.run_module(name, run_name="__main__", alter_sys=False)
    else:
        runpy.run_path(name, run_name="__main__")
    return 0


def missing(step: Shown, out: str) -> list[str]:
    """Return the lines of a page that a command did not print, or printed elsewhere."""
    printed = [plain(line) for line in out.splitlines()]
    lost = []
    position = 0
    for line in step.lines:
        if line.strip() in ("", "..."):
            continue
        begin, whole = plain(line.removesuffix(" ...")), not line.endswith(" ...")
        for place, other in enumerate(printed[position:], start=position):
            if other == begin if whole else other.startswith(begin):
                position = place + 1
                break
        else:
            lost.append(line)
    return lost


def plain(line: str) -> str:
    """Return a line without its numbers, units of time, rules and gaps."""
    line = re.sub(r"(?<![\w-])-?\d[\d.,]*", "#", line)
    line = re.sub(r"# (s|seconds?|minutes?|hours?)\b", "# s", line)
    line = re.sub(r"(?<=[qs])\d+\b|(?<=q)\d+", "#", line)
    return " ".join(re.sub(r"[=─_-]{2,}", "", line).split())


def begin(folder: Path, pictures: int = PICTURES) -> None:
    """Write what the how-to pages begin with: the pictures and the module of the tutorial."""
    from examples.folder import write

    write(folder / "photos", pictures)
    (tutorial,) = DOCS.rglob("own-model.md")
    (module,) = [step for step in steps(tutorial) if step.is_file and "examples.models" in "".join(step.lines)]
    (folder / module.what).write_text("\n".join(module.lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        shown = Path(sys.argv[1])
        if "tutorial" not in shown.parts:
            begin(Path(name))
        for each, text in walk(shown, Path(name)):
            lost = "".join(f"!! not printed: {line}\n" for line in missing(each, text))
            sys.stdout.write(f"$ {each.what}\n{text}{lost}")
            sys.stdout.flush()
