"""Foreign objects in a store: links, pipes, devices, other files. None of them is read or touched."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from compress_guard import files as compress_files
from compress_guard.files import Folder, Foreign, open_regular
from compress_guard.store import WEIGHTS, Store, key

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
NAME = key("a stream")


@pytest.fixture(params=[True, False], ids=["open folders", "paths"])
def held(request, monkeypatch):
    """Both ways to look names up: in open folders, and by paths where a system has none."""
    monkeypatch.setattr(compress_files, "_HELD", request.param)
    return request.param


@pytest.fixture
def store(tmp_path, held):
    return Store(tmp_path / "cache", cap_bytes=1000)


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def place(store, name=NAME, kind="streams"):
    return store.folder / kind / name[:2] / name[2:]


def tree(folder: Path):
    """Every name below a folder with what it is and when it was changed, links not followed."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            status = (Path(where) / name).lstat()
            found[Path(where) / name] = status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns
    return found


def test_a_dangling_gitignore_is_not_written_through(store, outside):
    store.folder.mkdir()
    (store.folder / ".gitignore").symlink_to(outside / "made")
    store.prepare()
    assert store.writable
    assert list(outside.iterdir()) == []
    assert (store.folder / ".gitignore").is_symlink()


def test_a_gitignore_that_is_a_pipe_is_left(store):
    store.folder.mkdir()
    os.mkfifo(store.folder / ".gitignore")
    store.prepare()
    assert store.writable


@pytest.mark.parametrize("level", ["streams", "part", "entry"])
def test_links_are_neither_read_nor_written_through_nor_deleted_behind(store, outside, tmp_path, level):
    """At each level: a real store is moved outside, and a link takes its place."""
    store.put(NAME, b"secret")
    place_of = {"streams": store.folder / "streams", "part": place(store).parent, "entry": place(store)}[level]
    place_of.rename(outside / "moved")
    place_of.symlink_to(outside / "moved")
    before = tree(tmp_path)
    assert store.get(NAME) is None
    store.put(NAME, b"mine")
    small = Store(store.folder, cap_bytes=0)
    assert small.trim() == 0
    assert store.get(NAME) is None
    assert tree(tmp_path) == before
    assert store.writable
    store.put(key("another"), b"kept", "plans")
    assert store.get(key("another"), "plans") == b"kept"


def test_eviction_stays_inside(store, outside, tmp_path):
    for name in ("a", "b"):
        (outside / f"{name}.txt").write_bytes(bytes(5000))
    store.prepare()
    (store.folder / "streams" / "ab").mkdir(parents=True)
    (store.folder / "streams" / "cd").symlink_to(outside)
    (store.folder / "evidence").symlink_to(outside.parent)
    (store.folder / "streams" / "ab" / NAME[2:]).symlink_to(outside / "a.txt")
    store.put(NAME, bytes(900))
    before = tree(outside)
    assert store.trim() == 0, "what links lead to does not count"
    assert store.get(NAME) == bytes(900)
    assert tree(outside) == before


def test_damage_behind_a_link_is_not_deleted(store, outside):
    (outside / "notes").write_bytes(b"no entry")
    place(store).parent.mkdir(parents=True)
    place(store).symlink_to(outside / "notes")
    assert store.get(NAME) is None
    assert (outside / "notes").read_bytes() == b"no entry"
    assert place(store).is_symlink()


def test_a_hard_link_is_a_file_like_others(store, outside):
    store.put(NAME, b"payload")
    os.link(place(store), outside / "copy")
    assert store.get(NAME) == b"payload"
    store.put(NAME, b"another")
    assert store.get(NAME) == b"another"
    assert (outside / "copy").read_bytes().endswith(b"payload")


def test_the_folder_itself_may_be_a_link(tmp_path, outside, held):
    (tmp_path / "cache").symlink_to(outside)
    store = Store(tmp_path / "cache", cap_bytes=1000)
    store.prepare()
    store.put(NAME, b"payload")
    assert store.get(NAME) == b"payload"
    assert (outside / ".gitignore").is_file()
    # set anew while the run lasts
    (tmp_path / "cache").unlink()
    (tmp_path / "other").mkdir()
    (tmp_path / "cache").symlink_to(tmp_path / "other")
    assert store.get(NAME) == b"payload"
    store.put(key("b"), b"kept")
    assert list((tmp_path / "other").iterdir()) == []


