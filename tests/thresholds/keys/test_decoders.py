"""`decoders` and `max_decoder_drop`: the cells that they make, and what is refused, message by message."""

from __future__ import annotations

import pytest

from compress_guard.registry import CODECS, DECODERS

TWO = ("codecs: [jpeg, webp]", "bpp: [0.25, 0.5]")


def test_without_the_key_nothing_changes(guard):
    plain = guard(*TWO)
    assert {(cell.decoder, cell.first_decoder, cell.max_decoder_drop) for cell in plain.cells} == {(None, None, None)}
    assert plain.decoder is None
    undone = guard(*TWO, "decoders: null", before="defaults: {decoders: [opencv]}\n")
    assert [cell.decoder for cell in undone.cells] == [None] * 4


def test_one_decoder_decodes_the_cells(guard):
    made = guard(*TWO, "decoders: [opencv]", "max_drop: 3")
    assert [cell.label for cell in made.cells] == [cell.label for cell in guard(*TWO, "max_drop: 3").cells]
    assert {(cell.decoder, cell.first_decoder, cell.max_drop) for cell in made.cells} == {("opencv", None, 3.0)}
    assert made.decoder == "opencv"


def test_each_further_decoder_has_a_cell_behind_each_cell(guard):
    made = guard(*TWO, "decoders: [pillow, opencv, torchvision]", "max_drop: 3", "min_score: 40", "max_decoder_drop: 1")
    assert [cell.label for cell in made.cells] == [
        f"{codec}-{rate}bpp{behind}"
        for codec in ("jpeg", "webp")
        for rate in (0.25, 0.5)
        for behind in ("", "-opencv", "-torchvision")
    ]
    plain, other = made.cells[0], made.cells[1]
    assert (plain.decoder, plain.max_drop, plain.min_score, plain.max_decoder_drop) == ("pillow", 3.0, 40.0, None)
    assert (other.decoder, other.first_decoder) == ("opencv", "pillow")
    assert (other.max_drop, other.min_score, other.max_decoder_drop) == (None, None, 1.0)
    assert (plain.judged_limits, other.judged_limits) == (2, 1)
    assert made.rates("jpeg") == (0.25, 0.5)


def test_limits_have_the_forms_of_a_max_drop(guard):
    made = guard(*TWO, "decoders: [pillow, opencv]", "max_decoder_drop: {jpeg: {0.25: 2, 0.5: 1}}")
    limits = {cell.label: cell.max_decoder_drop for cell in made.cells if cell.first_decoder}
    assert limits == {
        "jpeg-0.25bpp-opencv": 2.0,
        "jpeg-0.5bpp-opencv": 1.0,
        "webp-0.25bpp-opencv": None,
        "webp-0.5bpp-opencv": None,
    }


def test_limits_at_qualities(guard):
    made = guard(
        "codecs: [jpeg]",
        "bpp: [0.5]",
        "quality: [75]",
        "decoders: [pillow, opencv]",
        "max_decoder_drop: {0.5: 2, q75: 1}",
    )
    assert {cell.label: cell.max_decoder_drop for cell in made.cells} == {
        "jpeg-0.5bpp": None,
        "jpeg-0.5bpp-opencv": 2.0,
        "jpeg-q75": None,
        "jpeg-q75-opencv": 1.0,
    }


def test_defaults_give_both(guard):
    before = "defaults: {decoders: [pillow, opencv], max_decoder_drop: 2}\n"
    assert [cell.max_decoder_drop for cell in guard(*TWO, before=before).cells] == [None, 2.0] * 4
    assert [cell.max_decoder_drop for cell in guard(*TWO, "max_decoder_drop: 1", before=before).cells][1] == 1.0


def test_a_correction_counts_the_limits_between_decoders(guard):
    lines = (*TWO, "correction: bonferroni", "max_drop: 3", "decoders: [pillow, opencv]", "max_decoder_drop: 1")
    assert guard(*lines).confidence == pytest.approx(1 - 0.05 / 8)


