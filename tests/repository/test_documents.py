"""Documents keep what they promise: terms, decisions, citation, changelog fragments, links to headings."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.repository.test_layers import LINES

ROOT: Final = Path(__file__).parents[2]
DECISIONS: Final = ROOT / "docs" / "decisions"
FRAGMENTS: Final = ROOT / "changelog.d"
TERMS: Final = re.compile(r"^\| ([a-z ,]+) \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def terms() -> dict[str, str]:
    found = TERMS.findall((ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8"))
    assert found[0] == ("term", "meaning")
    assert len(dict(found)) == len(found), "a term stands there twice"
    return dict(found[1:])


def test_terms_are_in_order_and_short(terms: dict[str, str]) -> None:
    assert list(terms) == sorted(terms)
    sentences = {term: len(re.findall(r"[.](?: |$)", meaning)) for term, meaning in terms.items()}
    assert {term: count for term, count in sentences.items() if not 1 <= count <= 3} == {}


def test_the_words_of_this_project_are_explained(terms: dict[str, str]) -> None:
    wanted = "cell clean codec control drop evidence guard interval ladder limit margin outcome pairing plan probe rate"
    wanted += " record recovery setting shard slice task trial verdict"
    assert set(wanted.split()) - set(terms) == set()
    assert "operating point" in terms


def test_verdicts_and_outcomes_are_all_in_the_glossary(terms: dict[str, str]) -> None:
    from typing import get_args

    from compress_guard.records.vocabulary import Outcome, Verdict

    assert set(re.findall(r"`(\w+)`", terms["verdict"])) == set(get_args(Verdict))
    assert set(re.findall(r"`(\w+)`", terms["outcome"])) == set(get_args(Outcome))


def test_the_design_names_every_folder_of_the_package() -> None:
    text = (ROOT / "docs" / "explanation" / "design.md").read_text(encoding="utf-8")
    package = ROOT / "compress_guard"
    tops = {path.parent.name for path in package.glob("*/__init__.py")}
    assert {name for name in tops if not re.search(rf"\b{name}\b", text)} == set()
    rows = set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    assert {path.parent.name for path in (package / "engine").glob("*/__init__.py")} <= rows


def test_contributing_shows_the_layers_that_are_checked() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown: dict[int, set[str]] = {}
    for number, name in re.findall(r"^(\d| )  ([a-z_]+)/? {2,}", text, flags=re.MULTILINE):
        shown.setdefault(int(number) if number.strip() else max(shown), set()).add(name)
    assert shown == {number: set(names) for number, names in enumerate(LINES, start=1)}


@pytest.mark.parametrize(
    "page", ["reference/glossary.md", "explanation/design.md", "reference/deprecation.md", "decisions/README.md"]
)
def test_readme_or_contributing_lead_there(page: str) -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        assert f"](docs/{page})" in (ROOT / name).read_text(encoding="utf-8"), name


def test_every_decision_is_in_the_index_and_has_the_same_parts() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in DECISIONS.glob("*.md") if path.name != "README.md")
    assert sorted(re.findall(r"^\| \[.+?\]\((.+?)\)", index, flags=re.MULTILINE)) == pages
    for name in pages:
        text = (DECISIONS / name).read_text(encoding="utf-8")
        parts = ["Context", "Options", "Decision", "Consequences", "What would change it"]
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == parts, name
        assert text.startswith("# "), name
        assert len(text.splitlines()) <= 60, f"{name} is more than a page"


def test_the_citation_is_valid_and_says_what_the_metadata_say() -> None:
    tool = str(Path(sys.executable).parent / "check-jsonschema")
    command = [tool, "--builtin-schema", "vendor.citation-file-format", "--default-filetype", "yaml", "CITATION.cff"]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert citation["abstract"].strip().rstrip(".") == project["description"]
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in project["authors"]]


@pytest.fixture(scope="module")
def towncrier() -> dict[str, Any]:
    tables: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return dict(tables["towncrier"])


def test_fragments_have_a_known_kind_and_a_text(towncrier: dict[str, Any]) -> None:
    kinds = "|".join(kind["directory"] for kind in towncrier["type"])
    for path in FRAGMENTS.iterdir():
        if path.name == "README.md":
            assert all(f"`{kind}`" in path.read_text(encoding="utf-8") for kind in kinds.split("|"))
            continue
        assert re.fullmatch(rf"\+[a-z0-9-]+\.(?:{kinds})\.md", path.name), f"{path.name}: see changelog.d/README.md"
        text = path.read_text(encoding="utf-8")
        assert text.strip(), f"{path.name} is empty"
        assert not text.startswith(("-", "*", "#")), f"{path.name}: write sentences; towncrier makes the list"


def test_a_draft_of_the_changelog_holds_every_fragment(towncrier: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("towncrier", reason="a draft needs towncrier, which the extra dev brings")
    folder = tmp_path / "changelog.d"
    folder.mkdir()
    (folder / "README.md").write_text("No fragment.", encoding="utf-8")
    for path in FRAGMENTS.glob("+*.md"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    for kind in towncrier["type"]:
        (folder / f"+a-change.{kind['directory']}.md").write_text(f"Words of {kind['name']}.\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9", "--dir", str(tmp_path)]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("## [9.9.9] - ")
    names = [kind["name"] for kind in towncrier["type"]]
    assert re.findall(r"^### (.+)$", run.stdout, flags=re.MULTILINE) == names
    drafted = " ".join(run.stdout.split())
    for path in folder.glob("+*.md"):
        assert " ".join(path.read_text(encoding="utf-8").split()) in drafted, path.name


def slugs(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading).lower()).strip().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }


def test_links_to_headings_lead_to_one() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    broken = []
    for path in pages:
        text = path.read_text(encoding="utf-8")
        for link, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)", text):
            target = path.parent / link if link else path
            if target.suffix == ".md" and anchor not in slugs(target.read_text(encoding="utf-8")):
                broken.append(f"{path.relative_to(ROOT)}: {link}#{anchor}")
    assert broken == []
