"""Codecs that begin with the files of their sources: the bytes that are handed on, and images without such a file."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.thresholds import parse

STEPS = "[source, resize: {longest: 64, filter: lanczos}, jpeg: {quality: 60}]"


class Folder:
    """A data set that lists its files, as torchvision's ImageFolder does, and converts what it reads."""

    def __init__(self, folder, images, name="JPEG", **options):
        self.samples = []
        for image, label, image_id in images:
            path = folder / f"{image_id}.{name.lower()}"
            to_pil(image).save(path, name, **options)
            self.samples.append((str(path), label))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, position):
        path, label = self.samples[position]
        with Image.open(path) as opened:
            return opened.convert("RGB"), label, str(position)


class Opened(Folder):
    """A folder's images as Pillow opens them, without a list of their files."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._files, self.samples = self.samples, None
        self._images = [Image.open(path) for path, _ in self._files]
        for image in self._images:
            image.load()

    def __len__(self):
        return len(self._files)

    def __getitem__(self, position):
        return self._images[position], self._files[position][1], str(position)


class Buffered(Opened):
    """Images that Pillow opens from memory, as an archive gives them."""

    def __getitem__(self, position):
        path, label = self._files[position]
        return Image.open(io.BytesIO(Path(path).read_bytes())), label, str(position)


@pytest.fixture
def service():
    """A guard with a pipeline that codes its sources' files once more."""
    (guard,) = parse(
        "version: 1\n"
        f"codecs: {{service: {{type: pipeline, steps: {STEPS}}}}}\n"
        "guards:\n  toys: {task: classification, model: m:f, data: d:f, codecs: [service], max_drop: 100}\n",
        Path("thresholds.yaml"),
        shown="thresholds.yaml",
        folder=Path(),
        sources=False,
    ).guards
    return replace(guard, cells=tuple(replace(cell, min_clean=0) for cell in guard.cells))


def coloured(spectrum):
    """A model of pictures of any size, which knows nothing: the mean of each channel."""
    model = spectrum(batch_size=4)
    model.scores = lambda image: torch.nn.functional.pad(image.float().mean((1, 2)), (0, 1))
    return model


@pytest.mark.parametrize("kind", [Folder, Opened, Buffered])
def test_files_are_not_coded_again_before_the_first_step(kind, tmp_path, service, make_world, pictures, spectrum):
    (files := tmp_path / "files").mkdir()
    data = kind(files, pictures(8), quality=70)
    model = coloured(spectrum)
    result = make_world(service, model, data).only().result
    lengths, shown = [], []
    for at in range(8):
        opened = Image.open(sorted(files.iterdir())[at])
        scale = 64 / max(opened.size)
        small = opened.resize(tuple(max(1, round(side * scale)) for side in opened.size), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        small.save(file, "JPEG", quality=60, optimize=True, subsampling="4:2:0")
        lengths.append(8 * len(file.getvalue()) / (opened.width * opened.height))
        shown.append(from_pil(Image.open(io.BytesIO(file.getvalue()))))
    assert result.verdict == "pass"
    assert result.bpp_mean == pytest.approx(np.mean(lengths))
    assert all(any(small.equal(image) for image in model.images_seen) for small in shown)


def refused(data, service, make_world, spectrum, **options):
    measured = make_world(service, coloured(spectrum), data, **options).only()
    assert measured.result.verdict == "codec_error"
    return measured.result.reason


REMEDY = (
    "; expected the coded file of every image, with the pixels that the data set gives; let the data set list its "
    "files, as ImageFolder does, or return images as PIL.Image.open gives them, or take the step source out of the "
    "codec"
)
FAILED = "4 of 4 images failed, allowed by max_error_share 0: 0; the first: image "


def test_pixels_alone_have_no_file(service, make_world, pictures, spectrum):
    reason = refused(pictures(4), service, make_world, spectrum)
    assert reason == f"{FAILED}t00: the data set does not show which coded file it comes from{REMEDY}"


def test_pictures_that_the_data_set_changes_are_refused(tmp_path, service, make_world, pictures, spectrum):
    class Mirrored(Folder):
        def __getitem__(self, position):
            image, label, image_id = super().__getitem__(position)
            return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), label, image_id

    class Halved(Folder):
        def __getitem__(self, position):
            image, label, image_id = super().__getitem__(position)
            return image.reduce(2), label, image_id

    (files := tmp_path / "files").mkdir()
    reason = refused(Mirrored(files, pictures(4)), service, make_world, spectrum)
    assert reason == f"{FAILED}0: its file holds other pixels than the data set gives{REMEDY}"
    reason = refused(Halved(files, pictures(4)), service, make_world, spectrum, run="halved")
    assert reason == f"{FAILED}0: its file holds 96x96 pixels and the data set gives 48x48{REMEDY}"


def test_a_file_that_exif_turns_holds_the_upright_picture(tmp_path, service, make_world, pictures, spectrum):
    (files := tmp_path / "files").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    data = Opened(files, pictures(4), exif=exif)
    measured = make_world(service, coloured(spectrum), data).only()
    assert (measured.result.verdict, measured.result.errors, measured.result.turned) == ("pass", 0, 4)


def test_pictures_left_as_stored_are_those_of_their_files(tmp_path, service, make_world, pictures, spectrum):
    class Stored(Folder):
        """Tensors of the stored pixels, as orientation: stored and torchvision's decoders give them."""

        def __getitem__(self, position):
            path, label = self.samples[position]
            with Image.open(path) as opened:
                return from_pil(opened), label, str(position)

    (files := tmp_path / "files").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    measured = make_world(service, coloured(spectrum), Stored(files, pictures(4), exif=exif)).only()
    assert (measured.result.verdict, measured.result.errors) == ("pass", 0), measured.result.reason


def test_other_bytes_of_the_same_pixels_are_another_source(tmp_path, service, make_world, pictures, spectrum):
    def steps(name, **options):
        (files := tmp_path / name).mkdir()
        data = Folder(files, pictures(4), "PNG", **options)
        sizes = [8 * path.stat().st_size for path in sorted(files.iterdir())]
        result = make_world(service, coloured(spectrum), data, run=f"run {name}").only().result
        return result, sum(sizes)

    (small, small_bits), (large, large_bits) = steps("small", compress_level=9), steps("large", compress_level=0)
    assert small_bits < large_bits
    assert small.bpp_mean == large.bpp_mean, "the bits are those of the last stream"
    assert dict(small.steps)["source"] < dict(large.steps)["source"], "the file's own bytes are in the result"
