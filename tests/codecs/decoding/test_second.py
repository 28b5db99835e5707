"""Second decoders: other pixels from the same streams, by as much as a right decoder may differ."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs import cuda_jpeg
from compress_guard.codecs.avif import Avif
from compress_guard.codecs.command import Command
from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.decoding import second
from compress_guard.codecs.decoding.second import no_second_decoder, second_decoder
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.jxl import Jxl
from compress_guard.codecs.pictures.fidelity import Difference, psnr
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.codecs.pipeline.scaling import Resize
from compress_guard.codecs.pixels import from_pil
from compress_guard.codecs.webp import WebP
from compress_guard.errors import CodecError

needs_djpeg = pytest.mark.skipif(shutil.which("djpeg") is None, reason="needs djpeg (libjpeg-turbo-progs)")
SIZES = [(1, 1), (2, 2), (3, 3), (17, 2), (2, 17), (16, 16), (33, 15), (64, 50)]


def djpeg(stream, *options):
    made = subprocess.run(["djpeg", *options], input=stream, capture_output=True, check=True)
    return from_pil(Image.open(io.BytesIO(made.stdout)))


def test_repeated_chroma_has_a_name():
    codec = Jpeg()
    assert second_decoder(codec).name == f"{codec.version}, chroma repeated"


@pytest.mark.parametrize("progressive", [False, True])
def test_repeated_chroma_differs_as_right_decoders_do(photos, smooth, progressive):
    codec = Jpeg(progressive=progressive)
    images = [*photos, smooth]
    streams = codec.encode(images, [10.0, 30.0, 50.0, 70.0, 90.0, 95.0])
    own, other = codec.decode(streams), second_decoder(codec).decode(streams, 1)
    found = [Difference.between(one, two) for one, two in zip(own, other, strict=True)]
    assert all(difference.differing for difference in found)
    # Chroma alone is resampled: luma moves only where a channel was cut off at 0 or 255.
    assert max(difference.luma for difference in found) < 1
    for image, one, two in zip(images, own, other, strict=True):
        assert two.shape == image.shape
        assert two.dtype == torch.uint8
        assert psnr(two, image) > psnr(one, image) - 5


def test_where_chroma_is_flat_both_decoders_agree():
    grey = torch.randint(0, 256, (1, 41, 39), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    codec = Jpeg()
    streams = codec.encode([grey.repeat(3, 1, 1)], [80.0])
    assert torch.equal(second_decoder(codec).decode(streams, 1)[0], codec.decode(streams)[0])


def test_each_chroma_sample_stands_for_its_four_pixels(photo):
    """The difference of red and luma, the same in all four wherever nothing is cut off at 0 or 255."""
    codec = Jpeg()
    calm = (photo // 2 + 64).to(torch.uint8)
    (image,) = second_decoder(codec).decode(codec.encode([calm], [90.0]), 1)
    red, green, blue = image.int()
    for difference in (red - blue, red - green):
        blocks = difference.unfold(0, 2, 2).unfold(1, 2, 2).flatten(2)
        assert int((blocks - blocks[..., :1]).abs().max()) == 0


@needs_djpeg
@pytest.mark.parametrize("size", SIZES)
def test_repeated_chroma_is_what_djpeg_makes_of_it(natural, size):
    codec = Jpeg()
    images = [natural(*size, seed) for seed in range(3)]
    streams = codec.encode(images, [5.0, 60.0, 100.0])
    for stream, image in zip(streams, second_decoder(codec).decode(streams, 2), strict=True):
        assert torch.equal(image, djpeg(stream, "-nosmooth"))


@pytest.mark.parametrize("size", [(1, 9), (9, 1)])
def test_a_picture_without_a_half_is_decoded_as_ever(natural, size):
    codec = Jpeg()
    streams = codec.encode([natural(*size)], [60.0])
    assert torch.equal(second_decoder(codec).decode(streams, 1)[0], codec.decode(streams)[0])


def test_a_stream_that_cannot_be_decoded_is_named(photos):
    codec = Jpeg()
    streams = codec.encode(photos[:2], [50.0, 50.0])
    message = r"^stream 2 of 2 \(40 bytes\) could not be decoded by repeating chroma: "
    with pytest.raises(CodecError, match=message):
        second_decoder(codec).decode([streams[0], streams[1][:40]], 1)
    grey = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(grey, "JPEG")
    with pytest.raises(CodecError, match=r": found a file of mode L, expected one in YCbCr$"):
        second_decoder(codec).decode([grey.getvalue()], 1)


@pytest.mark.parametrize("codec", [WebP(), Avif()], ids=lambda codec: codec.type)
def test_where_another_library_gives_the_same_pixels_there_is_no_second_decoder(codec):
    assert second_decoder(codec) is None


def test_the_file_that_a_pipeline_delivers_is_decoded_otherwise_and_the_steps_behind_it_follow(photos):
    """Against a plain loop: the pipeline's own first step, JPEG with repeated chroma, the step behind."""
    codec = Pipeline(({"resize": {"longest": 48}}, {"jpeg": {"quality": 60}}, {"resize": {"scale": 0.5}}))
    small, behind = Resize.of({"longest": 48}), Resize.of({"scale": 0.5})
    streams = codec.encode(photos, [60.0] * len(photos))
    second = second_decoder(codec)
    assert second.name == f"{Jpeg().version}, chroma repeated"
    files = Jpeg().encode([small.applied(image) for image in photos], [60.0] * len(photos))
    expected = [behind.applied(image) for image in second_decoder(Jpeg()).decode(files, 1)]
    for image, other, own in zip(second.decode(streams, 1), expected, codec.decode(streams), strict=True):
        assert torch.equal(image, other)
        assert not torch.equal(image, own)


