"""Several entries of a store at once: the same as one after the other."""

from __future__ import annotations

import errno

from compress_guard.files import Folder
from compress_guard.store import Store, key


def test_entries_come_back_in_the_order_of_their_keys(tmp_path):
    store, names = Store(tmp_path), [key(number) for number in range(40)]
    store.put_all((name, name.encode()) for name in names[:30])
    found = store.get_all(names[::-1])
    assert found == [None] * 10 + [name.encode() for name in names[29::-1]]
    assert [store.get(name) for name in names[::-1]] == found


def test_a_damaged_entry_is_dropped_and_the_others_stay(tmp_path):
    store, names = Store(tmp_path), [key(number) for number in range(3)]
    store.put_all((name, b"payload") for name in names)
    damaged = tmp_path / "streams" / names[1][:2] / names[1][2:]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert store.get_all(names) == [b"payload", None, b"payload"]
    assert not damaged.exists()


def test_an_entry_whose_place_is_taken_does_not_stop_the_others(tmp_path):
    store, names = Store(tmp_path), [key(number) for number in range(3)]
    (tmp_path / "streams" / names[0][:2] / names[0][2:]).mkdir(parents=True)
    store.put_all((name, b"payload") for name in names)
    assert store.get_all(names) == [None, b"payload", b"payload"]
    assert store.writable


def test_a_full_disk_stops_at_the_first_entry(tmp_path, monkeypatch):
    store, asked = Store(tmp_path), []

    def full(self, name, *given):
        asked.append(name)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Folder, "replacing", full)
    store.put_all((key(number), b"payload") for number in range(3))
    assert (len(asked), store.writable) == (1, False)


def test_nothing_to_keep_makes_no_folder(tmp_path):
    Store(tmp_path / "cache").put_all([])
    assert not (tmp_path / "cache").exists()
