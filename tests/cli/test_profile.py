"""``compress-guard profile``: the whole command on small folders."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from compress_guard.foreign import is_fit
from compress_guard.thresholds import load

REMEDY = "name a folder or a list of image files"
SOURCES = "name a folder, a text file of paths, or - for paths on standard input"
SECRETS = ("SecretMaker", "Jane", "51.4779", "Hospital", "patient", "evil")


def image(path: Path, format_name: str = "JPEG", **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (200, 100), (10, 200, 90)).save(path, format_name, **options)
    return path


@pytest.fixture
def traffic(folder: Path) -> Path:
    """A folder of JPEG, WebP and PNG files, and of files that are none."""
    for number in range(12):
        image(folder / "in" / f"{number}.jpg", quality=75 if number < 8 else 90, subsampling="4:2:0")
    for number in range(6):
        image(folder / "in" / "more" / f"{number}.webp", "WEBP", quality=80)
    image(folder / "in" / "shot.png", "PNG")
    (folder / "in" / "notes.jpg").write_text("a text")
    (folder / "in" / "none.jpg").touch()
    (folder / "in" / "cut.jpg").write_bytes((folder / "in" / "0.jpg").read_bytes()[:-20])
    return folder / "in"


def test_the_text_of_a_folder(command, traffic):
    done = command("profile", "in")
    assert done.code == 0
    size, webp = (traffic / "0.jpg").stat().st_size, (traffic / "more" / "0.webp").stat().st_size
    rate = f"{8 * webp / 20000:.2g}"
    assert done.out.splitlines()[:20] == [
        "22 files: 19 images",
        "left out: 3",
        "  empty file               1",
        "  not an image             1",
        "  truncated                1",
        "",
        "jpeg: 12 images, 63.2 %",
        "  percentile                5       25       50       75       95",
        "  width                   200      200      200      200      200",
        "  height                  100      100      100      100      100",
        "  kilobytes         " + f"{size / 1000:9.1f}" * 5,
        "  bits per pixel    " + f"{8 * size / 20000:9.2f}" * 5,
        "    no metadata     " + f"{8 * size / 20000:9.2f}" * 5,
        "  quality                  75       75       75       90       90",
        "  quality exact       100.0 %, by libjpeg's tables",
        "  chroma              100.0 %  4:2:0",
        "  progressive           0.0 %",
        "  turned                0.0 %",
        "  ICC profile           0.0 %",
        "  marks of programs      none",
    ]
    assert done.out.splitlines()[-7:] == [
        "operating points, 5th to 95th percentile of each format",
        "  jpeg     q75            42.1 %",
        "           q90            21.1 %",
        f"  webp     {f'{rate} bpp':12}   31.6 %",
        "  not covered             5.3 %, of which 5.3 % is lossless",
        "Headers do not tell whether pixels went through an earlier compression;",
        "the marks of programs are hints at most.",
    ]
    assert all(len(line) <= 72 and line.isascii() for line in done.out.splitlines())


def test_the_json_of_a_folder(command, traffic):
    assert command("profile", "in", "--json=out/p.json").code == 0
    document = json.loads((Path("out") / "p.json").read_text())
    assert {key: document[key] for key in document if key != "formats"} == {
        "schema": "compress-guard-traffic/1",
        "files_found": 22,
        "files_drawn": 22,
        "seed": 0,
        "images": 19,
        "left_out": {"empty file": 1, "not an image": 1, "truncated": 1},
    }
    assert [(part["format"], part["files"]) for part in document["formats"]] == [("jpeg", 12), ("webp", 6), ("png", 1)]
    jpeg, webp, _ = document["formats"]
    assert jpeg["share"] == 12 / 19
    assert jpeg["quality"] == {"p5": 75, "p25": 75, "p50": 75, "p75": 90, "p95": 90}
    assert (jpeg["quality_counts"], jpeg["quality_exact"], jpeg["quality_known"]) == ({"75": 8, "90": 4}, 12, 12)
    assert (jpeg["chroma"], jpeg["progressive"], jpeg["icc_bytes"]) == ({"4:2:0": 12}, 0, None)
    assert (webp["quality"], webp["progressive"]) == (None, None)


def test_a_sample_is_the_same_for_the_same_seed(command, traffic):
    first, second = (command("profile", "in", "--sample=5", "--seed=3").out for _ in range(2))
    assert first == second
    assert first.startswith("5 of 22 files, drawn with seed 3: ")


def test_lists_and_standard_input(command, traffic, monkeypatch):
    lines = "in/0.jpg\nin/0.jpg\nin/11.jpg\nin/gone.jpg\n"
    Path("list.txt").write_text(lines)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    listed, piped = command("profile", "list.txt"), command("profile", "-")
    assert (listed.code, listed.out) == (0, piped.out)
    assert listed.out.startswith("4 files: 3 images\nleft out: 1\n  cannot be read           1\n")


def test_nothing_that_is_written_holds_a_name_or_metadata(command, folder):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SecretMaker\x1b[2J\n::error::evil", 6
    exif.get_ifd(0x8825)[2] = (51.4779, 0, 0)
    for number, name in enumerate(["patient Jane\x1b[31m.jpg", "\n::error::evil.jpg", "\u202eevil.jpg", "b\udce9.jpg"]):
        image(folder / "Hospital" / name, quality=70 + 5 * number, exif=exif, comment=b"Jane", icc_profile=b"Jane" * 99)
        image(folder / "Hospital" / f"{name}.png", "PNG", exif=exif)
    (folder / "Hospital" / "evil").symlink_to(folder / "Jane")
    done = command("profile", "Hospital", "--json=p.json", "--out=t.yaml")
    assert done.code == 0
    assert "9 files: 8 images" in done.out
    assert "turned              100.0 %" in done.out
    for text in (done.out, done.err, Path("p.json").read_text(), Path("t.yaml").read_text()):
        assert not any(secret in text for secret in SECRETS)
        assert all(is_fit(line) for line in text.split("\n"))


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, "there are no files"),
        ({"a.jpg": b""}, "its only file is not an image that can be used (1 empty file)"),
        (
            {"a.jpg": b"", "b.jpg": b"x", "c.jpg": b"y"},
            "none of 3 files is an image that can be used (2 not an image, 1 empty file)",
        ),
    ],
)
def test_a_folder_without_images(command, folder, files, found):
    (folder / "in").mkdir()
    for name, data in files.items():
        (folder / "in" / name).write_bytes(data)
    done = command("profile", "in", "--json=p.json")
    assert (done.code, done.out) == (4, "")
    assert done.err.splitlines()[-1] == f"compress-guard: in: {found}; {REMEDY}"
    assert not Path("p.json").exists()


def test_an_empty_list_on_standard_input(command, folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    done = command("profile", "-")
    assert (done.code, done.err) == (4, f"compress-guard: standard input: there are no files; {REMEDY}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gone",), f"gone: there is no such folder or list of files; {SOURCES}"),
        (("list.txt", "--json=list.txt"), "--json: list.txt would replace the list of files; name another file"),
        (("list.txt", "--json=in"), "--json: in is a folder; name a file"),
    ],
)
def test_options_that_make_no_sense(command, traffic, arguments, message):
    Path("list.txt").write_text("in/0.jpg\n")
    done = command("profile", *arguments)
    assert (done.code, done.out, done.err) == (4, "", f"compress-guard: {message}\n")


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_samples_that_are_no_number(command, folder, value):
    assert command("profile", "in", f"--sample={value}").code == 4


def test_the_thresholds_file_has_the_points_and_loads(command, traffic):
    done = command("profile", "in", "--out=made/thresholds.yaml")
    assert done.code == 0
    rate = f"{8 * (traffic / 'more' / '0.webp').stat().st_size / 20000:.2g}"
    assert Path("made/thresholds.yaml").read_text().splitlines() == [
        "# Written by `compress-guard profile` from the headers of 19 images.",
        "# Its cells stand for 95 % of them; lossless files are 5.3 %.",
        "version: 1",
        "codecs:  # with the options of most files",
        '  jpeg: {type: jpeg, subsampling: "4:2:0"}',
        "guards:",
        "  production:",
        "    task: classification          # or detection, segmentation",
        "    model: myproject.release:model  # put your factories here",
        "    data: myproject.release:data",
        "    codecs: [jpeg, webp]",
        "    quality:  # from the 5th to the 95th percentile",
        "      jpeg: [75, 90]",
        "    bpp:  # from the 5th to the 95th percentile",
        f"      webp: [{rate}]",
        "    max_drop: 5                   # points: the same at each point until you set your own",
        "    traffic:  # the share of all images nearest to each point",
        "      jpeg: {q75: 0.421, q90: 0.2105}",
        f"      webp: {{{rate}: 0.3157}}",
    ]
    (guard,) = load(Path("made/thresholds.yaml")).guards
    assert [(cell.label, cell.traffic, cell.max_drop) for cell in guard.cells] == [
        ("jpeg-q75", 0.421, 5.0),
        ("jpeg-q90", 0.2105, 5.0),
        (f"webp-{rate}bpp", 0.3157, 5.0),
    ]
    assert dict(guard.cells[0].codec.options) == {"subsampling": "4:2:0"}


def test_options_of_most_files_and_many_formats_load_too(command, folder):
    for number in range(40):
        image(folder / "in" / f"{number}.jpg", quality=1 + 2 * number, progressive=True, subsampling="4:4:4")
        image(folder / "in" / f"{number}.avif", "AVIF", quality=40 + number, speed=10, subsampling="4:2:2")
    assert command("profile", "in", "--out=t.yaml").code == 0
    (guard,) = load(Path("t.yaml")).guards
    jpegs = [cell for cell in guard.cells if cell.codec.alias == "jpeg"]
    assert dict(jpegs[0].codec.options) == {"subsampling": "4:4:4", "progressive": True}
    avif = next(cell for cell in guard.cells if cell.codec.alias == "avif")
    assert dict(avif.codec.options) == {"subsampling": "4:2:2"}
    assert [cell.label for cell in jpegs] == ["jpeg-q3", "jpeg-q19", "jpeg-q39", "jpeg-q59", "jpeg-q75"]
    assert 0.88 <= sum(cell.traffic or 0 for cell in guard.cells) <= 1


def test_a_file_is_replaced_only_with_force(command, traffic):
    Path("thresholds.yaml").write_text("mine")
    done = command("profile", "in", "--out=thresholds.yaml")
    message = "--out: there is a file thresholds.yaml already; name another file, or add --force"
    assert (done.code, done.out, done.err) == (4, "", f"compress-guard: {message}\n")
    assert Path("thresholds.yaml").read_text() == "mine"
    assert command("profile", "in", "--out=thresholds.yaml", "--force").code == 0
    assert load(Path("thresholds.yaml")).guards[0].name == "production"


def test_lossless_files_alone_make_no_thresholds_file(command, folder):
    image(folder / "in" / "a.png", "PNG")
    done = command("profile", "in", "--out=t.yaml")
    assert done.code == 4
    assert done.err.splitlines()[-1] == (
        "compress-guard: --out: there is nothing to write: no format that a codec writes has 1 % of the images; "
        "profile files as your service stores or sends them"
    )
    assert not Path("t.yaml").exists()


def test_two_outputs_are_two_files(command, traffic):
    done = command("profile", "in", "--out=x", "--json=x")
    assert (done.code, done.err) == (
        4,
        "compress-guard: --json: x would replace the file of --out; name another file\n",
    )
