"""JPEG on a CUDA device: what nvJPEG codes, what is left to the CPU, and what is said of it.

Without a GPU the device is called ``cpu:0``, which is not ``cpu`` to the codec, and the library is a double
on Pillow that writes what nvJPEG writes. Tests with the marker `gpu` do the same for real.
"""

from __future__ import annotations

import io
import math
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from PIL import Image

from compress_guard.codecs import cuda_jpeg
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.registry import CODECS

CHROMA_444 = [(1, 1), (1, 1), (1, 1)]
CHROMA_420 = [(2, 2), (1, 1), (1, 1)]


def opened(stream):
    return Image.open(io.BytesIO(stream))


def chroma(stream):
    return [(across, down) for _, across, down, _ in opened(stream).layer]


class Double:
    """A double of nvJPEG that codes by Pillow: 4:4:4 and the standard Huffman tables."""

    name = "nvJPEG (double 1)"

    def __init__(self):
        self.encoded, self.decoded, self.refuse, self.room = [], [], lambda image: False, 1000

    def encode(self, images, quality):
        assert all(image.is_contiguous() for image in images)
        self.encoded.append((len(images), quality))
        if len(images) > self.room:
            raise torch.cuda.OutOfMemoryError
        if any(self.refuse(image) for image in images):
            raise RuntimeError("image encoding failed: 8\nException raised from encode_jpeg")
        return [torch.frombuffer(bytearray(self.write(image, quality)), dtype=torch.uint8) for image in images]

    def decode(self, streams, device):
        assert device == "cpu:0"
        assert all(stream.dtype == torch.uint8 and stream.dim() == 1 for stream in streams)
        self.decoded.append(len(streams))
        return [from_pil(opened(stream.numpy().tobytes())) for stream in streams]

    @staticmethod
    def write(image, quality):
        out = io.BytesIO()
        to_pil(image).save(out, "JPEG", quality=quality, subsampling="4:4:4", optimize=False)
        return out.getvalue()


@pytest.fixture
def nvjpeg(monkeypatch):
    double = Double()
    monkeypatch.setattr(cuda_jpeg, "library", lambda: double)
    return double


def test_444_is_coded_there(nvjpeg, photos):
    codec = Jpeg(subsampling="4:4:4").on("cpu:0")
    settings = [20.0, 90.0, 20.0, 20.0, 90.0]
    streams = codec.encode(photos, settings)
    assert streams == [Double.write(image, int(setting)) for image, setting in zip(photos, settings, strict=True)]
    assert nvjpeg.encoded == [(3, 20), (2, 90)]
    decoded = codec.decode(streams)
    assert nvjpeg.decoded == [5]
    for image, expected in zip(decoded, Jpeg().decode(streams), strict=True):
        assert torch.equal(image, expected)
    assert codec.device == "cpu:0"
    assert codec.version == "nvJPEG (double 1), 4:4:4, standard Huffman tables"
    assert codec.remark == (
        "nvJPEG (double 1) writes the standard Huffman tables: larger files than the optimised ones of the CPU"
    )


def test_standard_huffman_tables_that_were_asked_for_need_no_remark(nvjpeg, photos):
    codec = Jpeg(subsampling="4:4:4", optimize=False).on("cpu:0")
    assert codec.encode(photos, [50.0] * 5) == [Double.write(image, 50) for image in photos]
    assert codec.remark is None


@pytest.mark.parametrize(
    ("options", "remark"),
    [
        (
            {},
            "encoded by libjpeg on the CPU: nvJPEG (double 1) writes 4:4:4 only, asked for 4:2:0; "
            "decoded by nvJPEG (double 1), which repeats the chroma that libjpeg interpolates",
        ),
        (
            {"subsampling": "4:2:2", "progressive": True},
            "encoded by libjpeg on the CPU: nvJPEG (double 1) writes 4:4:4 only, asked for 4:2:2; "
            "decoded by nvJPEG (double 1), which repeats the chroma that libjpeg interpolates",
        ),
        (
            {"subsampling": "4:4:4", "progressive": True},
            "encoded by libjpeg on the CPU: nvJPEG (double 1) writes baseline files only, asked for progressive",
        ),
        (
            {"subsampling": "4:4:4", "restart_rows": 1},
            "encoded by libjpeg on the CPU: nvJPEG (double 1) writes files without restart markers only, asked for "
            "some",
        ),
    ],
)
def test_what_it_cannot_write_is_encoded_on_the_cpu_and_decoded_there(nvjpeg, photos, options, remark):
    here = Jpeg(**options)
    there = here.on("cpu:0")
    settings = [40.0] * len(photos)
    streams = there.encode(photos, settings, workers=2)
    assert streams == here.encode(photos, settings)
    there.decode(streams)
    assert (nvjpeg.encoded, nvjpeg.decoded) == ([], [5])
    assert there.remark == remark
    assert there.version == f"{here.version}, decoded by nvJPEG (double 1)"


