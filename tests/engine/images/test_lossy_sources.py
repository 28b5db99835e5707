"""Images that are lossy files already, and their rates, as far as data sets reveal them."""

from __future__ import annotations

import gc
import io

import pytest
import torch
from PIL import Image
from torch.utils.data import Subset

from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.engine.images import lossy_sources as module
from compress_guard.engine.images.lossy_sources import Sources, lossy_sources
from compress_guard.records import SourceFigures

SIZE = (40, 48)
PIXELS = 40 * 48


def picture(number):
    noise = torch.Generator().manual_seed(number)
    image = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 9, generator=noise), size=SIZE, mode="bicubic")
    return (image[0].clamp(0, 1) * 255).to(torch.uint8)


SAVED = {
    "jpg": {"format": "JPEG", "quality": 70},
    "webp": {"format": "WEBP", "quality": 60},
    "avif": {"format": "AVIF", "quality": 60},
    "png": {"format": "PNG"},
    "lossless.webp": {"format": "WEBP", "lossless": True},
    "exif.webp": {"format": "WEBP", "quality": 60, "exif": b"Exif\0\0odd"},
    "exif.lossless.webp": {"format": "WEBP", "lossless": True, "exif": b"Exif\0\0odd"},
    "moving.webp": {
        "format": "WEBP",
        "save_all": True,
        "append_images": [to_pil(picture(99))],
        "quality": 60,
        "allow_mixed": False,
    },
}
LOSSY = {"jpg", "webp", "avif", "exif.webp", "moving.webp"}


@pytest.fixture
def files(tmp_path):
    """Writes pictures with these endings, one folder per class; returns their paths."""

    def make(*endings):
        paths = []
        for number, ending in enumerate(endings):
            folder = tmp_path / f"class{number % 2}"
            folder.mkdir(exist_ok=True)
            path = folder / f"{number:03d}.{ending}"
            to_pil(picture(number)).save(path, **SAVED[ending])
            paths.append(path)
        return paths

    return make


def rate(paths):
    return sum(8 * path.stat().st_size / PIXELS for path in paths) / len(paths)


def found(data, count=None, pixels=PIXELS, positions=None):
    positions = range(len(data) if count is None else count) if positions is None else positions
    return lossy_sources(data, positions, [pixels] * len(positions), 0)


class Opened(torch.utils.data.Dataset):
    """Images as Pillow opens them, each time anew; nothing else tells their files."""

    def __init__(self, paths):
        self._paths = paths

    def __len__(self):
        return len(self._paths)

    def __getitem__(self, position):
        return Image.open(self._paths[position]), 0


class Listed(torch.utils.data.Dataset):
    """Files in a list of any name, read and converted, so that only the list tells; reading is counted."""

    def __init__(self, paths, name="samples", entry=lambda path: (path, 0)):
        self.paths, self.reads = paths, 0
        setattr(self, name, [entry(path) for path in paths])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, position):
        self.reads += 1
        return Image.open(self.paths[position]).convert("RGB"), 0


@pytest.mark.parametrize("ending", SAVED)
def test_each_format_in_a_list_of_files(files, ending):
    paths = files(ending, ending)
    expected = Sources(2, 2, rate(paths)) if ending in LOSSY else Sources(2, 0, None)
    data = Listed(paths)
    assert found(data) == expected
    assert data.reads == 0


@pytest.mark.parametrize("ending", SAVED)
@pytest.mark.parametrize("loaded", [False, True])
def test_each_format_as_pil_images_of_files(files, ending, loaded):
    paths = files(ending, ending)
    images = [Image.open(path) for path in paths]
    for image in images:
        if loaded:
            image.load()
    expected = Sources(2, 2, rate(paths)) if ending in LOSSY else Sources(2, 0, None)
    assert found([(image, 0) for image in images]) == expected
    for image, path in zip(images, paths, strict=True):
        with Image.open(path) as fresh:
            assert from_pil(image).equal(from_pil(fresh))
        image.close()


@pytest.mark.parametrize("ending", SAVED)
def test_each_format_as_pil_images_of_bytes(files, ending):
    paths = files(ending, ending)
    images = [Image.open(io.BytesIO(path.read_bytes())) for path in paths]
    expected = Sources(2, 2, rate(paths)) if ending in LOSSY else Sources(2, 0, None)
    assert found([(image, 0) for image in images]) == expected
    for image, path in zip(images, paths, strict=True):
        with Image.open(path) as fresh:
            assert from_pil(image).equal(from_pil(fresh))


def test_bytes_that_are_gone_leave_the_rate_open(files):
    images = [Image.open(io.BytesIO(path.read_bytes())) for path in files("jpg", "jpg", "lossless.webp")]
    for image in images:
        image.load()
    assert found([(image, 0) for image in images]) == Sources(2, 2, None)


def test_a_mixed_folder(files):
    paths = files("jpg", "png", "webp", "lossless.webp", "jpg")
    assert found(Listed(paths)) == Sources(5, 3, pytest.approx(rate([paths[0], paths[2], paths[4]])))