def test_a_folder_that_leads_to_itself_only_forgets(tmp_path, held):
    (tmp_path / "cache").symlink_to("cache")
    store = Store(tmp_path / "cache")
    store.prepare()
    store.put(NAME, b"payload")
    assert store.get(NAME) is None
    assert store.trim() == 0
    assert not store.writable


# Neither links nor files


def test_pipes_and_folders_are_never_opened(store, tmp_path):
    other = key("a folder")
    place(store).parent.mkdir(parents=True)
    place(store, other).parent.mkdir(parents=True)
    os.mkfifo(place(store))
    place(store, other).mkdir()
    before = tree(tmp_path)
    for name in (NAME, other):
        assert store.get(name) is None
        store.put(name, b"payload")
        assert store.get(name) is None
    assert Store(store.folder, cap_bytes=0).trim() == 0
    assert tree(tmp_path) == before
    assert store.writable
    store.put(key("fine"), b"payload")
    assert store.get(key("fine")) == b"payload"


def test_a_file_in_place_of_a_folder_costs_what_would_be_in_it(store):
    store.prepare()
    (store.folder / "streams").write_text("mine")
    store.put(NAME, b"payload")
    assert store.get(NAME) is None
    store.put(NAME, b"payload", "plans")
    assert store.get(NAME, "plans") == b"payload"
    assert (store.folder / "streams").read_text() == "mine"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="devices are made by root")
def test_a_device_is_never_opened(store):
    place(store).parent.mkdir(parents=True)
    try:
        os.mknod(place(store), 0o20666, os.makedev(1, 5))  # /dev/zero
    except OSError:
        pytest.skip("no devices can be made here")
    assert store.get(NAME) is None
    store.put(NAME, b"payload")
    assert Store(store.folder, cap_bytes=0).trim() == 0
    assert place(store).is_char_device()


# Size


def test_forty_gigabytes_are_foreign(store, monkeypatch):
    """A sparse file: it is not read, does not count, and drives nobody out."""
    store.put(NAME, bytes(100))
    huge = key("huge")
    place(store, huge).parent.mkdir(parents=True)
    with place(store, huge).open("wb") as file:
        file.truncate(40 * 2**30)
    assert store.get(huge) is None
    assert store.trim() == 0
    assert place(store, huge).stat().st_size == 40 * 2**30
    assert store.get(NAME) == bytes(100)
    store.put(huge, b"made")
    assert store.get(huge) == b"made"


def test_an_entry_that_has_grown_beyond_the_cap_goes_alone(store):
    store.put(NAME, bytes(100))
    grown = key("grown")
    store.put(grown, bytes(100))
    with place(store, grown).open("r+b") as file:
        file.truncate(40 * 2**30)
    assert store.get(grown) is None
    assert store.trim() == 1
    assert not place(store, grown).exists()
    assert store.get(NAME) == bytes(100)


def test_a_large_file_that_is_no_entry_is_not_read_whole(tmp_path, monkeypatch):
    store = Store(tmp_path, cap_bytes=2**40)
    place(store).parent.mkdir(parents=True)
    with place(store).open("wb") as file:
        file.truncate(40 * 2**30)
    assert store.get(NAME) is None
    assert not place(store).exists(), "it is damaged, and dropped as such"


# Files of others


def test_names_that_are_no_entries_are_left_and_do_not_count(store):
    store.put(NAME, bytes(100))
    kept = [
        store.folder / "streams" / "README",
        place(store).parent / "notes.txt",
        store.folder / "streams" / "photos" / NAME[2:],
        store.folder / "notes",
        store.folder / WEIGHTS / NAME / "mine.bin",
    ]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(5000))
    assert store.trim() == 0
    assert Store(store.folder, cap_bytes=0).trim() == 1
    assert all(path.stat().st_size == 5000 for path in kept)


