"""Bitstreams on disk: what comes back is what was put in, or nothing."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.files import Folder
from compress_guard.store import Kind, Store, key

NAME = key("a stream")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "cache")


def files(store):
    return sorted(path for path in (store.folder / "streams").glob("*/*") if path.is_file())


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.binary(max_size=200), max_size=8))
def test_what_was_put_comes_back(tmp_path_factory, entries):
    store = Store(tmp_path_factory.mktemp("cache"))
    for name, payload in entries.items():
        store.put(key(name), payload)
    other = Store(store.folder)
    assert {name: other.get(key(name)) for name in entries} == entries
    assert other.get(key("nobody", "put", "this")) is None


def test_a_later_payload_replaces_the_first(store):
    store.put(NAME, b"first")
    store.put(NAME, b"second")
    assert store.get(NAME) == b"second"
    assert len(files(store)) == 1


PARTS = st.lists(st.one_of(st.text(max_size=5), st.binary(max_size=5)), max_size=4)


@settings(deadline=None)
@given(PARTS, PARTS)
def test_a_key_tells_its_parts_apart(one, other):
    def plain(parts):
        return [part if isinstance(part, bytes) else part.encode() for part in parts]

    assert (key(*one) == key(*other)) == (plain(one) == plain(other))
    assert len(key(*one)) == 40


def test_keys_are_the_same_in_every_process():
    assert key("jpeg", 0.25, b"\x00") == "3b3c6accc91b8ff645443de4d24149b2c49d796c"


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=60), st.data())
def test_damage_is_noticed_and_the_entry_made_again(tmp_path_factory, payload, data):
    store = Store(tmp_path_factory.mktemp("cache"))
    store.put(NAME, payload)
    (path,) = files(store)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from(
            [
                whole[:at],
                whole + b"x",
                whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :],
                bytes(len(whole)),
            ]
        )
    )
    path.write_bytes(damaged)
    assert store.get(NAME) is None
    assert not path.exists()
    store.put(NAME, payload)
    assert store.get(NAME) == payload


def test_an_entry_under_another_name_is_not_trusted(store):
    store.put(NAME, b"payload")
    (path,) = files(store)
    other = key("another stream")
    place = store.folder / "streams" / other[:2] / other[2:]
    place.parent.mkdir(exist_ok=True)
    path.rename(place)
    assert store.get(other) is None


KINDS = get_args(Kind)


def test_kinds_are_told_apart(store):
    for kind in KINDS:
        store.put(NAME, kind.encode(), kind)
    assert [store.get(NAME, kind) for kind in KINDS] == [kind.encode() for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_of_another_kind_is_not_trusted(store, kind):
    other = next(one for one in KINDS if one != kind)
    store.put(NAME, b"payload", kind)
    place = store.folder / other / NAME[:2] / NAME[2:]
    place.parent.mkdir(parents=True)
    (store.folder / kind / NAME[:2] / NAME[2:]).rename(place)
    assert store.get(NAME, other) is None
    assert not place.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_noticed_in_every_kind(store, kind):
    store.put(NAME, b"payload" * 5, kind)
    path = store.folder / kind / NAME[:2] / NAME[2:]
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert store.get(NAME, kind) is None
        assert not path.exists()


def test_the_folder_keeps_itself_out_of_git(store):
    store.prepare()
    store.put(NAME, b"payload")
    assert (store.folder / ".gitignore").read_text() == "# made by compress_guard; safe to delete\n*\n"
    subprocess.run(["git", "init", "-q", str(store.folder.parent)], check=True)
    status = ["git", "-C", str(store.folder.parent), "status", "--porcelain"]
    assert subprocess.run(status, check=True, capture_output=True).stdout == b""


def test_preparing_twice_keeps_what_a_person_wrote_there(store):
    store.prepare()
    (store.folder / ".gitignore").write_text("mine")
    store.prepare()
    assert (store.folder / ".gitignore").read_text() == "mine"


# Disks that refuse


def test_a_file_in_the_way_makes_the_store_forgetful(tmp_path):
    (tmp_path / "cache").write_text("a file")
    store = Store(tmp_path / "cache")
    store.prepare()
    assert not store.writable
    store.put(NAME, b"payload")
    assert store.get(NAME) is None
    assert store.trim() == 0


def test_a_full_disk_forgets_from_then_on_and_leaves_no_rest(store, monkeypatch):
    store.put(key("before"), b"kept")
    real = os.fdopen

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            self.file.write(data[:7])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", lambda handle, mode: Full(real(handle, mode)))
    store.put(NAME, b"payload")
    monkeypatch.undo()
    assert not store.writable
    assert store.get(NAME) is None
    assert store.get(key("before")) == b"kept"
    assert len(files(store)) == 1
    store.put(NAME, b"payload")
    assert store.get(NAME) is None


def test_an_interrupt_while_writing_leaves_no_rest_and_goes_on_its_way(store, monkeypatch):
    def interrupted(*names, **folders):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.put(NAME, b"payload")
    assert files(store) == []
    assert store.writable


# Processes


def _puts(folder, payload, times):
    store = Store(folder)
    for _ in range(times):
        store.put(NAME, payload)
        found = store.get(NAME)
        if found is None or len(set(found)) != 1:
            os._exit(1)


def test_two_processes_that_write_one_key_never_mix(store):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_puts, args=(store.folder, letter * 50_000, 100)) for letter in (b"a", b"b")]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0]
    assert store.get(NAME) in (b"a" * 50_000, b"b" * 50_000)
    assert len(files(store)) == 1


def test_a_killed_process_leaves_nothing_that_is_trusted(store):
    script = textwrap.dedent(
        f"""
        import os, signal, tempfile
        from pathlib import Path
        from compress_guard.store import Store
        os.replace = lambda *names, **folders: os.kill(os.getpid(), signal.SIGKILL)
        Store(Path({str(store.folder)!r})).put({NAME!r}, b"payload" * 1000)
        """
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [path.name[:5] for path in files(store)] == [".new-"]
    assert store.get(NAME) is None
    store.put(NAME, b"payload")
    assert store.get(NAME) == b"payload"


def test_part_of_an_entry_is_never_trusted(store):
    store.put(NAME, b"payload" * 100)
    (path,) = files(store)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert store.get(NAME) is None


# The cap


def aged(store, name, payload, age):
    store.put(name, payload)
    path = store.folder / "streams" / name[:2] / name[2:]
    os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    return path.stat().st_size


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=10), st.integers(0, 2500))
def test_trimming_drops_the_oldest_until_the_rest_fits(tmp_path_factory, lengths, cap):
    store = Store(tmp_path_factory.mktemp("cache"), cap_bytes=cap)
    names = [key(str(at)) for at in range(len(lengths))]
    sizes = [
        aged(store, name, bytes(length), age) for age, (name, length) in enumerate(zip(names, lengths, strict=True))
    ]
    dropped = store.trim()
    kept = [(store.folder / "streams" / name[:2] / name[2:]).exists() for name in names]
    # One that alone is too large goes first: dropping others would make no room for it.
    fitting = [at for at, size in enumerate(sizes) if size <= cap]
    stay = [at for at in fitting if kept[at]]
    assert dropped == kept.count(False)
    assert stay == fitting[: len(stay)]
    left = sum(sizes[at] for at in stay)
    assert left <= cap
    assert not any(kept[at] for at in range(len(names)) if at not in fitting)
    assert len(stay) == len(fitting) or left + sizes[fitting[len(stay)]] > cap
    assert store.trim() == 0


def test_what_is_used_is_not_old(tmp_path):
    store = Store(tmp_path, cap_bytes=300)
    for age, name in enumerate(("young", "middle", "old")):
        aged(store, key(name), bytes(100), age * 100_000)
    assert store.get(key("old")) == bytes(100)
    assert store.trim() == 1
    assert store.get(key("old")) == bytes(100)
    assert store.get(key("middle")) is None


def test_what_is_old_goes_first_whatever_its_kind(tmp_path):
    store = Store(tmp_path, cap_bytes=300)
    for age, kind in enumerate(KINDS):
        store.put(NAME, bytes(100), kind)
        os.utime(tmp_path / kind / NAME[:2] / NAME[2:], (1_700_000_000 - age,) * 2)
    assert store.trim() == len(KINDS) - 2
    assert [store.get(NAME, kind) is not None for kind in KINDS] == [True, True] + [False] * (len(KINDS) - 2)


def test_a_long_run_keeps_near_the_cap_while_it_writes(tmp_path, monkeypatch):
    monkeypatch.setattr("compress_guard.store._LEAST_WRITTEN", 1000)
    store, largest = Store(tmp_path, cap_bytes=16_000), 0
    for number in range(300):
        aged(store, key(str(number)), bytes(200), -number)
        largest = max(largest, sum(path.stat().st_size for path in files(store)))
    assert 12_000 < largest <= 16_000 * 9 / 8 + 1000
    assert store.get(key("299")) is not None
    assert store.get(key("0")) is None


def test_looking_at_the_cap_is_rare(tmp_path, monkeypatch):
    looks = []
    monkeypatch.setattr(Store, "trim", lambda store: looks.append(1))
    monkeypatch.setattr("compress_guard.store._LEAST_WRITTEN", 1000)
    store = Store(tmp_path, cap_bytes=80_000)
    for number in range(200):
        store.put(key(str(number)), bytes(200))
    assert len(looks) == 3


def test_two_processes_may_trim_at_once(tmp_path, monkeypatch):
    store, other = (Store(tmp_path, cap_bytes=1000) for _ in range(2))
    for number in range(20):
        aged(store, key(str(number)), bytes(100), number)
    unlink = Folder.unlink

    def after_the_other(folder, name):
        monkeypatch.setattr(Folder, "unlink", unlink)
        other.trim()
        unlink(folder, name)

    monkeypatch.setattr(Folder, "unlink", after_the_other)
    store.trim()
    assert 0 < sum(path.stat().st_size for path in files(store)) <= 1000


def test_trimming_sweeps_up_what_killed_processes_left(store):
    store.put(NAME, b"payload")
    old, fresh = (Path(tempfile.mkstemp(dir=files(store)[0].parent, prefix=".new-")[1]) for _ in range(2))
    os.utime(old, (1_700_000_000, 1_700_000_000))
    store.trim()
    assert not old.exists()
    assert fresh.exists()
    assert store.get(NAME) == b"payload"


def test_trimming_a_folder_that_is_not_there(tmp_path):
    assert Store(tmp_path / "nowhere").trim() == 0