def test_a_pipeline_whose_last_codec_has_no_second_decoder_has_none():
    codec = Pipeline(({"jpeg": {"quality": 60}}, "webp"))
    assert second_decoder(codec) is None
    assert no_second_decoder(codec) == no_second_decoder(WebP())


@pytest.mark.parametrize(
    ("codec", "reason"),
    [
        (
            WebP(),
            "no second decoder of webp is built in; name one of opencv, torchvision, torchcodec in the key decoders",
        ),
        (
            Command("enc {input} {setting} {output}", "dec {input} {output}", "1..9"),
            "no second decoder of command is built in",
        ),
    ],
    ids=lambda each: getattr(each, "type", ""),
)
def test_the_reason_why_there_is_none(codec, reason):
    assert second_decoder(codec) is None
    assert no_second_decoder(codec) == reason


@needs_djpeg
def test_other_jpegs_go_through_djpeg(photos):
    codec = Jpeg(subsampling="4:4:4")
    second = second_decoder(codec)
    assert second.name.startswith("djpeg -dct fast -nosmooth (")
    streams = codec.encode(photos, [50.0] * len(photos))
    for stream, image in zip(streams, second.decode(streams, 2), strict=True):
        assert torch.equal(image, djpeg(stream, "-dct", "fast"))


@pytest.mark.skipif(shutil.which("djxl") is None or shutil.which("cjxl") is None, reason="needs libjxl-tools")
def test_jpeg_xl_goes_through_djxl(photos):
    codec = Jxl()
    if (reason := codec.unavailable()) is not None:
        pytest.skip(reason)
    streams = codec.encode(photos[:2], [codec.ladder[5], codec.ladder[-5]])
    second = second_decoder(codec)
    assert second.name.startswith("djxl (")
    for own, other in zip(codec.decode(streams), second.decode(streams, 1), strict=True):
        assert Difference.between(own, other).largest <= 2


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that alone is on the PATH; puts a program of so many lines of Python there."""
    if os.name != "posix":
        pytest.skip("needs programs that start with #!")
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, *lines):
        program = tmp_path / name
        program.write_text("\n".join([f"#!{sys.executable} -IS", *lines]), encoding="utf-8")
        program.chmod(0o755)

    return put


JPEG444 = Jpeg(subsampling="4:4:4")


def test_without_its_program_there_is_none(programs):
    assert second_decoder(JPEG444) is None
    assert no_second_decoder(JPEG444) == (
        "djpeg, the second decoder of jpeg files, is not installed or does not run; install libjpeg-turbo-progs"
    )
    assert no_second_decoder(Jxl()) == (
        "djxl, the second decoder of jxl files, is not installed or does not run; install libjxl-tools"
    )
    assert second_decoder(Jpeg()) is not None


def test_a_program_that_does_not_run_is_none(programs):
    programs("cjpeg", "")
    programs("djpeg", "raise SystemExit(3)")
    assert second_decoder(JPEG444) is None


def test_a_program_that_runs(programs):
    programs("cjpeg", "")
    programs(
        "djpeg",
        "import sys",
        "if sys.argv[1:] == ['-version']: print('djpeg of a test')",
        "else:",
        "    dct, fast, nosmooth, outfile, target, source = sys.argv[1:]",
        "    assert (dct, fast, nosmooth, outfile) == ('-dct', 'fast', '-nosmooth', '-outfile')",
        "    pixels = open(source, 'rb').read()",
        "    open(target, 'wb').write(b'P6 2 1 255\\n' + pixels)",
    )
    second = second_decoder(JPEG444)
    assert second.name == "djpeg -dct fast -nosmooth (djpeg of a test)"
    (image,) = second.decode([bytes(range(6))], 1)
    assert image.tolist() == [[[0, 3]], [[1, 4]], [[2, 5]]]


# Codecs on a GPU


class Elsewhere(RealStreams):
    """A codec on a GPU, with a twin on the CPU."""

    type, version = "elsewhere", "elsewhere 1"

    def __init__(self, device="cuda:0", tolerance=None, stays=False):
        self._device, self._tolerance, self._stays = device, tolerance, stays

    @property
    def device(self):
        return self._device

    @property
    def device_tolerance(self):
        return self._tolerance

    def on(self, device):
        return self if self._stays else Elsewhere(device, self._tolerance)

    def decode(self, streams, workers=1):
        return [f"{stream} on {self._device}" for stream in streams]


def test_on_a_gpu_the_second_decoder_is_that_of_the_cpu():
    second = second_decoder(Elsewhere())
    assert second.name == "elsewhere 1 on the CPU"
    assert second.decode(["a", "b"], 1) == ["a on cpu", "b on cpu"]


def test_not_where_both_give_the_same_pixels_by_their_own_account():
    assert second_decoder(Elsewhere(tolerance=0)) is None
    assert no_second_decoder(Elsewhere(tolerance=0)) == (
        "elsewhere gives the same pixels on the CPU, by its own account"
    )
    assert second_decoder(Elsewhere(tolerance=1)) is not None


def test_nor_where_the_codec_knows_no_cpu():
    assert second_decoder(Elsewhere(stays=True)) is None
    assert no_second_decoder(Elsewhere(stays=True)) == "elsewhere has no decoder on the CPU"


def test_jpeg_on_a_gpu_swaps_to_libjpeg(monkeypatch, photos):
    class Double:
        name = "nvJPEG (double)"

    monkeypatch.setattr(cuda_jpeg, "library", Double)
    there = Jpeg().on("cpu:0")
    second = second_decoder(there)
    assert second.name == f"{Jpeg().version} on the CPU"
    streams = Jpeg().encode(photos, [50.0] * len(photos))
    for image, expected in zip(second.decode(streams, 1), Jpeg().decode(streams), strict=True):
        assert torch.equal(image, expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_nvjpeg_repeats_chroma_as_the_second_decoder_of_the_cpu_does(photos):
    streams = Jpeg().encode(photos, [80.0] * len(photos))
    there = Jpeg().on("cuda:0")
    if there.device == "cpu":
        pytest.skip(there.remark)
    for image, twin in zip(there.decode(streams), second_decoder(Jpeg()).decode(streams, 1), strict=True):
        assert Difference.between(image.cpu(), twin).largest <= 4


def test_the_programs_are_of_registered_codecs():
    from compress_guard.registry import CODECS

    assert set(second._PROGRAMS) <= set(CODECS)