def test_a_limit_that_looks_like_a_share_is_doubted(guard):
    made = guard("codecs: [jpeg]", "bpp: [0.5]", "decoders: [pillow, opencv]", "max_decoder_drop: 0.05")
    assert made.cells[0].doubts == ()
    (doubt,) = made.cells[1].doubts
    assert doubt.endswith("max_decoder_drop is 0.05 points and looks like a share: write 5 for 5 points")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["decoders: [pillow, cv2]"],
            "thresholds.yaml:7: photos: unknown decoder 'cv2'; known: nvjpeg, opencv, pillow, torchcodec, torchvision; "
            "use one of these",
        ),
        (
            ["decoders: [pillow, openCV]"],
            "thresholds.yaml:7: photos: unknown decoder 'openCV', did you mean 'opencv'? known: nvjpeg, opencv, "
            "pillow, torchcodec, torchvision; use one of these",
        ),
        (
            ["decoders: [opencv, opencv]"],
            "thresholds.yaml:7: photos: the decoder 'opencv' is given twice; keep one of them",
        ),
        (["decoders: []"], "thresholds.yaml:7: photos: decoders is an empty list; give at least one"),
        (
            ["decoders: opencv"],
            "thresholds.yaml:7: photos: decoders must be a list, found 'opencv'; write [opencv]",
        ),
        (
            ["decoders: [3]"],
            "thresholds.yaml:7: photos: a decoder must be text, found 3; write text, in quotes if need be",
        ),
        (
            ["max_decoder_drop: 1"],
            "thresholds.yaml:7: photos: max_decoder_drop is given, and decoders names none; give decoders: [FIRST, "
            "OTHER], or remove the limit",
        ),
        (
            ["decoders: [opencv]", "max_decoder_drop: 1", "codecs: [jpeg]"],
            "thresholds.yaml:8: photos: max_decoder_drop is given, and decoders names one; give decoders: [FIRST, "
            "OTHER], or remove the limit",
        ),
        (
            ["decoders: [pillow, opencv]", "max_decoder_drop: {webp: 1}", "codecs: [jpeg]"],
            "thresholds.yaml:8: photos: max_decoder_drop applies to no cell of this guard; give it for a codec that "
            "the guard uses",
        ),
        (
            ["decoders: [pillow, opencv]", "max_decoder_drop: {0.25: 1}", "codecs: [jpeg]", "bpp: [0.25, 0.5]"],
            "thresholds.yaml:3: photos: jpeg at 0.5 bpp is outside the max_decoder_drop of line 8, which is given at "
            "0.25 bpp only; give max_decoder_drop there too, or remove this cell",
        ),
        (
            ["decoders: [pillow, opencv]", "max_decoder_drop: {q75: 1}", "codecs: [jpeg]", "quality: [75, 50]"],
            "thresholds.yaml:3: photos: jpeg at quality 50 is outside the max_decoder_drop of line 8, which is given "
            "at q75 only; give max_decoder_drop there too, or remove this cell",
        ),
        (
            ["decoders: [pillow, opencv]", "max_decoder_drop: 101", "codecs: [jpeg]"],
            "thresholds.yaml:8: photos: max_decoder_drop is 101, outside 0 to 100; use a number in that range",
        ),
        (
            ["decoders: [pillow, nvjpeg]", "codecs: [jpeg, webp]"],
            "thresholds.yaml:3: photos: the decoder nvjpeg of line 7 does not decode webp, only jpeg; leave one of "
            "them out, or put webp into a guard without this decoder",
        ),
    ],
)
def test_refusals(guard_refusal, lines, message):
    assert guard_refusal(*lines) == message


def test_a_codec_by_another_name_is_named_with_its_type(refusal):
    text = (
        "version: 1\ncodecs: {small: {type: avif}}\nguards:\n  photos: {task: classification, model: 'm:f', data: "
        "'d:f', codecs: [small], decoders: [torchvision]}\n"
    )
    assert refusal(text) == (
        "thresholds.yaml:4: photos: the decoder torchvision of line 4 does not decode small (avif), only jpeg, webp; "
        "leave one of them out, or put small into a guard without this decoder"
    )


PIPELINE = (
    "version: 1\ncodecs: {small: {type: avif, speed: 8}, upload: {type: pipeline, steps: [jpeg: {quality: 80}, %s]}}\n"
    "guards:\n  photos: {task: classification, model: 'm:f', data: 'd:f', codecs: [upload], decoders: [%s]}\n"
)


@pytest.fixture
def real_codecs(stand_ins, monkeypatch):
    """The codecs themselves in place of the stand-ins, since a pipeline builds its steps."""
    for name in ("jpeg", "avif"):
        monkeypatch.delitem(CODECS._found, name)


@pytest.mark.usefixtures("real_codecs")
def test_a_decoder_has_a_cell_for_what_a_pipeline_delivers(read):
    (guard,) = read(PIPELINE % ("webp: {quality: 75}, resize: {longest: 64}", "pillow, opencv")).guards
    assert [cell.name for cell in guard.cells] == ["photos[upload]", "photos[upload-opencv]"]
    (guard,) = read(PIPELINE % ("small: {quality: 60}", "pillow, opencv")).guards
    assert [cell.decoder for cell in guard.cells] == ["pillow", "opencv"]


@pytest.mark.usefixtures("real_codecs")
@pytest.mark.parametrize(
    ("last", "decoder", "message"),
    [
        (
            "webp: {quality: 75}",
            "pillow, nvjpeg",
            "thresholds.yaml:4: photos: the decoder nvjpeg of line 4 does not decode the webp files that upload "
            "delivers, only jpeg; leave one of them out, or put upload into a guard without this decoder",
        ),
        (
            "small: {quality: 60}",
            "torchvision",
            "thresholds.yaml:4: photos: the decoder torchvision of line 4 does not decode the avif files that "
            "upload delivers, only jpeg, webp; leave one of them out, or put upload into a guard without this decoder",
        ),
        (
            "neural: {quality: 2}",
            "pillow",
            "thresholds.yaml:4: photos: the decoder pillow of line 4 does not decode the neural files that upload "
            "delivers, only avif, heic, jp2, jpeg, jxl, webp; leave one of them out, or put upload into a guard "
            "without this decoder",
        ),
    ],
)
def test_a_decoder_that_does_not_read_what_a_pipeline_delivers(refusal, last, decoder, message):
    assert refusal(PIPELINE % (last, decoder)) == message


def test_the_codecs_of_a_recovery_study_are_read_by_the_decoders_too(refusal):
    text = (
        "version: 1\nguards:\n  photos: {task: classification, model: 'm:f', data: 'd:f', codecs: [jpeg], bpp: [0.5], "
        "decoders: [torchvision], recovery: {train: 'd:g', codecs: [avif]}}\n"
    )
    assert "the decoder torchvision of line 3 does not decode avif, only jpeg, webp" in refusal(text)


def test_limits_of_the_defaults_that_no_guard_can_miss(refusal):
    text = (
        "version: 1\ndefaults: {max_decoder_drop: 1}\nguards:\n  photos: {task: classification, model: 'm:f', "
        "data: 'd:f'}\n"
    )
    assert refusal(text) == (
        "thresholds.yaml:2: defaults: max_decoder_drop is given, and no guard compares decoders; give decoders: "
        "[FIRST, OTHER], or remove the limit"
    )


def test_every_decoder_reads_a_codec():
    assert all(known.reads for known in DECODERS.values())
