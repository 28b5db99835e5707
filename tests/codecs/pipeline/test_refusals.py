"""Steps that make no sense are refused when the pipeline is built, each with its number."""

from __future__ import annotations

import math

import pytest

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pipeline.codec import Pipeline
from compress_guard.errors import OptionError
from compress_guard.registry import setting_fault

SIZES = "give one of longest, shortest, width, height, scale, area, or width and height"
CENTRE = "centre must be pixels from 1 on, a share with a decimal point up to 1.0, or a pair [height, width]"
BOX = "box must be [x1, y1, x2, y2] in pixels, or in shares with a decimal point from 0.0 to 1.0"
FORM = "write a name, or one name with its options: {jpeg: {quality: 80}}"
JPEG = {"jpeg": {"quality": 80}}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], f"steps is an empty list; {FORM}"),
        ("jpeg", f"steps must be a list, found 'jpeg'; {FORM}"),
        ([JPEG] * 101, "steps has 101 elements; at most 100 are taken"),
        (["source", {"resize": {"scale": 0.5}}], "steps holds no codec; add one, such as jpeg: {quality: 80}"),
        ([3], f"step 1: found 3; {FORM}"),
        ([{"jpeg": {}, "webp": {}}], f"step 1: found a map of 2 keys; {FORM}"),
        ([{75: {}}], f"step 1: found 75 as a name; {FORM}"),
        ([{"jpeg": 80}], "step 1 (jpeg): its options are 80; write a map of them, such as {quality: 80}"),
        (
            [{"resize": 1600}, JPEG],
            "step 1 (resize): its options are 1600; write a map of them, such as {longest: 1600}",
        ),
        ([{"crop": 224}, JPEG], "step 1 (crop): its options are 224; write a map of them, such as {centre: 0.9}"),
        (
            ["jpg"],
            "step 1: unknown step 'jpg', did you mean 'jpeg'? known: avif, command, compressai, crop, heic, jp2, jpeg, "
            "jxl, neural, resize, source, webp, zoo",
        ),
        (["pipeline"], "step 1 (pipeline): a pipeline cannot be a step of another; write its steps here"),
        ([JPEG, "source"], "step 2 (source): the file of the source can only be the first step; put it there"),
        ([{"source": {"quality": 80}}, JPEG], "step 1 (source): it takes no options, found quality"),
        (
            ["jpeg", "webp"],
            "step 1 (jpeg): its quality is open, which only the last step may be; add it: jpeg: {quality: 80}",
        ),
        (
            ["webp", {"resize": {"scale": 0.5}}],
            "step 2 (resize): no step may follow webp, whose quality is open; add it there: webp: {quality: 80}",
        ),
        (
            [{"jp2": {"qualty": 1}}],
            "step 1 (jp2): unknown option 'qualty', did you mean 'quality'? known: quality",
        ),
        ([{"jpeg": {"quality": "high"}}], "step 1 (jpeg): quality must be a number, found 'high'"),
        (
            [{"jpeg": {"quality": None}}],
            "step 1 (jpeg): quality must be a number, found None; leave it out, which only the last step may do",
        ),
        ([{"jpeg": {"quality": True}}], "step 1 (jpeg): quality must be a number, found True"),
        ([{"jpeg": {"quality": math.nan}}], "step 1 (jpeg): quality must be a number, found nan"),
        (
            [JPEG, {"jpeg": {"subsampling": "4:1:1", "quality": 80}}],
            "step 2 (jpeg): subsampling must be '4:2:0', '4:2:2' or '4:4:4', found '4:1:1'",
        ),
        (
            [{"jpeg": {"quality": 80, "subsampling": {"a": 1}}}],
            "step 1 (jpeg): subsampling must be text, a number, true, false or a list of these, found {'a': 1}",
        ),
        ([{"zoo": {"quality": 1}}], "step 1 (zoo): zoo needs the options model; add them"),
        (
            [{"neural": {"quality": 80, "bits": "estimated"}}, JPEG],
            "step 1 (neural): its bits are estimated, and only those of the last codec are checked against real "
            "streams; set bits: coded",
        ),
        ([{"resize": {}}, JPEG], f"step 1 (resize): {SIZES}, found none of them"),
        ([{"resize": {"longest": 9, "width": 9}}, JPEG], f"step 1 (resize): {SIZES}, found longest and width"),
        (
            [{"resize": {"longest": 0}}, JPEG],
            "step 1 (resize): longest must be a whole number from 1 to 65535, found 0",
        ),
        ([{"resize": {"scale": 0}}, JPEG], "step 1 (resize): scale must be a number above 0, found 0"),
        (
            [{"resize": {"scale": 2}}, JPEG],
            "step 1 (resize): scale 2 makes pictures larger, which needs upscale: true",
        ),
        (
            [{"resize": {"longest": 9, "filter": "cubic"}}, JPEG],
            "step 1 (resize): filter must be 'nearest', 'box', 'bilinear', 'hamming', 'bicubic' or 'lanczos', "
            "found 'cubic'",
        ),
        (
            [{"resize": {"longest": 9, "upscale": 1}}, JPEG],
            "step 1 (resize): upscale must be true or false, found 1",
        ),
        ([{"crop": {}}, JPEG], "step 1 (crop): give one of centre and box, found neither"),
        ([{"crop": {"centre": 9, "box": [1, 2, 3, 4]}}, JPEG], "step 1 (crop): give one of centre and box, found both"),
        ([{"crop": {"centre": 0}}, JPEG], f"step 1 (crop): {CENTRE}, found 0"),
        ([{"crop": {"centre": 1.5}}, JPEG], f"step 1 (crop): {CENTRE}, found 1.5"),
        ([{"crop": {"centre": [9]}}, JPEG], f"step 1 (crop): {CENTRE}, found [9]"),
        ([{"crop": {"centre": True}}, JPEG], f"step 1 (crop): {CENTRE}, found True"),
        (
            [{"crop": {"centre": 1}}, JPEG],
            "step 1 (crop): centre is 1, which is a single pixel; write 1.0 for the whole picture",
        ),
        (
            [{"crop": {"centre": [9, 0.5]}}, JPEG],
            "step 1 (crop): centre mixes pixels and shares, found [9, 0.5]; write both in one way",
        ),
        ([{"crop": {"box": [1, 2, 3]}}, JPEG], f"step 1 (crop): {BOX}, found [1, 2, 3]"),
        ([{"crop": {"box": [-1, 2, 3, 4]}}, JPEG], f"step 1 (crop): {BOX}, found [-1, 2, 3, 4]"),
        (
            [{"crop": {"box": [0.5, 2, 3, 4]}}, JPEG],
            "step 1 (crop): box mixes pixels and shares, found [0.5, 2, 3, 4]; write whole numbers for pixels",
        ),
        (
            [{"crop": {"box": [5, 2, 5, 4]}}, JPEG],
            "step 1 (crop): box holds nothing, found [5, 2, 5, 4]; x1 must be below x2, and y1 below y2",
        ),
        (
            [{"crop": {"box": [0, 0, 1, 1]}}, JPEG],
            "step 1 (crop): box is [0, 0, 1, 1], which is a single pixel; write 1.0 for the whole picture",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(steps, message):
    with pytest.raises(OptionError) as caught:
        Pipeline(steps)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"jpeg": {"quality": 101}}, "step 1 (jpeg): quality 101 is no setting of jpeg, which takes {taken}"),
        ({"jpeg": {"quality": 79.5}}, "step 1 (jpeg): quality 79.5 is no setting of jpeg, which takes {taken}"),
        ({"jpeg": {"quality": math.inf}}, "step 1 (jpeg): quality inf is no setting of jpeg, which takes {taken}"),
    ],
)
def test_a_quality_that_the_codec_does_not_take_is_refused(step, message):
    with pytest.raises(OptionError) as caught:
        Pipeline([step])
    assert str(caught.value) == message.format(taken=setting_fault(Jpeg(), 101))
