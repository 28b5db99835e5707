"""The codec `compressai`: checkpoints of people's own."""

from __future__ import annotations

import dataclasses
import pickle
import tarfile
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.zoo.architectures import ARCHITECTURES, GAINS
from compress_guard.codecs.zoo.own import CompressAi
from compress_guard.errors import CodecUnavailable, OptionError


@pytest.fixture
def saved(made, tmp_path):
    """Writes a checkpoint of an architecture; gives its path."""

    def save(architecture: str, name: str = "one.pth", channels: int = 9) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(made(architecture, channels))
        return str(path)

    return save


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("bits", ["coded", "estimated"])
def test_every_architecture_codes(saved, pictures, architecture, bits) -> None:
    codec = CompressAi(saved(architecture), architecture, bits=bits)
    assert codec.unavailable() is None
    streams = codec.encode(pictures[1:2], [codec.ladder[0]])
    decoded = codec.decode(streams)
    assert [image.shape for image in decoded] == [(3, 3, 5)]
    assert codec.ladder == (GAINS if ARCHITECTURES[architecture].variable else (1.0,))
    for again, first in zip(codec.decode(streams), decoded, strict=True):
        assert torch.equal(again, first)


def test_files_are_the_ladder_in_the_order_given(saved, pictures) -> None:
    files = [saved("mbt2018-mean", f"{name}.pth", channels) for name, channels in (("b", 4), ("a", 9))]
    codec = CompressAi(",".join(files), "mbt2018-mean")
    assert codec == CompressAi(files, "mbt2018-mean")
    assert codec.ladder == (1.0, 2.0)
    small, large = codec.encode(pictures[:1] * 2, [1.0, 2.0])
    assert [codec.decode([one])[0].shape for one in (small, large)] == [(3, 1, 1)] * 2
    assert [checkpoint.path for checkpoint in codec.checkpoints()] == [Path(one) for one in files]


def test_the_same_files_in_another_order_are_another_codec(saved) -> None:
    first, second = (saved("mbt2018-mean", f"{name}.pth", channels) for name, channels in (("b", 4), ("a", 9)))
    orders = [(first, second), (second, first), (first, first, second), (first, second, second)]
    assert len({CompressAi(files, "mbt2018-mean").version for files in orders}) == len(orders)


def test_a_folder_is_its_files_by_name(saved, tmp_path) -> None:
    for name in ("2.pth", "1.pth.tar", "3.pt"):
        saved("mbt2018-mean", f"rates/{name}")
    (tmp_path / "rates" / "notes.txt").write_text("nothing")
    codec = CompressAi(str(tmp_path / "rates"), "mbt2018-mean")
    assert [checkpoint.path.name for checkpoint in codec.checkpoints()] == ["1.pth.tar", "2.pth", "3.pt"]
    assert codec.ladder == (1.0, 2.0, 3.0)


def test_paths_are_seen_from_where_the_tests_run(saved, tmp_path, monkeypatch) -> None:
    saved("mbt2018-mean", "here.pth")
    monkeypatch.chdir(tmp_path)
    assert CompressAi("here.pth", "mbt2018-mean").unavailable() is None
    assert CompressAi("there.pth", "mbt2018-mean").unavailable() == (
        f"there is no file there.pth, seen from {tmp_path}; correct path, or put the checkpoint there"
    )
    (tmp_path / "empty").mkdir()
    assert CompressAi("empty", "mbt2018-mean").unavailable() == (
        "empty holds no .pth, .pt, .tar files; put the checkpoints there"
    )


def test_what_training_saves_will_do(saved, pictures, tmp_path) -> None:
    state = torch.load(saved("mbt2018-mean"), weights_only=True)
    wrapped = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}, "loss": 0.5}
    torch.save(wrapped, tmp_path / "training.pth.tar")
    one, other = (CompressAi(str(tmp_path / name), "mbt2018-mean") for name in ("one.pth", "training.pth.tar"))
    assert one.encode(pictures[:3], [1.0] * 3) == other.encode(pictures[:3], [1.0] * 3)


def test_tables_that_a_checkpoint_has_are_kept(compressai, saved, pictures, tmp_path) -> None:
    network = compressai.models.MeanScaleHyperprior.from_state_dict(
        torch.load(saved("mbt2018-mean"), weights_only=True)
    )
    network.update()
    network.entropy_bottleneck._quantized_cdf[:, 1:-1] += 1
    torch.save(network.state_dict(), tmp_path / "with.pth")
    codec = CompressAi(str(tmp_path / "with.pth"), "mbt2018-mean")
    loaded = codec.checkpoints()[0].load()
    assert torch.equal(loaded.entropy_bottleneck._quantized_cdf, network.entropy_bottleneck._quantized_cdf)
    assert codec.unavailable() is None