def test_an_image_that_fails_there_is_coded_on_the_cpu_and_the_others_are_not(nvjpeg, photos):
    nvjpeg.refuse = lambda image: image.shape[-1] == 17
    here = Jpeg(subsampling="4:4:4")
    there = here.on("cpu:0")
    streams = there.encode(photos, [30.0] * 5)
    expected = [Double.write(image, 30) for image in photos]
    expected[1] = here.encode([photos[1]], [30.0])[0]
    assert streams == expected
    assert expected[1] != Double.write(photos[1], 30)
    assert there.remark.endswith(
        "; some images were not encoded by nvJPEG (double 1) but on the CPU: image encoding failed: 8"
    )


def test_a_stream_that_fails_there_is_decoded_on_the_cpu_and_put_there(nvjpeg, photos, monkeypatch):
    here = Jpeg()
    there = here.on("cpu:0")
    streams = here.encode(photos, [30.0] * 5)
    decode, moved = nvjpeg.decode, []

    def fails(given, device):
        if any(len(one) == len(streams[2]) for one in given):
            raise RuntimeError("nvjpegDecode failed: 4")
        return decode(given, device)

    to = torch.Tensor.to
    monkeypatch.setattr(nvjpeg, "decode", fails)
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *given, **named: moved.append(given) or to(self, *given))
    for image, expected in zip(there.decode(streams), here.decode(streams), strict=True):
        assert torch.equal(image, expected)
    assert moved == [("cpu:0",)]
    assert there.remark.endswith(
        "; some images were not decoded by nvJPEG (double 1) but on the CPU: nvjpegDecode failed: 4"
    )


def test_memory_that_runs_out_cuts_the_batch_and_is_said(nvjpeg, photo):
    nvjpeg.room = 3
    codec = Jpeg(subsampling="4:4:4").on("cpu:0")
    assert codec.encode([photo] * 8, [50.0] * 8) == [Double.write(photo, 50)] * 8
    assert nvjpeg.encoded == [(8, 50), (4, 50), *[(2, 50)] * 4]
    assert codec.remark.endswith("; batches cut to 2 after memory ran out on cpu:0")
    nvjpeg.room = 0
    assert codec.encode([photo], [50.0]) == Jpeg(subsampling="4:4:4").encode([photo], [50.0])


def test_errors_are_those_of_the_cpu_with_the_right_number(nvjpeg, photo):
    codec = Jpeg(subsampling="4:4:4").on("cpu:0")
    streams = codec.encode([photo] * 3, [50.0] * 3)
    with pytest.raises(CodecError, match=r"^jpeg could not decode stream 2 of 3 \(20 bytes\): "):
        codec.decode([streams[0], streams[1][:20], streams[2]])
    with pytest.raises(CodecError, match=r"^jpeg could not decode stream 1 of 1 \(0 bytes\): "):
        codec.decode([b""])
    with pytest.raises(
        CodecError,
        match=r"^jpeg could not encode image 2 of 3 \(160x128 pixels\): 50.5 is not a setting of it, "
        r"which takes whole numbers from 1 to 100$",
    ):
        codec.encode([photo] * 3, [50.0, 50.5, 50.0])
    with pytest.raises(CodecError, match=r"^jpeg could not encode image 1 of 1 \(65501x1 pixels\): sides of at most"):
        codec.encode([torch.zeros(3, 1, 65501, dtype=torch.uint8)], [50.0])


def test_no_images(nvjpeg):
    codec = Jpeg(subsampling="4:4:4").on("cpu:0")
    assert (codec.encode([], []), codec.decode([]), nvjpeg.encoded, nvjpeg.decoded) == ([], [], [], [])