def test_drafts_behind_links_are_not_swept_up(store, outside):
    old = outside / ".new-abc"
    old.write_bytes(b"mine")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    (store.folder / "streams").mkdir(parents=True)
    (store.folder / "streams" / "ab").symlink_to(outside)
    store.trim()
    assert old.exists()


# Between two steps


def test_a_folder_that_becomes_a_link_between_two_steps(tmp_path, outside, monkeypatch):
    """The draft is made and renamed in the folder that was opened, wherever its path leads by then."""
    store = Store(tmp_path / "cache")
    store.put(NAME, b"first")
    real = os.fdopen

    def swapping(handle, mode):
        monkeypatch.setattr(os, "fdopen", real)
        place(store).parent.rename(tmp_path / "moved")
        place(store).parent.symlink_to(outside)
        return real(handle, mode)

    monkeypatch.setattr(os, "fdopen", swapping)
    store.put(NAME, b"second")
    assert list(outside.iterdir()) == []
    assert store.get(NAME) is None
    assert (tmp_path / "moved" / NAME[2:]).read_bytes().endswith(b"second")


def test_a_file_that_becomes_a_link_between_two_looks(tmp_path, outside, monkeypatch):
    (outside / "secret").write_bytes(b"secret")
    (tmp_path / "plain").write_bytes(b"plain")
    real = os.stat

    def swapping(path, **how):
        status = real(path, **how)
        (tmp_path / "plain").unlink()
        (tmp_path / "plain").symlink_to(outside / "secret")
        return status

    monkeypatch.setattr(os, "stat", swapping)
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(tmp_path / "plain")


# Disks and owners


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(store):
    store.prepare()
    store.put(NAME, b"payload")
    for path in (place(store).parent, store.folder / "streams", store.folder):
        path.chmod(0o500)
    try:
        other = Store(store.folder)
        other.prepare()
        assert other.get(NAME) == b"payload"
        other.put(key("b"), b"payload", "plans")
        assert not other.writable
        assert Store(store.folder, cap_bytes=0).trim() == 0
    finally:
        for path in (store.folder, store.folder / "streams", place(store).parent):
            path.chmod(0o700)


@pytest.mark.parametrize("number", ["EROFS", "EACCES", "EPERM", "ENOSPC", "EDQUOT"])
def test_a_disk_that_refuses_makes_the_store_forgetful(store, monkeypatch, number):
    """A read-only disk, somebody else's folder, a sticky one, a quota."""
    import errno

    store.put(NAME, b"payload")
    code = getattr(errno, number)

    def refuse(*names, **folders):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(os, "unlink", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    assert store.get(NAME) == b"payload"
    store.put(NAME, b"another")
    assert not store.writable
    assert Store(store.folder, cap_bytes=0).trim() == 0
    monkeypatch.undo()
    assert store.get(NAME) == b"payload"


# Folders


def test_what_a_folder_refuses(tmp_path, outside, held):
    (tmp_path / "link").symlink_to(outside)
    with Folder.opened(tmp_path) as folder:
        for name, kind in (("link", "a link"), ("file", "a file")):
            if kind == "a file":
                (tmp_path / name).write_text("")
            with pytest.raises(Foreign, match=f"^{tmp_path / name} is {kind}, not a folder$"):
                folder.enter(name, make=True)
        with (
            pytest.raises(Foreign, match=f"^{tmp_path / 'link'} is a link, not a regular file$"),
            folder.replacing("link", ".new-"),
        ):
            raise AssertionError("nothing is begun")
        with pytest.raises(FileExistsError):
            folder.create("link", b"")
    with pytest.raises(OSError, match="."):
        Folder.opened(tmp_path / "file")
    assert list(outside.iterdir()) == []


def test_nothing_is_left_open(tmp_path):
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    store = Store(tmp_path / "cache", cap_bytes=100)
    (tmp_path / "cache" / "plans").mkdir(parents=True)
    os.mkfifo(tmp_path / "cache" / "plans" / "aa")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        store.put(key(str(number)), bytes(60))
        store.get(key(str(number)))
        store.get(key("nobody"))
        store.put("aa" + key("x")[2:], b"x", "plans")
        store.trim()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