def test_heic_where_a_data_set_can_open_it(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    opener = pillow_heif.HeifImageFile
    path = tmp_path / "a.heic"
    if not pillow_heif.libheif_info()["HEIF"]:
        pytest.skip("pillow-heif was built without an HEVC encoder")
    pillow_heif.from_pillow(to_pil(picture(0))).save(path, quality=50)
    with opener(path) as image:
        assert found([(image, 0)]) == Sources(1, 1, rate([path]))


def test_image_folder_and_subsets_of_it(files):
    from torchvision.datasets import ImageFolder

    paths = files(*["jpg", "png"] * 6)
    data = ImageFolder(paths[0].parent.parent)
    assert found(data) == Sources(12, 6, pytest.approx(rate(paths[::2])))
    order = [str(path) for path, _ in data.samples]
    some = Subset(Subset(data, [9, 0, 1, 2]), [1, 3])
    chosen = [path for path in paths if str(path) in (order[0], order[2])]
    assert found(some) == Sources(2, 2, pytest.approx(rate(chosen)))


class Index:
    """The part of pycocotools' COCO that torchvision's CocoDetection asks."""

    def __init__(self, names):
        self.names = names

    def loadImgs(self, number):
        return [{"file_name": self.names[number]}]


def test_coco_detection(files):
    paths = files("jpg", "jpg", "png")
    data = Listed(paths, "nothing")
    data.root = str(paths[0].parent.parent)
    data.ids = [70, 50, 30]
    names = [str(path.relative_to(data.root)) for path in paths]
    data.coco = Index(dict(zip(data.ids, names, strict=True)))
    assert found(data) == Sources(3, 2, pytest.approx(rate(paths[:2])))


@pytest.mark.parametrize("name", ["imgs", "images", "_samples", "_images", "_image_files"])
@pytest.mark.parametrize("entry", [str, lambda path: path, lambda path: [str(path), 1, 2]], ids=["str", "path", "list"])
def test_other_lists_of_torchvision(files, name, entry):
    paths = files("webp", "jpg")
    assert found(Listed(paths, name, entry)) == Sources(2, 2, pytest.approx(rate(paths)))


def test_a_list_of_that_name_which_is_something_else(files):
    paths = files("jpg", "jpg")
    odd = Listed(paths)
    odd.samples = odd.samples[:1]
    assert found(odd) is None
    odd.samples = [0.5, 0.25]
    assert found(odd) is None
    odd.samples = "ab"
    assert found(odd) is None


def test_only_the_positions_of_the_guard_count(files):
    paths = files("jpg", "png", "jpg", "png")
    assert found(Listed(paths), positions=[1, 2]) == Sources(2, 1, rate([paths[2]]))


def test_images_that_were_scaled_since_tell_nothing(files):
    assert found(Listed(files("jpg", "jpg")), pixels=24 * 24) is None


def test_a_turned_photograph_is_still_its_file(tmp_path):
    path, exif = tmp_path / "turned.jpg", Image.Exif()
    exif[0x0112] = 6
    to_pil(picture(0)).save(path, exif=exif)
    with Image.open(path) as image:
        assert found([(image, 0)]) == Sources(1, 1, rate([path]))


def test_tensors_and_converted_images_tell_nothing_and_are_not_read_on():
    reads = []

    class Data:
        def __len__(self):
            return 40

        def __getitem__(self, position):
            reads.append(position)
            return (picture(position) if position % 2 else to_pil(picture(position))), 0

    assert found(Data()) is None
    assert len(reads) == module.SILENT


def test_files_that_are_gone_or_broken_stop_nothing(files):
    paths = files(*["jpg"] * 12)
    paths[3].write_bytes(b"nothing")
    paths[5].unlink()
    kept = [path for at, path in enumerate(paths) if at not in (3, 5)]
    assert found(Listed(paths), positions=range(12)) == Sources(10, 10, pytest.approx(rate(kept)))


def test_a_data_set_that_raises_tells_nothing():
    class Data:
        def __len__(self):
            return 5

        def __getitem__(self, position):
            raise KeyError(position)

    assert found(Data()) is None


def test_a_large_data_set_is_sampled(files, monkeypatch):
    (path,) = files("jpg")
    opened = []
    right = module._of_file
    monkeypatch.setattr(module, "_of_file", lambda path: opened.append(path) or right(path))
    data = Listed([path] * 2000)
    assert found(data).looked == len(opened) == module.FILES
    image = Image.open(path)
    image.load()
    assert found([(image, 0)] * 2000).looked == module.ITEMS


def test_the_choice_is_seeded_and_not_the_first_ones(files):
    paths = files("jpg", "png")
    data = Listed([paths[0]] * 1000 + [paths[1]] * 1000)
    one, same = found(data), found(data)
    assert one == same
    assert 100 < one.count < 200
    assert {lossy_sources(data, range(2000), [PIXELS] * 2000, seed).count for seed in range(5)} != {one.count}


def test_what_a_result_says():
    assert Sources(10, 4, 1.5).figures() == SourceFigures(source_bpp=1.5, lossy_sources=4, sources_looked=10)


@pytest.mark.parametrize("cut", [0, 3, 12, 15, 20])
def test_a_webp_file_that_ends_too_soon_is_no_evidence(files, cut):
    (path,) = files("exif.webp")
    assert module._lossy_webp(io.BytesIO(path.read_bytes()[:cut])) is None


# Files of images that Pillow opened


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("ending", sorted(SAVED))
def test_no_file_stays_open(files, ending):
    count = found(Opened(files(*[ending] * 6))).count
    gc.collect()
    assert count == (6 if ending in LOSSY else 0)


def test_a_data_set_that_keeps_its_images_can_read_them_later(files):
    images = [Image.open(path) for path in files("jpg", "webp", "png", "lossless.webp")]
    assert found([(image, 0) for image in images]).count == 2
    for image in images:
        assert image.convert("RGB").size == SIZE[::-1]
        image.close()


def test_a_file_that_is_not_pillows_stays_open(files):
    (path,) = files("jpg")
    with path.open("rb") as file:

        class Own(Opened):
            def __getitem__(self, position):
                file.seek(0)
                return Image.open(file), 0

        assert found(Own([path])).count == 1
        assert not file.closed
