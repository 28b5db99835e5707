"""Codecs and the state of the process: what people's code sets reaches no codec, and no codec moves any of it."""

from __future__ import annotations

import contextlib
import decimal
import io
import locale
import os
import random
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from compress_guard.codecs.neural import model as neural
from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.library import compressai_library
from compress_guard.codecs.zoo.network import network_of
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.registry import CODECS
from tests.codecs.conftest import LEARNED, PACKER, natural

NETWORKS = ("bmshj2018-factorized", "mbt2018-mean", "mbt2018", "bmshj2018-hyperprior-vbr")
KINDS = [*(name for name in CODECS if name not in LEARNED), "neural", *NETWORKS]


def checkpoint(architecture, folder):
    """An untrained network of few channels, as a file."""
    try:
        library = compressai_library()
    except CodecUnavailable as problem:
        pytest.skip(str(problem))
    one = ARCHITECTURES[architecture]
    options = {"vr_entbttlnck": True} if one.variable else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = getattr(library.models, one.network)(8, 9, **options)
    path = folder / f"{architecture}.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module", params=KINDS)
def codec(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("codec")
    options = {}
    if request.param in NETWORKS:
        bits = "estimated" if request.param == "mbt2018" else "coded"
        options = {"path": str(checkpoint(request.param, folder)), "arch": request.param, "bits": bits}
    elif request.param == "pipeline":
        options = {"steps": [{"resize": {"longest": 40}}, {"jpeg": {"quality": 80}}, "webp"]}
    elif request.param == "command":
        script = folder / "packer.py"
        script.write_text(PACKER)
        python = f'"{sys.executable}" -I -S "{script}"'
        options = {
            "encoder": f"{python} encode {{input}} {{output}} {{setting}}",
            "decoder": f"{python} decode {{input}} {{output}}",
            "settings": "1..8",
        }
    made = CODECS.resolve("compressai" if request.param in NETWORKS else request.param)(**options)
    if (reason := made.unavailable()) is not None:
        pytest.skip(reason)
    return made


IMAGES = [natural(48, 70, 1), natural(33, 40, 2)]


def coded(codec, workers=1):
    """Streams and pixels, by networks that are loaded for this."""
    neural._model.cache_clear()
    network_of.cache_clear()
    sys.modules.pop("compress_guard.codecs.neural.network", None)
    settings = [codec.ladder[len(codec.ladder) // 2], codec.ladder[-1]]
    streams = codec.encode(IMAGES, settings, workers)
    return streams, [image.numpy().tobytes() for image in codec.decode(streams, workers)]


@pytest.fixture(scope="module")
def undisturbed(codec):
    return coded(codec)


@contextlib.contextmanager
def put_back(read, write, value):
    before = read()
    write(value)
    try:
        yield
    finally:
        write(before)


def default_dtype(dtype):
    return put_back(torch.get_default_dtype, torch.set_default_dtype, dtype)


@contextlib.contextmanager
def default_device():
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextlib.contextmanager
def deterministic():
    cudnn = torch.backends.cudnn
    before = torch.are_deterministic_algorithms_enabled(), cudnn.deterministic, cudnn.benchmark
    torch.use_deterministic_algorithms(mode=True)
    cudnn.deterministic, cudnn.benchmark = True, True
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        cudnn.deterministic, cudnn.benchmark = before[1:]


@contextlib.contextmanager
def seeds():
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 -- the global numbers are meant
    random.seed(99)
    yield


@contextlib.contextmanager
def pillow():
    """Pillow's own limits and readers, as careless code leaves them."""
    readers = dict(Image.OPEN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageFile, "MAXBLOCK", 512)
        patch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        patch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        for kind, (_, accept) in readers.items():
            reader: Any = (lambda file, name: Image.new("RGB", (1, 1)), accept)
            Image.OPEN[kind] = reader
        try:
            yield
        finally:
            Image.OPEN.update(readers)


@contextlib.contextmanager
def avif():
    plugin = pytest.importorskip("PIL.AvifImagePlugin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugin, "DECODE_CODEC_CHOICE", "aom")
        patch.setattr(plugin, "DEFAULT_MAX_THREADS", 3)
        yield


@contextlib.contextmanager
def heif():
    options = pytest.importorskip("pillow_heif").options
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(options, "PREFERRED_DECODER", {"AVIF": "none", "HEIF": "none"})
        patch.setattr(options, "PREFERRED_ENCODER", {"AVIF": "none", "HEIF": "none"})
        patch.setattr(options, "SAVE_NCLX_PROFILE", False)
        yield


@contextlib.contextmanager
def environment():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LANG", "LC_ALL", "LC_NUMERIC"):
            patch.setenv(name, "de_DE.UTF-8")
        patch.setenv("OMP_NUM_THREADS", "3")
        yield


@contextlib.contextmanager
def numbers():
    """Commas in numbers, where the system has such a locale, and decimals of three digits."""
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            break
    try:
        with decimal.localcontext(prec=3):
            yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


@contextlib.contextmanager
def elsewhere(folder):
    with contextlib.chdir(folder), put_back(lambda: os.umask(os.umask(0) or 0), os.umask, 0o077):
        yield


@contextlib.contextmanager
def strict_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


DISTURBANCES = {
    "default dtype float64": lambda folder: default_dtype(torch.float64),
    "default dtype bfloat16": lambda folder: default_dtype(torch.bfloat16),
    "default dtype float16": lambda folder: default_dtype(torch.float16),
    "default device": lambda folder: default_device(),
    "matmul precision": lambda folder: put_back(
        torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "medium"
    ),
    "deterministic": lambda folder: deterministic(),
    "inference mode": lambda folder: torch.inference_mode(),
    "gradients": lambda folder: torch.enable_grad(),
    "autocast": lambda folder: torch.autocast("cpu", dtype=torch.bfloat16),
    "seeds": lambda folder: seeds(),
    "numpy's errors": lambda folder: np.errstate(all="raise"),
    "warnings": lambda folder: strict_warnings(),
    "pillow": lambda folder: pillow(),
    "avif": lambda folder: avif(),
    "heif": lambda folder: heif(),
    "environment": lambda folder: environment(),
    "numbers": lambda folder: numbers(),
    "folder and umask": elsewhere,
}


@pytest.mark.parametrize("disturbance", DISTURBANCES)
def test_what_people_s_code_sets_reaches_no_codec(codec, undisturbed, disturbance, tmp_path):
    with DISTURBANCES[disturbance](tmp_path):
        disturbed = coded(codec)
    assert disturbed == undisturbed


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_torch_s_threads_reaches_no_codec(codec, undisturbed, threads):
    with put_back(torch.get_num_threads, torch.set_num_threads, threads):
        assert coded(codec, workers=2) == undisturbed


def state():
    """All that coding might move, as far as it can be compared."""
    cudnn = torch.backends.cudnn
    return {
        "torch's random numbers": torch.get_rng_state().tolist(),
        "numpy's": str(np.random.get_state()),  # noqa: NPY002
        "python's": random.getstate(),
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")),
        "precision": torch.get_float32_matmul_precision(),
        "deterministic": (
            torch.are_deterministic_algorithms_enabled(),
            cudnn.enabled,
            cudnn.deterministic,
            cudnn.benchmark,
        ),
        "numpy's errors": np.geterr(),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "pillow": (ImageFile.MAXBLOCK, ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS),
        "readers": dict(Image.OPEN),
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "decimals": str(decimal.getcontext()),
        "running": [thread.name for thread in threading.enumerate() if "loky" not in thread.name],
    }


@pytest.mark.parametrize("tolerant", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
def test_coding_moves_nothing(codec, undisturbed, workers, tolerant, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", tolerant)
    with torch.autocast("cpu", dtype=torch.bfloat16), default_dtype(torch.float64):
        before = state()
        coded(codec, workers)
        assert state() == before


def test_what_is_decoded_in_inference_mode_may_be_changed_and_learnt_from(codec):
    with torch.inference_mode():
        image = codec.decode(codec.encode(IMAGES[:1], [codec.ladder[-1]]))[0]
    scale = torch.ones((), requires_grad=True)
    (image.float() * scale).sum().backward()
    assert scale.grad is not None


@pytest.mark.parametrize("kind", ["jpeg", "jp2"])
def test_a_stream_that_was_cut_is_an_error_although_pillow_tolerates_such_files(kind, monkeypatch):
    codec = CODECS.resolve(kind)()
    stream = codec.encode([natural(64, 96)], [codec.ladder[-1]])[0]
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(CodecError):
        codec.decode([stream[: len(stream) // 2]])
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_files_of_other_threads_are_read_as_tolerantly_as_they_want(monkeypatch):
    """While a codec is at work, too."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    file = io.BytesIO()
    Image.fromarray(IMAGES[0].permute(1, 2, 0).numpy()).save(file, "PNG")
    codec = CODECS.resolve("jpeg")()
    stream = codec.encode([natural(400, 400)], [95.0])[0]
    done = threading.Event()

    def work():
        while not done.is_set():
            codec.decode([stream])

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(50):
            Image.open(io.BytesIO(file.getvalue()[:-200])).load()
    finally:
        done.set()
        worker.join()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True