def test_a_changed_file_is_another_codec(saved, pictures) -> None:
    path = saved("mbt2018-mean")
    codec = CompressAi(path, "mbt2018-mean")
    before, stream = codec.version, codec.encode(pictures[2:3], [1.0])
    saved("mbt2018-mean", channels=6)
    assert codec.version != before
    assert codec.encode(pictures[2:3], [1.0]) != stream


def test_channels_that_do_not_fit_are_said(saved) -> None:
    path = saved("mbt2018-mean")
    assert CompressAi(path, "mbt2018-mean", N=8, M=9).unavailable() is None
    assert CompressAi(path, "mbt2018-mean", N=128).unavailable() == (f"{path} has N=8, asked for N=128; correct N")
    assert CompressAi(path, "mbt2018-mean", M=192).unavailable() == f"{path} has M=9, asked for M=192; correct M"


def test_another_architecture_is_said(saved, pictures) -> None:
    path = saved("mbt2018-mean")
    assert CompressAi(path, "cheng2020-anchor").unavailable() is None  # its first layer will do, until it is loaded
    with pytest.raises(CodecUnavailable, match=rf"^{path} does not hold cheng2020-anchor: .*; correct arch$"):
        CompressAi(path, "cheng2020-anchor").encode(pictures[:1], [1.0])


class Trap:
    """An object that would run code when a checkpoint is loaded."""

    def __reduce__(self):
        return (Path.touch, (Path("trapped"),))


@pytest.mark.parametrize("content", ["code", "junk", "tensor", "list", "empty", "tar", "bad tar"])
def test_what_is_no_checkpoint_is_refused_and_runs_nothing(compressai, tmp_path, monkeypatch, content) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.pth"
    if content == "code":
        torch.save({"state_dict": Trap()}, path)
    elif content in ("tensor", "list"):
        torch.save(torch.zeros(3) if content == "tensor" else [1, 2], path)
    elif content in ("tar", "bad tar"):
        with tarfile.open(path, "w") as archive:
            for name in ("storages", "tensors", "pickle"):
                archive.addfile(tarfile.TarInfo(name))
        path.write_bytes(path.read_bytes()[: 600 if content == "bad tar" else None])
    else:
        path.write_bytes(pickle.dumps({"a": 1})[:-2] if content == "junk" else b"")
    reason = CompressAi("bad.pth", "mbt2018-mean").unavailable() or ""
    assert reason.startswith(
        "bad.pth is no file of weights alone (" if content not in ("tensor", "list") else "bad.pth "
    )
    assert reason.endswith("save it with torch.save(model.state_dict(), PATH)")
    assert not Path("trapped").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": ""}, "path must name files or one folder, found ''"),
        ({"path": "a.pth,"}, "path must name files or one folder, found 'a.pth,'"),
        ({"path": 3}, "path must name files or one folder, found 3"),
        ({"path": []}, "path must name files or one folder, found []"),
        (
            {"arch": "mbt2018-maen"},
            "unknown arch 'mbt2018-maen', did you mean 'mbt2018-mean'? known: " + ", ".join(sorted(ARCHITECTURES)),
        ),
        ({"N": 0}, "N must be a whole number from 1 to 65536, found 0"),
        ({"M": "192"}, "M must be a whole number from 1 to 65536, found '192'"),
        ({"bits": "all"}, "bits must be 'auto', 'coded' or 'estimated', found 'all'"),
        (
            {"path": "a.pth,b.pth", "arch": "mbt2018-vbr"},
            "path must name one file for mbt2018-vbr, one network for all rates; found ('a.pth', 'b.pth')",
        ),
    ],
)
def test_options_without_sense_are_refused(options, message) -> None:
    with pytest.raises(OptionError) as caught:
        CompressAi(**{"path": "a.pth", "arch": "mbt2018-mean"} | options)
    assert str(caught.value) == message


def test_codecs_are_values() -> None:
    codec = CompressAi(["a.pth", "b.pth"], "mbt2018", N=3)
    assert dataclasses.replace(codec) == codec
    assert hash(dataclasses.replace(codec)) == hash(codec)
    assert not hasattr(codec, "__dict__")
    assert "a.pth" not in repr(codec)
