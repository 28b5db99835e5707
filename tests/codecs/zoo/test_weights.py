"""Weights are found where somebody said, checked before anything is loaded, and fetched only where that is allowed."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.zoo import weights
from compress_guard.codecs.zoo.published import Zoo
from compress_guard.errors import CodecUnavailable

ADDRESS = "https://models.invalid/v1"
CODEC = Zoo("mbt2018-mean", levels="1..3")


@pytest.fixture
def names(files) -> list[str]:
    """The files of `CODEC`."""
    return [name for name, _ in files["mbt2018-mean"].values()]


@pytest.fixture
def mirror(shelf, monkeypatch):
    """The address of a server of the files, where nothing else has them."""
    monkeypatch.delenv("COMPRESS_GUARD_WEIGHTS")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shelf)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def cache() -> Path:
    return Path(torch.hub.get_dir(), "checkpoints")


def test_without_weights_the_exact_file_and_its_places_are_said(tables, names) -> None:
    where = cache()
    assert CODEC.unavailable() == (
        f"{names[0]} is missing in {where} (torch's cache), and 2 more of its levels; put it there, or name another "
        "folder or a mirror with the option weights or COMPRESS_GUARD_WEIGHTS, or set COMPRESS_GUARD_DOWNLOAD=1, or "
        f"run curl --create-dirs -fLo {where / names[0]} {ADDRESS}/{names[0]}"
    )
    assert not where.exists()
    with pytest.raises(CodecUnavailable, match=f"^{names[0]} is missing"):
        CODEC.encode([], [])


def test_only_what_is_missing_is_said(shelf, names) -> None:
    (shelf / names[1]).unlink()
    assert (CODEC.unavailable() or "").startswith(f"{names[1]} is missing in {shelf} (COMPRESS_GUARD_WEIGHTS); put it")
    assert Zoo("mbt2018-mean", levels=[1, 3]).unavailable() is None


def test_the_option_goes_before_the_environment_and_that_before_the_cache(shelf, tmp_path, monkeypatch) -> None:
    assert CODEC.shelf() == weights.Shelf(shelf, "COMPRESS_GUARD_WEIGHTS")
    assert Zoo("mbt2018-mean", weights="~/w").shelf() == weights.Shelf(Path("~/w").expanduser(), "the option weights")
    monkeypatch.delenv("COMPRESS_GUARD_WEIGHTS")
    assert CODEC.shelf() == weights.Shelf(cache(), "torch's cache")
    assert cache() == tmp_path / "torch" / "hub" / "checkpoints"


def test_the_torch_cache_will_do(shelf, files, monkeypatch) -> None:
    monkeypatch.delenv("COMPRESS_GUARD_WEIGHTS")
    cache().parent.mkdir(parents=True)
    shelf.rename(cache())
    assert CODEC.unavailable() is None


@pytest.mark.parametrize("value", ["", "0", None])
def test_nobody_goes_to_the_network_unasked(tables, monkeypatch, value) -> None:
    if value is not None:
        monkeypatch.setenv("COMPRESS_GUARD_DOWNLOAD", value)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked the network"))
    assert "is missing" in (CODEC.unavailable() or "")


def test_download_asks_the_publisher(tables, shelf, names, monkeypatch) -> None:
    kept = {name: (shelf / name).read_bytes() for name in names}
    (shelf / names[2]).unlink()
    asked = []

    class Reply:
        def __init__(self, address):
            asked.append(address)
            self.blocks = [kept[weights.name_in(address)], b""]

        def read(self, size):
            return self.blocks.pop(0)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    monkeypatch.setattr("urllib.request.urlopen", lambda address, timeout: Reply(address))
    for allowed in (Zoo("mbt2018-mean", levels="1..3", download=True), CODEC):
        (shelf / names[2]).unlink(missing_ok=True)
        if allowed is CODEC:
            monkeypatch.setenv("COMPRESS_GUARD_DOWNLOAD", "1")
        assert allowed.unavailable() is None
    assert asked == [f"{ADDRESS}/{names[2]}"] * 2
    assert sorted(path.name for path in shelf.iterdir() if names[2] in path.name) == [names[2]]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_mirror_is_asked_for_what_is_missing(mirror, names, monkeypatch, by) -> None:
    codec = CODEC
    if by == "option":
        codec = Zoo("mbt2018-mean", levels="1..3", weights=f"{mirror}/")
    else:
        monkeypatch.setenv("COMPRESS_GUARD_WEIGHTS", mirror)
    assert codec.unavailable() is None
    assert sorted(path.name for path in cache().iterdir()) == sorted(names)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked again"))
    assert codec.unavailable() is None


def test_a_mirror_without_the_file_is_said(mirror, shelf, names) -> None:
    (shelf / names[0]).unlink()
    assert Zoo("mbt2018-mean", levels="1..3", weights=mirror).unavailable() == (
        f"{names[0]} could not be fetched to {cache()} ({mirror}/{names[0]}: HTTP Error 404: File not found); "
        f"put it there yourself: curl --create-dirs -fLo {cache() / names[0]} {ADDRESS}/{names[0]}"
    )


def test_a_mirror_with_another_file_of_that_name_brings_nothing(mirror, shelf, names) -> None:
    (shelf / names[0]).write_bytes(b"made up")
    reason = Zoo("mbt2018-mean", levels="1..3", weights=mirror).unavailable() or ""
    assert reason.startswith(f"{names[0]} could not be fetched to {cache()} ({mirror}/{names[0]}: ")
    assert (
        f"sha256 {hashlib.sha256(b'made up').hexdigest()}, expected {names[0].split('-')[-1][:8]} by its name" in reason
    )
    assert list(cache().iterdir()) == []


def test_a_made_file_under_a_real_name_is_refused(compressai, made, tmp_path, monkeypatch) -> None:
    """CompressAI's own tables here, not those of these tests."""
    codec = Zoo("mbt2018-mean", levels=[1], weights=str(tmp_path))
    name = weights.name_in(codec.addresses()[0])
    assert name == "mbt2018-mean-1-e522738d.pth.tar"
    path = tmp_path / name
    path.write_bytes(made("mbt2018-mean"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    message = (
        f"{path} is damaged or another file: sha256 {digest}, expected e522738d by its name; fetch it again: "
        f"curl --create-dirs -fLo {path} {codec.addresses()[0]}"
    )
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("loaded it"))
    assert codec.unavailable() == message
    with pytest.raises(CodecUnavailable) as caught:
        codec.encode([torch.zeros(3, 8, 8, dtype=torch.uint8)], [1.0])
    assert str(caught.value) == message


def test_one_byte_too_many_is_noticed_later_too(shelf, names) -> None:
    assert CODEC.unavailable() is None
    version = CODEC.version
    path = shelf / names[1]
    path.write_bytes(path.read_bytes() + b"\0")
    assert "is damaged or another file" in (CODEC.unavailable() or "")
    with pytest.raises(CodecUnavailable):
        _ = CODEC.version
    assert names[1].split("-")[-1][:8] in version


def test_a_lock_file_holds_the_whole_hash(shelf, names) -> None:
    digest = weights.digest_of(shelf / names[0])
    path = weights.write_lock(shelf, {names[1]: weights.digest_of(shelf / names[1]), names[0]: digest})
    assert path.read_text().splitlines()[0] == f"{digest}  {names[0]}"
    assert CODEC.unavailable() is None
    other = digest[:8] + "0" * 56
    weights.write_lock(shelf, {names[0]: other})
    reason = CODEC.unavailable() or ""
    assert f"sha256 {digest}, expected {other} by compress-guard.lock; fetch it again" in reason


def test_a_lock_file_that_cannot_be_read_locks_everything(shelf) -> None:
    (shelf / weights.LOCK).write_text("abc\n")
    assert CODEC.unavailable() == (
        f"{shelf / weights.LOCK}:1: found 'abc', expected 'sha256  name'; write it anew: compress-guard doctor --lock"
    )
