"""The types that users get: mypy in strict mode reads their code against the installed package and its py.typed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.xdist_group("types")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Each line that mypy complains of, as (file, line number, code of the error)."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    folder = tmp_path_factory.mktemp("user")  # outside the checkout, whose configuration of mypy is not the users'
    for name in ("user_code.py", "misuse.py"):
        shutil.copy(HERE / name, folder)
    cache = HERE.parents[1] / ".mypy_cache" / "users"  # reading torch takes mypy ten seconds, the first time
    options = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, "."]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert run.stderr == ""
    lines = [line for line in run.stdout.splitlines() if ": error: " in line]
    matches = [re.fullmatch(r"([\w.]+):(\d+): error: .*\[([\w-]+)\]", line) for line in lines]
    assert all(matches), run.stdout
    return {(match[1], int(match[2]), match[3]) for match in matches}


def test_the_package_says_that_it_has_types():
    import compress_guard

    assert (Path(compress_guard.__file__).parent / "py.typed").is_file()


def test_users_code_has_the_types_that_it_states(found):
    assert sorted(place for place in found if place[0] == "user_code.py") == []


def test_mistakes_in_users_code_are_found(found):
    lines = (HERE / "misuse.py").read_text(encoding="utf-8").splitlines()
    expected = {
        ("misuse.py", number, line.rpartition("# expected: ")[2])
        for number, line in enumerate(lines, start=1)
        if "# expected: " in line
    }
    assert len(expected) == 10
    assert {place for place in found if place[0] == "misuse.py"} == expected