def test_the_same_codec_here_and_there(nvjpeg):
    here = Jpeg(subsampling="4:4:4")
    there = here.on("cpu:0")
    assert there == here
    assert repr(there) == repr(here)
    assert repr(here).startswith("Jpeg(subsampling='4:4:4', progressive=False, ")
    assert "cpu" not in repr(there)
    assert here.on("cpu") is here
    assert there.on("cpu:0") is there
    assert (there.on("cpu").device, there.on("cpu").remark, there.on("cpu").version) == ("cpu", None, here.version)


def test_strided_images_are_made_whole_first(nvjpeg, photo):
    strided = photo.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    codec = Jpeg(subsampling="4:4:4").on("cpu:0")
    assert codec.encode([strided], [50.0]) == codec.encode([photo], [50.0])


def test_without_any_library_it_stays_on_the_cpu_and_says_so(monkeypatch, photo):
    def none():
        raise CodecUnavailable("no nvJPEG; pip install torchcodec")

    monkeypatch.setattr(cuda_jpeg, "library", none)
    codec = Jpeg().on("cuda:0")
    assert (codec.device, codec.remark) == ("cpu", "coded on the CPU: no nvJPEG; pip install torchcodec")
    assert codec.version == Jpeg().version
    assert codec.encode([photo], [50.0]) == Jpeg().encode([photo], [50.0])


# The libraries


def fresh_library():
    cuda_jpeg.library.cache_clear()
    try:
        return cuda_jpeg.library()
    finally:
        cuda_jpeg.library.cache_clear()


def test_torchvision_stands_in_where_torchcodec_is_absent(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchcodec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    found = fresh_library()
    assert isinstance(found, cuda_jpeg.TorchVision)
    assert found.name.startswith("nvJPEG (torchvision 0.")


def test_with_neither_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchvision.io", None)
    with pytest.raises(
        CodecUnavailable,
        match=r"^neither torchcodec 0\.16 or later nor torchvision's image operators can be used; "
        r"pip install torchcodec$",
    ):
        fresh_library()


def test_torchvision_has_the_operators_that_are_called():
    import torchvision.io

    signatures = {
        name: [str(argument.type) for argument in getattr(torch.ops.image, name).default._schema.arguments]
        for name in ("encode_jpegs_cuda", "decode_jpegs_cuda")
    }
    assert signatures == {
        "encode_jpegs_cuda": ["List[Tensor]", "int"],
        "decode_jpegs_cuda": ["List[Tensor]", "int", "Device"],
    }
    assert torchvision.io.ImageReadMode.RGB.value == cuda_jpeg._RGB


def test_a_library_without_a_device_leaves_everything_to_the_cpu(monkeypatch, photos):
    """The real operators, which refuse the device that this is."""
    monkeypatch.setattr(cuda_jpeg, "library", lambda: cuda_jpeg.TorchVision("nvJPEG (torchvision)"))
    here = Jpeg(subsampling="4:4:4")
    there = here.on("cpu:0")
    streams = there.encode(photos, [50.0] * 5)
    assert streams == here.encode(photos, [50.0] * 5)
    assert all(torch.equal(one, other) for one, other in zip(there.decode(streams), here.decode(streams), strict=True))
    assert there.remark.count(" but on the CPU: ") == 2
    assert "\n" not in there.remark


def test_torchcodec_is_called_as_it_wants_to_be(smooth):
    pytest.importorskip("torchcodec.encoders", reason="torchcodec is not installed", exc_type=ImportError)
    library = cuda_jpeg.TorchCodec("nvJPEG (torchcodec)")
    (stream,) = library.encode([smooth], 90)  # on a CPU tensor it is libjpeg that codes
    assert (stream.dtype, stream.dim(), opened(stream.numpy().tobytes()).format) == (torch.uint8, 1, "JPEG")
    (image,) = library.decode([stream], "cpu")
    assert (image.dtype, image.shape) == (torch.uint8, smooth.shape)
    assert psnr(image, smooth) > 30


# On a GPU


def psnr(one, other):
    error = float(((one.cpu().double() - other.cpu().double()) ** 2).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


gpu = pytest.mark.gpu
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.fixture(params=["torchcodec", "torchvision"])
def real(request, monkeypatch):
    """Each library that is installed."""
    pytest.importorskip(f"{request.param}.io" if request.param == "torchvision" else "torchcodec.encoders")
    made = (cuda_jpeg.TorchVision if request.param == "torchvision" else cuda_jpeg.TorchCodec)(request.param)
    monkeypatch.setattr(cuda_jpeg, "library", lambda: made)
    return made


@gpu
@needs_gpu
@pytest.mark.parametrize("source", ["cpu", "cuda:0"])
def test_444_is_coded_on_the_gpu(real, photo, smooth, source):
    codec = Jpeg(subsampling="4:4:4").on("cuda:0")
    images = [photo, photo.flip(2), photo.transpose(1, 2).contiguous(), photo[:, 3:, 5:], smooth]
    settings = [90.0, 30.0, 90.0, 1.0, 95.0]
    streams = codec.encode([image.to(source) for image in images], settings)
    assert " but on the CPU" not in codec.remark
    assert all(chroma(stream) == CHROMA_444 and "progressive" not in opened(stream).info for stream in streams)
    decoded = codec.decode(streams)
    on_cpu = codec.on("cpu").decode(streams)
    for image, expected, original in zip(decoded, on_cpu, images, strict=True):
        assert (image.device, image.dtype, image.shape) == (torch.device("cuda:0"), torch.uint8, original.shape)
        assert psnr(image, expected) > 35
    assert psnr(decoded[-1], smooth) > 35


@gpu
@needs_gpu
def test_420_is_decoded_on_the_gpu_as_the_cpu_does_but_for_chroma(real, photo):
    here = Jpeg()
    there = here.on("cuda:0")
    settings = [5.0, 30.0, 75.0, 95.0]
    streams = there.encode([photo] * 4, settings)
    assert streams == here.encode([photo] * 4, settings)
    assert chroma(streams[0]) == CHROMA_420
    luma = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    for image, expected in zip(there.decode(streams), here.decode(streams), strict=True):
        assert image.is_cuda
        assert float(((image.cpu() * luma).sum(0) - (expected * luma).sum(0)).abs().mean()) < 2
    assert " but on the CPU" not in there.remark


@gpu
@needs_gpu
def test_any_size_comes_back_from_the_gpu(real):
    sizes = [(1, 1), (1, 2), (2, 1), (1, 37), (37, 1), (3, 5), (8, 8), (17, 31), (48, 64)]
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator) for size in sizes]
    for codec in (Jpeg().on("cuda:0"), Jpeg(subsampling="4:4:4").on("cuda:0")):
        for setting in (1.0, 100.0):
            decoded = codec.decode(codec.encode(images, [setting] * len(images)))
            assert [tuple(image.shape) for image in decoded] == [(3, *size) for size in sizes]
            assert all(image.is_cuda and image.dtype == torch.uint8 for image in decoded)


