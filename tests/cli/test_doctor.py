"""``compress-guard doctor``: what is here, what is missing and what brings it."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from importlib import metadata
from pathlib import Path

import pytest

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.jxl import Jxl
from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.zoo import weights
from compress_guard.codecs.zoo.library import INSTALL, compressai_library
from compress_guard.errors import CodecUnavailable
from compress_guard.registry import CODECS

ADDRESS = "https://models.invalid/v1"


@pytest.fixture(autouse=True)
def nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights and no GPU of this machine."""
    monkeypatch.setattr("compress_guard.cli.doctor._has_gpu", lambda: False)
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    for name in (weights.WEIGHTS_VARIABLE, weights.DOWNLOAD_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Tables of two levels of one model, and what their files would hold."""
    try:
        zoo = compressai_library().zoo
    except CodecUnavailable as problem:
        pytest.skip(str(problem))
    files = {}
    for level in (1, 2):
        data = f"weights of level {level}".encode()
        files[f"mbt2018-mean-{level}-{hashlib.sha256(data).hexdigest()[:8]}.pth.tar"] = data
    addresses = dict(enumerate((f"{ADDRESS}/{name}" for name in files), start=1))
    monkeypatch.setattr(zoo.image, "model_urls", {"mbt2018-mean": {"mse": addresses}})
    monkeypatch.setattr(zoo.image_vbr, "model_urls", {})
    return files


@pytest.fixture
def two_levels(folder: Path) -> None:
    """A thresholds file that asks for jpeg and these two levels."""
    (folder / "thresholds.yaml").write_text(
        "version: 1\n"
        "codecs: {mymbt: {type: zoo:mbt2018-mean, levels: [1, 2]}}\n"
        "defaults: {codecs: [jpeg, mymbt], bpp: [0.5]}\n"
        'guards: {toy: {task: classification, model: "toy:model", data: "toy:data"}}\n'
    )


def rows(out: str) -> dict[str, list[str]]:
    """State and remark by name."""
    return {line.split()[0]: line.split(maxsplit=2)[1:] for line in out.splitlines() if line.startswith("  ")}


def test_every_codec_is_listed_with_version_or_remedy(command, tables, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    done = command("doctor")
    assert (done.code, done.err) == (0, "")
    found = rows(done.out)
    assert list(found)[: len(list(CODECS))] == list(CODECS)
    assert found["jpeg"] == ["ok", f"{Jpeg().version}, on cpu"]
    assert found["neural"] == ["ok", f"{Neural().version}, on cpu"]
    assert found["jxl"] == ["missing", Jxl().unavailable()]
    assert found["command"] == ["ok", "needs the options encoder, decoder, settings"]
    assert found["zoo"] == ["ok", "needs the options model"]
    assert done.out.splitlines()[0] == "GPU: none that torch can use; codecs work on the CPU"


def test_with_a_gpu_it_says_who_works_there(command, tables, monkeypatch) -> None:
    monkeypatch.setattr("compress_guard.cli.doctor._has_gpu", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: f"NVIDIA of {device}")
    done = command("doctor")
    assert done.out.splitlines()[0] == "GPU: NVIDIA of cuda:0, cuda:0"
    assert rows(done.out)["neural"] == ["ok", f"{Neural().version}, on cuda:0"]
    assert rows(done.out)["webp"][1].endswith(", on cpu")


def test_an_install_without_the_bundled_weights_is_missing_them(command, folder, tables, monkeypatch) -> None:
    monkeypatch.setattr("compress_guard.codecs.neural.codec.WEIGHTS", folder / "gone.safetensors")
    state, remark = rows(command("doctor").out)["neural"]
    assert (state, remark) == ("missing", Neural().unavailable())
    assert "gone.safetensors" in remark


def test_columns_are_aligned(command, tables) -> None:
    lines = command("doctor").out.splitlines()
    codecs = lines[lines.index("codecs") + 1 :][: len(list(CODECS))]
    assert len({line.index(" ok ") if " ok " in line else line.index(" missing ") for line in codecs}) == 1


def test_each_file_is_missing_sound_or_damaged(command, folder, tables) -> None:
    (one, data), (other, _) = tables.items()
    cache = folder / "torch" / "hub" / "checkpoints"
    done = command("doctor", "--weights", str(cache))
    assert done.code == 0
    assert f"\nweights in {cache} (the option weights)\n" in done.out
    assert rows(done.out)[one] == rows(done.out)[other] == ["missing", f"from {ADDRESS}/"]
    cache.mkdir(parents=True)
    (cache / one).write_bytes(data)
    (cache / other).write_bytes(b"made up")
    done = command("doctor", "--weights", str(cache))
    assert done.code == 1
    assert rows(done.out)[one] == ["ok", f"sha256 {hashlib.sha256(data).hexdigest()[:16]}"]
    assert rows(done.out)[other][0] == "damaged"
    assert f"expected {other.split('-')[-1][:8]} by its name; fetch it again: curl " in rows(done.out)[other][1]


HINT = "weights: name a thresholds file to see those that its codecs need: compress-guard doctor FILE\n"


def test_without_a_file_no_weights_are_listed(command, tables) -> None:
    done = command("doctor")
    assert done.out.endswith(f"\n{HINT}")
    assert not any(name in done.out for name in tables)


def test_a_numpy_beyond_the_pins_of_compressai_is_told(command, folder, tables, two_levels, monkeypatch) -> None:
    pytest.importorskip("compressai", reason="compressai is not installed")
    (folder / "w").mkdir()
    for name, data in tables.items():
        (folder / "w" / name).write_bytes(data)
    known = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "2.4.1" if name == "numpy" else known(name))
    told = (
        f"numpy 2.4.1 is against the pins of compressai {known('compressai')} (numpy<2.0,>=1.21.0), which may fail "
        "with it; pip install 'numpy<2.0,>=1.21.0'"
    )
    learned = rows(command("doctor", "thresholds.yaml", "--weights", "w").out)["mymbt"]
    assert learned[0] == "ok"
    assert learned[1].endswith(f", on cpu; {told}")
    bundled = rows(command("doctor").out)
    assert bundled["neural"] == ["ok", f"{Neural().version}, on cpu"]
    assert "pins" not in bundled["jpeg"][1]


def test_a_file_is_asked_what_its_codecs_need(command, folder, tables, two_levels) -> None:
    done = command("doctor", "thresholds.yaml")
    assert done.code == 1
    assert list(rows(done.out)) == ["jpeg", "mymbt", *tables]
    first = next(iter(tables))
    assert rows(done.out)["mymbt"][0] == "missing"
    assert rows(done.out)["mymbt"][1].startswith(f"{first} is missing in {folder / 'torch' / 'hub' / 'checkpoints'} (")
    (folder / "w").mkdir()
    for name, data in tables.items():
        (folder / "w" / name).write_bytes(data)
    done = command("doctor", "thresholds.yaml", "--weights", "w")
    assert done.code == 0, done.out
    assert "\nweights in w (the option weights)\n" in done.out
    assert rows(done.out)["mymbt"][0] == "ok"


def test_a_checkpoint_of_another_architecture_is_found_out(command, folder) -> None:
    pytest.importorskip("compressai", reason="compressai is not installed")
    import torch

    made = compressai_library().models.FactorizedPrior(8, 8)
    torch.save(made.state_dict(), folder / "mine.pth")
    for arch, state in (("bmshj2018-factorized", "ok"), ("mbt2018-mean", "damaged")):
        (folder / "thresholds.yaml").write_text(
            "version: 1\n"
            f"codecs: {{mine: {{type: compressai, path: {folder / 'mine.pth'}, arch: {arch}}}}}\n"
            "defaults: {codecs: [mine], bpp: [0.5]}\n"
            'guards: {toy: {task: classification, model: "toy:model", data: "toy:data"}}\n'
        )
        done = command("doctor", "thresholds.yaml")
        assert (done.code, rows(done.out)["mine"][0]) == (0 if state == "ok" else 1, state), done.out
    assert "mine.pth does not hold mbt2018-mean" in rows(done.out)["mine"][1]


def test_a_file_without_learned_codecs_imports_none(command, guards, monkeypatch) -> None:
    guards(a="bpp: [0.5]")
    monkeypatch.setitem(sys.modules, "compressai", None)
    done = command("doctor", "thresholds.yaml")
    assert done.code == 0
    assert list(rows(done.out)) == ["jpeg"]
    assert "weights" not in done.out


def test_without_compressai_its_extra_is_named(command, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "compressai", None)
    done = command("doctor")
    assert done.code == 0
    for name in ("zoo", "compressai"):
        assert rows(done.out)[name] == ["missing", f"compressai is not installed; {INSTALL}"]


def test_a_compressai_that_does_not_import_is_no_crash(command, monkeypatch) -> None:
    def broken():
        raise CodecUnavailable("compressai does not import here (numpy); pip install 'compress-guard[zoo]'")

    monkeypatch.setattr("compress_guard.cli.doctor.compressai_library", broken)
    done = command("doctor")
    assert done.code == 0
    assert rows(done.out)["zoo"][1].startswith("compressai does not import here (numpy); ")


def test_lock_writes_what_sha256sum_reads(command, folder, tables, two_levels) -> None:
    done = command("doctor", "--lock", "--weights", "w")
    assert done.code == 0
    assert "no lock file written: there are no intact weights in w\n" in done.out
    (folder / "w").mkdir()
    (one, data), (other, _) = tables.items()
    (folder / "w" / one).write_bytes(data)
    assert "locked: 1 files in w/compress-guard.lock\n" in command("doctor", "--lock", "--weights", "w").out
    lock = folder / "w" / "compress-guard.lock"
    assert lock.read_text() == f"{hashlib.sha256(data).hexdigest()}  {one}\n"
    (folder / "w" / other).write_bytes(tables[other])
    assert command("doctor", "thresholds.yaml", "--lock", "--weights", "w").code == 0
    assert weights.locked(folder / "w") == {name: hashlib.sha256(data).hexdigest() for name, data in tables.items()}


def test_a_lock_that_no_longer_fits_is_kept_and_one_of_junk_is_not(command, folder, tables) -> None:
    (folder / "w").mkdir()
    (one, data) = next(iter(tables.items()))
    (folder / "w" / one).write_bytes(data)
    lock = folder / "w" / "compress-guard.lock"
    other = f"{'0' * 64}  {one}\n"
    lock.write_text(other)
    done = command("doctor", "--lock", "--weights", "w")
    assert done.code == 1
    assert f"expected {'0' * 64} by compress-guard.lock" in rows(done.out)[one][1]
    assert lock.read_text() == other
    lock.write_text("junk\n")
    assert command("doctor", "--weights", "w").code == 1
    assert command("doctor", "--lock", "--weights", "w").code == 0
    assert lock.read_text() == f"{hashlib.sha256(data).hexdigest()}  {one}\n"


def test_a_codec_that_breaks_its_word_is_damaged(command, tables, monkeypatch) -> None:
    @dataclasses.dataclass(frozen=True)
    class Broken(Jpeg):
        @property
        def version(self):
            raise FileNotFoundError("its weights are gone")

    monkeypatch.setitem(CODECS._found, "neural", Broken)
    done = command("doctor")
    assert done.code == 1
    assert rows(done.out)["neural"] == ["damaged", "its weights are gone"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "thresholds.yaml: there is no such file; name a thresholds file: compress-guard doctor FILE"),
        ("version: 2\n", "thresholds.yaml:1: version must be 1, found 2; write version: 1"),
    ],
)
def test_a_file_without_sense_ends_with_4(command, folder, text, message) -> None:
    (folder / "thresholds.yaml").unlink(missing_ok=True)
    if text is not None:
        (folder / "thresholds.yaml").write_text(text)
    done = command("doctor", "thresholds.yaml")
    assert (done.code, done.out, done.err) == (4, "", f"compress-guard: {message}\n")


def test_help_teaches(command) -> None:
    done = command("doctor", "--help")
    assert done.code == 0
    for word in ("FILE", "--weights DIR", "--lock", "COMPRESS_GUARD_DOWNLOAD=1", "Exit code 0"):
        assert word in " ".join(done.out.split())
