from __future__ import annotations

import pytest

from compress_guard.report import Display, lines, plain
from compress_guard.report.brief import failures
from compress_guard.report.notes.lines import notes


def note_lines(results):
    return plain(notes(results)).splitlines()


def test_a_clean_run_has_no_notes(cell):
    found = [cell("jpeg", 1, drop=1.0, off_target=0, bits="coded", errors=0)]
    assert note_lines(found) == []
    assert list(failures(found, (), ("cell", "cells"))) == []


def test_every_way_to_settle_a_doubt_is_counted(cell):
    found = [
        cell("jpeg", 1, "inconclusive", outcome, 1.0, settled_by=settled)
        for outcome, settled in [
            ("passed", "policy"),
            ("passed", "policy"),
            ("failed", "policy"),
            ("passed", "point"),
            ("failed", "point"),
        ]
    ]
    assert note_lines(found) == [
        (
            "5 inconclusive (?): the interval reaches to both sides of the limit, so these images cannot tell and more "
            "are needed; 2 passed by on_inconclusive: pass, 1 failed by on_inconclusive: fail, "
            "1 passed by the point estimate, 1 failed by the point estimate"
        )
    ]


def test_unreachable_rates_come_with_floors_and_remedy(cell):
    found = [
        cell("jpeg", 1, drop=1.0),
        cell("jpeg", 0.1, "unreachable", "failed", floor_bpp=0.2251),
        cell("jpeg", 0.15, "unreachable", "failed"),
        cell("webp", 0.02, "unreachable", "skipped", floor_bpp=0.063),
    ]
    assert note_lines(found) == [
        (
            "photos: jpeg cannot reach 0.1 (floor 0.225), 0.15 bpp on these images; ask for higher rates, "
            "bpp: {jpeg: [...], default: [...]}, use larger images, or set on_unreachable: skip"
        ),
        (
            "photos: webp cannot reach 0.02 (floor 0.063) bpp on these images; ask for higher rates, "
            "bpp: {webp: [...], default: [...]}, use larger images"
        ),
    ]


@pytest.mark.parametrize(
    "reason", ["pillow-heif is not installed; pip install pillow-heif", "its weights are missing; fetch them"]
)
def test_a_codec_that_is_unavailable_is_told_once(reason, cell):
    found = [cell("heic", bpp, "unavailable", "failed", reason=reason) for bpp in (0.5, 1, 2)]
    assert note_lines([*found, cell("jpeg", 1, drop=1.0)]) == [f"heic is unavailable (3 cells): {reason}"]


def test_images_left_out_are_named(cell):
    found = [cell("jpeg", bpp, drop=1.0, errors=3, error_ids=("a", "b")) for bpp in (0.5, 1)]
    assert note_lines(found) == [
        "photos: 3 of 200 images failed to load or code and were left out of 2 cells: a, b, ..."
    ]


def test_what_a_rate_rests_on_is_said(cell):
    found = [
        cell("jpeg", 0.1, drop=1.0, off_target=12),
        cell("webp", 0.1, drop=1.0, off_target=3, mixed=True, bits="estimated"),
        cell("avif", 0.1, "unreachable", "skipped", off_target=40, floor_bpp=0.2),
    ]
    assert note_lines(found)[1:] == [
        (
            "photos: images coded at the codec's floor or ceiling, off their rate: "
            "jpeg 0.1 bpp: 12 of 200, webp 0.1 bpp: 3 of 200"
        ),
        "photos: bits are estimated, not coded: webp 0.1 bpp",
    ]


def test_settings_that_are_far_apart_are_said_where_a_run_is_verbose(cell):
    found = [
        cell("jpeg", 0.1, drop=1.0, mixed=True),
        cell("jpeg", 0.5, drop=1.0),
        cell("webp", 0.1, drop=1.0, mixed=True),
    ]
    line = "photos: settings more than 15 % apart share the rate: jpeg 0.1 bpp, webp 0.1 bpp"
    assert line not in note_lines(found)
    assert line in plain(notes(found, verbose=True)).splitlines()
    assert line not in plain(lines(found)).splitlines()
    assert line in plain(lines(found, Display(verbose=True))).splitlines()


def test_a_mean_beyond_its_tolerance_is_said(cell):
    def missed(codec, bpp, mean, **fields):
        return cell(codec, bpp, drop=1.0, **{"bpp_mean": mean, "rate_tolerance": 0.02, **fields})

    found = [
        missed("heic", 0.7, 0.734),
        missed("webp", 1, 0.95),
        missed("jpeg", 1, 1.2, guard="scans", rate_tolerance=0.1, errors=2, error_ids=("a", "b")),
        missed("jpeg", 1, 1.02),
        missed("jpeg", 0.5, 0.6, rate="image"),
        missed("jpeg", 4, 3.2, guard="flat", off_target=9),
        missed("jpeg", 2, None),
        missed("jpeg", 3, 4.0, rate_tolerance=None),
        cell("avif", 0.1, "unreachable", "skipped", bpp_mean=0.2, rate_tolerance=0.02, floor_bpp=0.2),
    ]
    assert [text for text in note_lines(found) if "mean of" in text] == [
        (
            "photos: heic at 0.7 bpp has a mean of 0.734 (+4.9 %), webp at 1 bpp has a mean of 0.95 (-5.0 %), "
            "tolerance 2 %: too few images to mix two settings finely"
        ),
        (
            "scans: jpeg at 1 bpp has a mean of 1.2 (+20.0 %), tolerance 10 %: "
            "too few images to mix two settings finely or images were left out"
        ),
    ]


