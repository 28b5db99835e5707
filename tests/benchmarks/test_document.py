"""Tables in documents: put between their marks, and refused where the marks are not."""

from __future__ import annotations

import pytest

from benchmarks import document
from compress_guard.errors import UsageError

BEGIN, END = "<!-- t -->", "<!-- end of t -->"


@pytest.fixture
def page(tmp_path):
    def make(text):
        path = tmp_path / "page.md"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_lines_are_printed_and_replace_what_stood_between_the_marks(page, capsys):
    path = page(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    document.publish(iter(["", "new", ""]), path, "t")
    once = path.read_text(encoding="utf-8")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert capsys.readouterr().out == "\nnew\n\n"
    document.put(path, "t", ["new"])
    assert path.read_text(encoding="utf-8") == once


def test_without_a_document_lines_are_printed_alone(capsys):
    document.publish(["one"], None, "t")
    assert capsys.readouterr().out == "one\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{END}"])
def test_a_document_without_the_marks_is_refused_and_left_alone(text, page):
    path = page(text)
    with pytest.raises(UsageError, match=r"^--write: .*page\.md does not have <!-- t --> and then <!-- end of t -->"):
        document.put(path, "t", [])
    assert path.read_text(encoding="utf-8") == text


def test_a_document_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        document.read(tmp_path / "none.md", "t")


@pytest.mark.parametrize(
    ("page", "name"),
    [("explanation/performance.md", "throughput")]
    + [("explanation/coverage.md", name) for name in ("top1", "resampled", "stopping", "agreement")],
)
def test_the_documents_of_this_repository_have_the_marks(page, name, request):
    assert document.read(request.config.rootpath / "docs" / page, name)
