"""``compress-guard check``: a thresholds file on a few images."""

from __future__ import annotations

import re

import pytest

LABELS = "  labels  4 different: 0 to 3"
SIZES = "  sizes   96 x 96 pixels, median 0.0092 megapixels"


def test_what_it_says_about_a_guard(command, guards):
    guards("codecs: [jpeg], bpp: [0.02, 0.5, 2]", toy="max_drop: {0.02: 90, 0.5: 11, 2: 60}", free="bpp: [2]")
    done = command("check", "--limit", "12")
    assert done.code == 0, done.err
    toy, labels, sizes, time, model, *cells, other, _, _, _, unknown, free = done.out.splitlines()
    assert toy == "toy: classification, top1 100.0 on 12 of 32 images"
    assert (labels, sizes) == (LABELS, SIZES)
    assert re.fullmatch(r"  time    \d+ s for 3 cells here, about \d+ s with all images of the guard", time)
    assert (
        model == unknown == "  model   whether it knows anything was not tested: there are 12 images, and it takes 36"
    )
    assert [line.split()[0] for line in cells] == ["jpeg-0.02bpp", "jpeg-0.5bpp", "jpeg-2.0bpp"]
    assert cells[0].startswith("  jpeg-0.02bpp  unreachable: jpeg cannot reach 0.02 bpp on these images")
    assert re.fullmatch(r"  jpeg-0.5bpp   drop .* \(.* to .*\), limit 11.0: .*images.*", cells[1])
    assert re.fullmatch(r"  jpeg-2.0bpp   drop 0.0 \(.* to .*\), limit 60.0: 12 images decide it", cells[2])
    assert other == "free: classification, top1 100.0 on 12 of 32 images"
    assert re.fullmatch(r"  jpeg-2.0bpp  drop 0.0 \(.* to .*\), no limit", free)


def test_a_cell_that_compares_decoders_has_its_own_drop_and_limit(command, guards):
    pytest.importorskip("cv2")
    guards(
        "codecs: [jpeg], quality: [75], decoders: [pillow, opencv]", toy="max_drop: 90, max_decoder_drop: 80", free=""
    )
    done = command("check", "--limit", "8")
    assert done.code == 0, done.err
    cells = [line for line in done.out.splitlines() if line.startswith("  jpeg-q75-opencv")]
    assert re.fullmatch(
        r"  jpeg-q75-opencv  drop 0.0 \(.* to .*\) from pillow, limit 80.0: 8 images decide it", cells[0]
    )
    assert re.fullmatch(r"  jpeg-q75-opencv  drop 0.0 \(.* to .*\) from pillow, no limit", cells[1])


def test_a_limit_that_needs_more_images_than_there_are(command, guards):
    guards("codecs: [jpeg], bpp: [2]", toy="max_drop: 2")
    done = command("check")
    assert done.code == 0
    assert re.search(r"on 20 of 32 images\n", done.out)
    assert re.search(r", limit 2\.0: about \d+ images decide it, more than the 32 of the data\n", done.out)


def test_a_cell_below_its_limit_is_no_failure(command, guards):
    guards("codecs: [jpeg], quality: [1]", toy="max_drop: 0")
    done = command("check")
    assert done.code == 0
    assert "limit 0.0: 20 images decide it" in done.out


def test_a_model_that_cannot_be_used(command, guards, folder):
    (folder / "bad.py").write_text("def model():\n    raise ValueError('no weights')\n")
    guards(bad='model: "bad:model", max_drop: 5', good="max_drop: 100")
    done = command("check")
    problem = "bad:model: raised ValueError: no weights; expected it to return an object"
    assert done.code == 1
    assert f"bad[jpeg-0.5bpp]: {problem}\n" in done.err
    assert "bad: classification, no clean score on 0 of 32 images\n" in done.out
    assert f"  jpeg-0.5bpp  error: {problem}\n" in done.out
    assert "good: classification, top1 100.0 on 8 of 32 images\n" in done.out


def test_data_that_cannot_be_used(command, guards, folder):
    (folder / "none.py").write_text("def data():\n    return []\n")
    (folder / "thresholds.yaml").write_text(
        "version: 1\nguards: {toy: {task: classification, model: 'toy:model', data: 'none:data', quality: [75]}}\n"
    )
    done = command("check")
    assert done.code == 1
    assert "toy: classification, no clean score on 0 images\n" in done.out


def test_what_makes_no_sense(command, guards, folder):
    (folder / "thresholds.yaml").unlink(missing_ok=True)
    done = command("check")
    message = "thresholds.yaml: there is no such file; create it, or name another: compress-guard check FILE"
    assert (done.code, done.err) == (4, f"compress-guard: {message}\n")
    guards(toy='model: "fixture:toy"')
    done = command("check")
    assert done.code == 4
    assert "model is fixture:toy, and fixtures need pytest" in done.err


def test_the_file_stays_as_it_is(command, guards, folder):
    guards(toy="max_drop: 5")
    before = (folder / "thresholds.yaml").read_bytes()
    assert command("check", "--limit", "4").code == 0
    assert (folder / "thresholds.yaml").read_bytes() == before