def test_a_guard_that_gates_nothing_is_called_out(cell):
    found = [
        cell("jpeg", 1, drop=1.0),
        cell("heic", 1, "unavailable", "skipped", guard="scans", reason="pip install pillow-heif"),
        cell("jpeg", 0.1, "unreachable", "skipped", guard="scans", floor_bpp=0.2),
    ]
    assert note_lines(found)[0] == "scans gates nothing: none of its 2 cells was judged"


def test_a_faulty_codec_says_nothing_of_the_model(cell):
    found = [
        cell("jpeg", 1, drop=1.0),
        cell("toy", 0.5, "codec_error", "failed", reason="image a decoded twice: 4 of 9 pixels differ"),
        cell("toy", 1, "codec_error", "failed", reason="image b decoded twice: 5 of 9 pixels differ"),
    ]
    assert note_lines(found) == ["photos: toy itself failed in 2 cells: no verdict on the model there"]
    assert "image b decoded twice: 5 of 9 pixels differ" in plain(failures(found, (), ("cell", "cells")))


def test_estimated_bits_come_with_what_they_are_off(cell):
    near = {"bits": "estimated", "bits_difference": 0.004, "bits_checked": 2}
    far = {"bits": "estimated", "bits_difference": -0.05, "bits_checked": 2}
    found = [
        cell("mbt", 0.5, drop=1.0, **near),
        cell("mbt", 1, drop=1.0, **near),
        cell("odd", 0.5, drop=1.0, **far),
        cell("odd", 1, drop=1.0, **far),
        cell("neural", 1, drop=1.0, bits="coded", bits_difference=0.3, bits_checked=2),
    ]
    assert note_lines(found) == [
        (
            "photos: the estimated bits of odd are -5.0 % off its real streams (checked on 2 images), so the rates of "
            "2 cells are too; set bits: coded"
        ),
        (
            "photos: bits are estimated, not coded: mbt 0.5 bpp (+0.4 % off real streams), mbt 1 bpp (+0.4 % off real "
            "streams), odd 0.5 bpp (-5.0 % off real streams), odd 1 bpp (-5.0 % off real streams)"
        ),
    ]


def test_outliers_are_named_with_their_neighbours_level(cell):
    found = [
        cell("jpeg", 1, drop=1.0, outlier_count=0, psnr_median=33.0),
        cell("toy", 0.5, drop=1.0, outlier_count=1, outliers=(("a.png", 8.25),), psnr_median=31.04),
        cell("toy", 1, drop=1.0, outlier_count=3, outliers=(("a", 8.0), ("b", 9.0)), psnr_median=33.0),
    ]
    assert note_lines(found) == [
        (
            "photos: toy at 0.5 bpp: 1 image came back far worse than the others (median 31.0 dB); look at what its "
            "decoder makes of: a.png (8.2 dB)"
        ),
        (
            "photos: toy at 1 bpp: 3 images came back far worse than the others (median 33.0 dB); look at what its "
            "decoder makes of: a (8.0 dB), b (9.0 dB), ..."
        ),
    ]


def test_what_a_codec_met_is_said_once(cell):
    remark = "batches cut to 4 after memory ran out on cuda:0"
    found = [cell("neural", bpp, drop=1.0, codec_remark=remark) for bpp in (0.5, 1)]
    assert note_lines([*found, cell("jpeg", 1, drop=1.0)]) == [f"photos: neural: {remark}"]


def test_metadata_that_count_in_a_rate_are_told(cell):
    results = [
        cell("jpeg", 1, drop=1.0, images=300, metadata_images=81, metadata_bpp=0.05123),
        cell("webp", 1, drop=1.0, images=300, metadata_images=0, metadata_bpp=0.0),
        cell("avif", 1, drop=1.0, images=300),
    ]
    assert [text for text in note_lines(results) if "ICC" in text] == [
        "photos: ICC profiles and EXIF of the sources count in the rate: jpeg 1 bpp (81 of 300 images, 0.0512 bpp), "
        "webp 1 bpp (0 of 300 images, 0 bpp)"
    ]


def test_the_steps_of_a_pipeline_are_told(cell):
    steps = (("jpeg", 1.2345), ("webp", 0.5))
    results = [
        cell("upload", 1, drop=1.0, steps=steps),
        cell("upload", 1, drop=1.0, steps=steps, decoder="opencv", first_decoder="pillow"),  # the same streams
        cell("single", 1, drop=1.0, steps=(("jpeg", 1.0),)),
        cell("jpeg", 1, drop=1.0),
    ]
    assert [text for text in note_lines(results) if "step" in text] == [
        "photos: bits of each step per pixel of the source: upload 1 bpp (jpeg 1.23, webp 0.5)"
    ]
