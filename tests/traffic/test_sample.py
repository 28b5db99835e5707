"""Files that are found, and the sample that is drawn of them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from compress_guard.errors import UsageError
from compress_guard.traffic.sample import drawn, files_below, listed, paths_of


def test_files_of_all_folders_below_in_an_order_that_does_not_change(tmp_path):
    names = ["b/2.jpg", "a.jpg", "b/1.jpg", "b/c/d/9.jpg", "z.jpg", "caf\udce9.jpg"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)]
    assert found == ["a.jpg", "caf\udce9.jpg", "z.jpg", "b/1.jpg", "b/2.jpg", "b/c/d/9.jpg"]


def test_links_that_lead_in_a_circle_end(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.jpg").touch()
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "out").symlink_to(tmp_path / "in")
    found = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)]
    assert found == ["self", "in/1.jpg"]


def test_a_file_of_several_names_counts_once(tmp_path):
    (tmp_path / "b.jpg").touch()
    os.link(tmp_path / "b.jpg", tmp_path / "c.jpg")
    (tmp_path / "a.jpg").symlink_to("b.jpg")
    (tmp_path / "other.jpg").touch()
    assert [path.name for path in files_below(tmp_path)] == ["a.jpg", "other.jpg"]


def test_a_link_before_the_file_it_leads_to(tmp_path):
    (tmp_path / "z.jpg").touch()
    (tmp_path / "a.jpg").symlink_to("z.jpg")
    (tmp_path / "m.jpg").symlink_to("z.jpg")
    assert [path.name for path in files_below(tmp_path)] == ["a.jpg"]


def test_a_link_behind_the_file_it_leads_to(tmp_path):
    (tmp_path / "a.jpg").touch()
    (tmp_path / "m.jpg").symlink_to("a.jpg")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "z.jpg").symlink_to(tmp_path / "a.jpg")
    assert [path.name for path in files_below(tmp_path)] == ["a.jpg"]


def test_the_sample_is_seeded_and_in_the_order_of_the_files():
    paths = [Path(f"{number:04}") for number in range(1000)]
    first, second, other = (drawn(paths, 50, seed) for seed in (1, 1, 2))
    assert first == second
    assert first.paths != other.paths
    assert (len(first.paths), len(set(first.paths)), first.found) == (50, 50, 1000)
    assert list(first.paths) == sorted(first.paths)


def test_every_file_has_the_same_chance():
    paths = [Path(str(number)) for number in range(20)]
    counts = Counter(path for seed in range(4000) for path in drawn(paths, 5, seed).paths)
    assert set(counts) == set(paths)
    # 1000 draws expected of each file; the standard deviation is 27.
    assert all(abs(count - 1000) < 5 * 27.4 for count in counts.values())


def test_fewer_files_than_asked_for_are_all_drawn():
    assert drawn([Path("a"), Path("b")], 5, 0).paths == (Path("a"), Path("b"))
    assert drawn([], 5, 0).found == 0


def test_lists_of_lines_and_of_null_characters():
    assert listed(b"a.jpg\n\n  \nb c.jpg\r\na.jpg\n") == [Path("a.jpg"), Path("b c.jpg"), Path("a.jpg")]
    assert listed(b"a\nb.jpg\0c.jpg\0") == [Path("a\nb.jpg"), Path("c.jpg")]
    assert listed(b"\xef\xbb\xbfa.jpg\r\nb.jpg\r\n") == [Path("a.jpg"), Path("b.jpg")]
    assert listed(b"caf\xe9.jpg") == [Path("caf\udce9.jpg")]


def test_sources(tmp_path, monkeypatch):
    (tmp_path / "1.jpg").touch()
    (tmp_path / "list.txt").write_text("1.jpg\n1.jpg\n")
    monkeypatch.chdir(tmp_path)
    assert list(paths_of("-", [b"x.jpg\n", b"y.jpg"])) == [Path("x.jpg"), Path("y.jpg")]
    assert list(paths_of("list.txt", [])) == [Path("1.jpg"), Path("1.jpg")]
    assert list(paths_of(".", [])) == [Path("1.jpg"), Path("list.txt")]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing", "missing: there is no such folder or list of files; "),
        ("image.png", "image.png: it is an image, not a list of them; "),
        ("a\0b", r"a\x00b: there is no such folder or list of files; "),
    ],
)
def test_sources_that_are_refused(tmp_path, monkeypatch, source, message):
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        list(paths_of(source, []))
    assert str(refused.value) == f"{message}name a folder, a text file of paths, or - for paths on standard input"
