"""The wheel works where the repository is out of reach, and holds what it should and nothing else."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
TINY_GUARD: Final = Path(__file__).parent / "tiny_guard"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation hatchling comes from the environment of the tests, and building needs no network.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package; its dependencies stay where they are."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    subprocess.run(command, check=True, timeout=300)
    return folder


def run_outside(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in another folder, with the installed package in front of every other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV", "PYTHON"))}
    environment = {**kept, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *command],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"compress_guard", wheel.name.split("-py3")[0] + ".dist-info"}
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "compress_guard").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "compress_guard/py.typed" in names
    templates = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "compress_guard/report/html/templates").iterdir()
    }
    assert len(templates) >= 6
    assert templates <= names
    assert "compress_guard/codecs/neural/weights/neural.safetensors" in names


def test_the_source_archive_can_be_built_and_tested(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "thresholds.yaml"} <= names
    assert "tests/repository/test_wheel.py" in names
    assert not any(part in name for name in names for part in (".venv", "__pycache__", ".cache", ".checkpoints"))


def test_the_metadata_names_what_people_rely_on(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = wheel.name.split("-py3")[0] + ".dist-info"
        metadata = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
        entry_points = archive.read(f"{folder}/entry_points.txt").decode()
    assert metadata["Name"] == "compress-guard"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert {"neural", "gpu", "heif", "jxl", "all", "dev"} <= set(metadata.get_all("Provides-Extra"))
    assert "[pytest11]\ncompress_guard = compress_guard.plugin" in entry_points
    assert "[console_scripts]\ncompress-guard = compress_guard.cli:main" in entry_points


def test_the_installed_package_is_the_one_that_is_imported(installed: Path, tmp_path: Path) -> None:
    run = run_outside(installed, tmp_path, "-c", "import compress_guard; print(compress_guard.__file__)")
    assert run.stdout.strip() == str(installed / "compress_guard" / "__init__.py"), run.stderr


def test_the_gate_runs_where_the_repository_is_out_of_reach(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(TINY_GUARD, folder, ignore=shutil.ignore_patterns("__pycache__", ".compress_guard"))
    gate = run_outside(installed, folder, "-m", "pytest", "-W", "error", "--compress-guard", "thresholds.yaml")
    assert gate.returncode == 0, gate.stdout + gate.stderr
    assert "2 passed" in gate.stdout
    assert "stripes" in gate.stdout


def test_the_installed_gate_can_fail(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(TINY_GUARD, folder, ignore=shutil.ignore_patterns("__pycache__", ".compress_guard"))
    # A model that is right on clean images only: it remembers their noise, which no lossy codec keeps.
    with (folder / "stripes.py").open("a", encoding="utf-8") as module:
        module.write(
            "\n\ndef model():\n"
            "    known = {image.numpy().tobytes(): label for image, label in data()}\n"
            "    scores = torch.eye(2)\n"
            "    return lambda images: [scores[known.get(image.cpu().numpy().tobytes(), 0)] for image in images]\n"
        )
    gate = run_outside(installed, folder, "-m", "pytest", "--compress-guard", "thresholds.yaml")
    assert gate.returncode == 1, gate.stdout + gate.stderr
    assert "2 failed" in gate.stdout
    assert gate.stdout.count("allowed 20") >= 2, gate.stdout


def test_pytest_rewrites_the_asserts_of_users_and_none_of_the_package(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(TINY_GUARD, folder, ignore=shutil.ignore_patterns("__pycache__", ".compress_guard"))
    (folder / "conftest.py").write_text(
        "import sys\n\ndef pytest_unconfigure(config):\n"
        "    own = [name for name in sys.modules if name.split('.')[0] == 'compress_guard']\n"
        "    print('own:', len(own))\n"
        "    print('rewritten:', [name for name in own if hasattr(sys.modules[name], '@pytest_ar')])\n"
    )
    (folder / "test_own.py").write_text("def test_own():\n    left = 3\n    assert left + 1 == 5\n")
    gate = run_outside(installed, folder, "-B", "-m", "pytest", "--compress-guard", "thresholds.yaml", "test_own.py")
    assert "1 failed, 2 passed" in gate.stdout, gate.stdout + gate.stderr
    assert "assert (3 + 1) == 5" in gate.stdout
    assert "\nrewritten: []\n" in gate.stdout
    assert int(gate.stdout.split("\nown:")[1].split()[0]) > 50