@gpu
@needs_gpu
def test_streams_and_pixels_are_there_when_the_call_returns(real):
    """Made on another stream than torch's, they must not be read before they are written, nor from two threads."""
    codec = Jpeg(subsampling="4:4:4").on("cuda:0")
    generator = torch.Generator().manual_seed(1)
    images = [torch.randint(0, 256, (3, 400, 600), dtype=torch.uint8, generator=generator) for _ in range(12)]
    alone = [codec.encode([image], [80.0])[0] for image in images]
    pixels = [codec.decode([stream])[0].cpu() for stream in alone]

    def again(_):
        # Freshly computed, so that the encoder has something to wait for.
        fresh = [(image.cuda().float() * 2 / 2).to(torch.uint8) for image in images]
        streams = codec.encode(fresh, [80.0] * len(fresh))
        return streams == alone and all(
            torch.equal(image.cpu(), expected) for image, expected in zip(codec.decode(streams), pixels, strict=True)
        )

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(again, range(10)))


@gpu
@needs_gpu
def test_a_broken_stream_is_an_error_on_the_gpu_too(real, photo):
    codec = Jpeg(subsampling="4:4:4").on("cuda:0")
    stream = codec.encode([photo], [50.0])[0]
    with pytest.raises(CodecError, match=r"^jpeg could not decode stream 2 of 2 \(20 bytes\): "):
        codec.decode([stream, stream[:20]])


@gpu
@needs_gpu
def test_the_registered_codec_moves():
    assert CODECS.resolve("jpeg")().on("cuda:0").device == "cuda:0"
