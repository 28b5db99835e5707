"""A toy world in which every number can be made again by hand: pictures, models, and a codec that keeps a diary."""

from __future__ import annotations

import functools
import hashlib
import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.engine.cells.guard_bench import Bench
from compress_guard.engine.cells.measured import Measured
from compress_guard.engine.images.slicers import slicers
from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.models.fingerprint import certainty
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.prediction.versions import remember_run
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import CodecError
from compress_guard.records import Cell, CellResult, CodecSpec, Guard, Rate
from compress_guard.registry import CODECS, DECODERS

SIZES = ((96, 96), (89, 95), (95, 71), (81, 96))
"""Most are no multiples of 8 or 16, so that padding would show."""


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def untimed_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look that takes no time, so that it ends at its sixteen images and never at its budget."""
    from compress_guard.engine.images import subsets
    from compress_guard.engine.images.second_reading import read_again
    from compress_guard.engine.images.survey import passes

    for module in (passes, subsets):
        monkeypatch.setattr(module, "read_again", functools.partial(read_again, stopwatch=lambda: 0.0))


def texture(index: int, size: tuple[int, int]) -> Any:
    """A faint wave on uneven light; its class, index mod 4, is the wave's direction and period."""
    import torch

    (height, width), noise, label = size, torch.Generator().manual_seed(index), index % 4
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    wave = torch.sin((x if label % 2 else y) * 2 * torch.pi * (32 if label // 2 else 8))
    light = torch.rand(1, 1, 6, 6, generator=noise)
    light = torch.nn.functional.interpolate(light, size=size, mode="bicubic", align_corners=False)[0, 0]
    image = 60 + 100 * light + 5 * wave + 6 * torch.randn(height, width, generator=noise)
    image = image.clamp(0, 255).to(torch.uint8).expand(3, -1, -1).contiguous()
    image[0, 0, 0] = index
    return image


@pytest.fixture
def pictures() -> Callable[..., list[tuple[Any, int, str]]]:
    """(image, label, id) of so many textures, their first pixel telling their number."""

    def make(count: int = 12, sizes: Sequence[tuple[int, int]] = SIZES) -> list[tuple[Any, int, str]]:
        return [(texture(index, sizes[index % len(sizes)]), index % 4, f"t{index:02d}") for index in range(count)]

    return make


class Spectrum:
    """A classifier by the energy at each class's frequency; it keeps all that it was shown."""

    def __init__(self, batch_size: int = 8, head: Sequence[int] = (0, 1, 2, 3)) -> None:
        self.batch_size = batch_size
        self.head = list(head)
        self.seen: list[list[Any]] = []

    def __call__(self, images: list[Any]) -> list[Any]:
        self.seen.append([image.clone() for image in images])
        return [self.scores(image) for image in images]

    def scores(self, image: Any) -> Any:
        import torch

        grey = image.float().mean(0)
        energy = torch.fft.rfft2(grey - grey.mean()).abs()
        return torch.stack([energy[8, 0], energy[0, 8], energy[32, 0], energy[0, 32]])[self.head]

    def right(self, images: Sequence[Any], data: Sequence[tuple[Any, int, str]]) -> Any:
        """Return for each image of the data, decoded in some way, if its class is found; nothing is kept of it."""
        pairs = zip(images, data, strict=True)
        return np.array([int(self.scores(image).argmax()) == label for image, (_, label, _) in pairs])

    @property
    def images_seen(self) -> list[Any]:
        return [image for batch in self.seen for image in batch]


@pytest.fixture
def spectrum() -> type[Spectrum]:
    return Spectrum


@pytest.fixture
def coloured() -> Callable[[int], list[tuple[Any, int, str]]]:
    """Pictures with colours and no symmetry."""
    import torch

    def make(count: int) -> list[tuple[Any, int, str]]:
        made = []
        for index in range(count):
            light = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(index))
            image = torch.nn.functional.interpolate(light, size=(96, 96), mode="bicubic", align_corners=False)[0]
            made.append(((255 * image).clamp(0, 255).to(torch.uint8), index % 4, f"c{index:02d}"))
        return made

    return make


# A codec with a diary


@dataclass
class Diary:
    """The calls of the codec `toy`, and its faults; pictures are named by the number in their pixel."""

    encoded: list[tuple[int, int, float]] = field(default_factory=list)
    """(picture, pixels, setting) of every call of the encoder."""
    decoded: list[int] = field(default_factory=list)
    version: str = "1"
    missing: str | None = None
    refuse: Callable[[int, float], bool] = lambda picture, setting: False
    """Does the encoder refuse this picture at this setting?"""
    broken: Callable[[int, float], bool] = lambda picture, setting: False
    """Does the decoder fail?"""
    grown: Callable[[int, float], bool] = lambda picture, setting: False
    """Does the decoder give a column too much?"""

    @property
    def pixels(self) -> int:
        return sum(pixels for _, pixels, _ in self.encoded)


class Toy(RealStreams):
    """Quantised pixels, deflated; the setting says how finely. Where it is exact, only how much is padded."""

    type = "toy"

    def __init__(self, diary: Diary, tag: str = "", exact: bool = False) -> None:
        self._diary, self._tag, self._exact = diary, tag, exact

    def __repr__(self) -> str:
        return f"Toy({self._tag!r}, {self._exact})"

    @property
    def ladder(self) -> tuple[float, ...]:
        return tuple(float(setting) for setting in range(1, 25))

    @property
    def version(self) -> str:
        return self._diary.version

    def unavailable(self) -> str | None:
        return self._diary.missing

    def encode(self, images: Sequence[Any], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        return [self._write(image, setting) for image, setting in zip(images, settings, strict=True)]

    def _write(self, image: Any, setting: float) -> bytes:
        picture, (height, width) = int(image[0, 0, 0]), image.shape[-2:]
        self._diary.encoded.append((picture, height * width, setting))
        if self._diary.refuse(picture, setting):
            raise CodecError(f"toy refuses picture {picture} at {setting:g}")
        header = struct.pack("<BHHB", int(setting), height, width, picture)
        padding = bytes(40 * int(setting)) if self._exact else b""
        return header + zlib.compress((image.numpy() // self._step(int(setting))).tobytes(), 6) + padding

    def _step(self, setting: int) -> int:
        return 1 if self._exact else 8 * (25 - setting)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[Any]:
        return [self._read(stream) for stream in streams]

    def _read(self, stream: bytes) -> Any:
        import torch

        setting, height, width, picture = struct.unpack("<BHHB", stream[:6])
        self._diary.decoded.append(picture)
        if self._diary.broken(picture, setting):
            raise CodecError(f"toy cannot decode picture {picture}")
        step = self._step(setting)
        levels = np.frombuffer(zlib.decompressobj().decompress(stream[6:]), dtype=np.uint8).reshape(3, height, width)
        image = torch.from_numpy((levels.astype(np.int64) * step + step // 2).clip(0, 255).astype(np.uint8))
        return torch.nn.functional.pad(image, (0, 1)) if self._diary.grown(picture, setting) else image


@pytest.fixture
def diary(monkeypatch: pytest.MonkeyPatch) -> Diary:
    """The diary of a codec called `toy`, which is registered while a test runs."""
    diary = Diary()

    def toy(**options: Any) -> Toy:
        return Toy(diary, **options)

    monkeypatch.setitem(CODECS._targets, "toy", "nowhere:toy")
    monkeypatch.setitem(CODECS._found, "toy", toy)
    return diary


# A decoder that the model notices


def smoothed(image: Any) -> Any:
    import torch

    values = image.int()
    return ((values + values.roll(1, 2) + values.roll(-1, 2)) // 3).to(torch.uint8)


class SoftDecoder(Decoder):
    """A decoder that a serving team might have: every row is slightly smoothed on the way."""

    name = "soft"

    @property
    def version(self) -> str:
        return "soft 1"

    def unavailable(self) -> str | None:
        return None

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[Any]:
        return [smoothed(image) for image in self.codec.decode(streams)]


@dataclass(frozen=True)
class KnownSoft:
    """Entry of the decoder in the table of decoders."""

    made: type[Decoder] = SoftDecoder
    reads: tuple[str, ...] = ("jpeg", "toy", "webp")

    def load(self) -> type[Decoder]:
        return self.made


class Soft:
    """The decoder `soft` in the table of decoders while a test runs, and its faults."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.setitem(DECODERS, "soft", KnownSoft())

    def image(self, image: Any) -> Any:
        """Return what the decoder makes of an image as the codec itself decodes it."""
        return smoothed(image)

    def become(self, of_images: Callable[[list[Any]], list[Any]]) -> None:
        """Let the decoder give `of_images(images)` of the images that the codec itself decodes."""

        class Changed(SoftDecoder):
            def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[Any]:
                return of_images(self.codec.decode(streams))

        self._monkeypatch.setitem(DECODERS, "soft", KnownSoft(Changed))

    def uninstall(self) -> None:
        """Let the decoder be missing."""
        reason = "soft is not installed; pip install soft"
        self._monkeypatch.setattr(SoftDecoder, "unavailable", lambda self: reason)


@pytest.fixture
def soft(monkeypatch: pytest.MonkeyPatch) -> Soft:
    return Soft(monkeypatch)


# Guards, benches and results


@pytest.fixture
def make_guard() -> Callable[..., Guard]:
    """A guard of codecs x rates; `limits` are per codec."""

    def make(
        codecs: Sequence[str] = ("toy",),
        rates: Sequence[float] = (1.0,),
        *,
        max_drop: float | None = 100.0,
        min_score: float | None = None,
        limits: dict[str, int] | None = None,
        options: tuple[tuple[str, Any], ...] = (),
        task: str = "classification",
        metric: str = "top1",
        **keys: Any,
    ) -> Guard:
        cells = tuple(
            Cell(
                "toys", CodecSpec(codec, codec, options), Rate(rate), max_drop, min_score, (limits or {}).get(codec), 1
            )
            for codec in codecs
            for rate in rates
        )
        return Guard("toys", task, metric, "m:model", "m:data", cells, **keys)

    return make


@dataclass
class World:
    """A bench with all around it."""

    bench: Bench
    guard: Guard
    subject: Subject
    model: Any
    data: list[Any]
    settings: RunSettings

    def run(self, order: Sequence[int] | None = None) -> dict[str, Measured]:
        """All cells, in this order, by their labels; in the file's order in the answer."""
        cells = self.guard.cells
        found = {cells[at].label: self.bench.measure(cells[at], cells[at].name) for at in order or range(len(cells))}
        return {cell.label: found[cell.label] for cell in cells if cell.label in found}

    def only(self) -> Measured:
        (cell,) = self.guard.cells
        return self.bench.measure(cell, cell.name)

    def whole(self) -> dict[str, CellResult]:
        """A whole run, as the next one on the same store finds it: the results by their labels."""
        results = {label: measured.result for label, measured in self.run().items()}
        remember_run(self.settings, results.values())
        return results


@pytest.fixture
def make_world(tmp_path: Path) -> Callable[..., World]:
    """A world of a guard, a model and data; `folder` holds its store, `run` is the name of its run's folder."""

    def make(
        guard: Guard,
        model: Any,
        data: Any,
        *,
        folder: str = "store",
        run: str = "run",
        shared: bool = False,
        **settings: Any,
    ) -> World:
        (run_folder := tmp_path / run).mkdir(exist_ok=True)
        made = RunSettings(run_folder, tmp_path / folder, **{"device": "cpu", "workers": 1, **settings})
        subject = Subject(
            guard.task,
            lambda: model,
            lambda: data,
            ReadingOptions(
                made.seed,
                made.early_stop,
                functools.partial(slicers, guard, tmp_path),
                shared=(run_folder, "toys") if shared else None,
                grouping=guard.groups,
                folder=tmp_path,
            ),
            device="cpu",
            certainty=certainty(guard, tmp_path, made),
        )
        return World(Bench(guard, subject, made), guard, subject, model, data, made)

    return make


@pytest.fixture(scope="session")
def passed_cell() -> Callable[..., CellResult]:
    """A result of a JPEG cell that passed, but for these fields."""
    passed = CellResult(
        id="t.yaml::a[jpeg-0.5bpp]",
        guard="a",
        task="classification",
        metric="top1",
        codec="jpeg",
        target_bpp=0.5,
        verdict="pass",
        outcome="passed",
        settled_by="interval",
        reason="",
        rate="dataset",
        device="cpu",
        seed=0,
        confidence=0.95,
    )
    return functools.partial(replace, passed)


# What a result has to be, made by hand with Pillow alone


class Honest:
    """Checks of one cell in dataset mode against what Pillow and plain counting say; each raises AssertionError."""

    def __init__(self, codec: str, data: list[Any], seed: int = 0) -> None:
        self.codec, self.data, self.seed = codec, data, seed

    def coded(self, setting: float) -> list[bytes]:
        return [pillow_encode(self.codec, image, setting) for image, _, _ in self.data]

    def streams(self, result: Any) -> list[bytes]:
        """One per image: the finer of the two recorded settings for those that the hash puts first."""
        (first, count_first), *other = result.settings
        if not other:
            assert count_first == len(self.data)
            return self.coded(first)
        ((second, count_second),) = other
        ways = sorted(
            [(self.coded(first), count_first), (self.coded(second), count_second)],
            key=lambda way: sum(8 * len(s) / pixels(d[0]) for s, d in zip(way[0], self.data, strict=True)),
        )
        (lower, _), (upper, count_upper) = ways
        finer = self.first_by_hash(count_upper)
        return [upper[at] if at in finer else lower[at] for at in range(len(self.data))]

    def first_by_hash(self, count: int) -> set[int]:
        def fraction(at: int) -> int:
            return int.from_bytes(hashlib.blake2b(f"{self.seed}:{self.data[at][2]}".encode(), digest_size=8).digest())

        return set(sorted(range(len(self.data)), key=fraction)[:count])

    def rate(self, result: Any) -> None:
        """bpp is 8 x bytes / pixels of the source, at the settings that the result names, and meets the target."""
        lengths = [len(stream) for stream in self.streams(result)]
        sizes = [pixels(image) for image, _, _ in self.data]
        each = [8 * length / size for length, size in zip(lengths, sizes, strict=True)]
        assert result.bpp_mean == pytest.approx(sum(each) / len(each), rel=1e-12)
        assert result.bpp_pooled == pytest.approx(8 * sum(lengths) / sum(sizes), rel=1e-12)
        assert result.bpp_mean == pytest.approx(result.target_bpp, rel=0.03)

    def images(self, result: Any, seen: list[Any]) -> None:
        """Assert that the model saw the decoded streams of these settings, image by image, and never the source."""
        decoded = [pillow_decode(stream) for stream in self.streams(result)]
        assert len(seen) == len(decoded)
        for shown, expected, (source, _, _) in zip(seen, decoded, self.data, strict=True):
            assert shown.shape == source.shape
            assert not shown.equal(source)
            assert shown.equal(expected)

    def mix(self, result: Any, seen: list[Any]) -> None:
        """The finer setting went to those that the hash of seed and id puts first, told from what the model saw."""
        (first, _), (second, _) = result.settings
        shows = {
            setting: {
                at
                for at, (stream, shown) in enumerate(zip(self.coded(setting), seen, strict=True))
                if pillow_decode(stream).equal(shown)
            }
            for setting in (first, second)
        }
        total = {setting: sum(len(stream) for stream in self.coded(setting)) for setting in (first, second)}
        finer, coarser = (shows[setting] for setting in sorted(total, key=total.__getitem__, reverse=True))
        assert 0 < len(finer) < len(self.data)
        assert finer == self.first_by_hash(len(finer))
        assert coarser == set(range(len(self.data))) - finer

    def scores(self, result: Any, model: Any, seen: list[Any]) -> None:
        """Clean and compressed accuracy, counted one image at a time."""

        def accuracy(images: list[Any]) -> float:
            return float(100 * model.right(images, self.data).mean())

        clean, compressed = accuracy([image for image, _, _ in self.data]), accuracy(seen)
        assert result.clean_score == pytest.approx(clean)
        assert result.score == pytest.approx(compressed)
        assert result.drop == pytest.approx(clean - compressed)
        assert result.drop_low <= result.drop <= result.drop_high


def pixels(image: Any) -> int:
    return int(image.shape[-2] * image.shape[-1])


SAVES = {
    "jpeg": lambda setting: {"format": "JPEG", "quality": int(setting), "optimize": True, "subsampling": "4:2:0"},
    "webp": lambda setting: {"format": "WEBP", "quality": setting, "method": 4},
}


def pillow_encode(codec: str, image: Any, setting: float) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(stream, **SAVES[codec](setting))
    return stream.getvalue()


def pillow_decode(stream: bytes) -> Any:
    import torch
    from PIL import Image

    return torch.from_numpy(np.array(Image.open(io.BytesIO(stream)).convert("RGB"))).permute(2, 0, 1)


@pytest.fixture
def honest() -> type[Honest]:
    return Honest
