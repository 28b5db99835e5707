"""What a stranger meets in a checkout: metadata that agrees, no trace of one machine, no stray files."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
LARGEST: Final = 4 * 2**20
"""Bytes; the shipped weights are the only files near it."""

MACHINE_PATHS: Final = re.compile(r"(?<![\w.])/(?:home|root|Users|mnt|opt|work)/\w|[A-Z]:\\Users\\")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files that git tracks or would, were they added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        pytest.skip("not a git checkout")
    return [path for name in sorted(set(run.stdout.split("\0")) - {""}) if (path := ROOT / name).is_file()]


def texts(paths: list[Path]) -> dict[Path, str]:
    found = {}
    for path in paths:
        try:
            found[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def test_no_file_names_a_path_of_one_machine(tracked: list[Path]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, text in texts(tracked).items()
        if path != Path(__file__)
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATHS.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("line", ["see /home/ann/data", "open('/root/x')", "C:\\Users\\ann", "cd /mnt/disk/me"])
def test_a_path_of_one_machine_is_recognised(line: str) -> None:
    assert MACHINE_PATHS.search(line)


@pytest.mark.parametrize("line", ["/tmp/x", "../data/x", "https://example.org/home/ann", "/usr/bin/env"])
def test_a_path_of_every_machine_is_not(line: str) -> None:
    assert not MACHINE_PATHS.search(line)


def test_only_weights_are_large_and_none_is_a_run_s_leaving(tracked: list[Path]) -> None:
    assert [path.name for path in tracked if path.stat().st_size > LARGEST and path.suffix != ".safetensors"] == []
    leavings = {"reports", "dist", "build", ".venv", ".compress_guard", "__pycache__", ".cache", ".checkpoints"}
    assert [path for path in tracked if leavings & set(path.relative_to(ROOT).parts)] == []


def test_text_files_end_with_one_newline_and_have_no_trailing_blanks(tracked: list[Path]) -> None:
    for path, text in texts(tracked).items():
        if text and path.name != "LICENSE":
            assert text.endswith("\n"), path
            assert not text.endswith("\n\n"), path
            assert "\r" not in text, path
            assert not re.search(r"[ \t]+$", text, flags=re.MULTILINE), path


def test_every_dependency_has_a_lower_bound_and_none_an_upper(project: dict[str, Any]) -> None:
    metadata = project["project"]
    wanted = [*project["build-system"]["requires"], *metadata["dependencies"]]
    wanted += [each for extra in metadata["optional-dependencies"].values() for each in extra]
    wanted = [each.partition(";")[0] for each in wanted if not each.startswith("compress-guard[")]
    assert [each for each in wanted if not re.match(r"[A-Za-z0-9_-]+(\[[a-z]+\])?>=[0-9.]+(,|$)", each)] == []
    # An upper bound keeps people from upgrades.
    assert [each for each in wanted if "<" in each] == []


def test_the_extra_all_brings_every_codec(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    assert set(extras) == {
        "photos",
        "neural",
        "gpu",
        "heif",
        "jxl",
        "webp",
        "opencv",
        "benchmark",
        "junit",
        "strategies",
        "all",
        "docs",
        "examples",
        "dev",
        "zoo",
    }
    assert extras["all"] == ["compress-guard[benchmark,neural,heif,jxl,webp,opencv,junit,zoo]"]


def test_the_licence_is_the_one_that_is_declared(project: dict[str, Any]) -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project["project"]["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_version_is_one_and_has_its_entry_in_the_changelog(project: dict[str, Any]) -> None:
    version = project["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    root = (ROOT / "compress_guard" / "__init__.py").read_text(encoding="utf-8")
    assert f'__version__: Final = "{version}"' in root
    headings = re.findall(r"^## \[(.+?)\]", changelog, flags=re.MULTILINE)
    assert headings[0] == version, "what is coming is in changelog.d"
    assert changelog.index("<!-- towncrier release notes start -->") < changelog.index("\n## [")
    assert re.search(rf"^## \[{re.escape(version)}\].*\n+### \w+\n+- \S", changelog, flags=re.MULTILINE)


def test_readme_and_contributing_name_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(
            re.findall(r"(?:^|`|\$ )make ([a-z0-9-]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named - targets == set(), name


def test_links_between_documents_lead_somewhere(tracked: list[Path]) -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in tracked
        if path.suffix == ".md"
        for link in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
        if not (path.parent / link).exists()
    ]
    assert broken == []


def test_commit_hooks_and_continuous_integration_run_the_same_tools() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in hooks:
        program = hook["entry"].split()[0]
        assert program == "make" or f"$(BIN)/{Path(program).name}" in makefile, hook["id"]
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "not executable"
    assert re.findall(r"^make (\w+)", script.read_text(encoding="utf-8"), flags=re.MULTILINE) == [
        "lint",
        "types",
        "docs",
        "test",
    ]
