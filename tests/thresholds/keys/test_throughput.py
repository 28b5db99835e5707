"""The key `throughput`: what is timed, and how fast it has to be."""

from __future__ import annotations

import pytest

from compress_guard.records import CodecSpec, SpeedLimits
from compress_guard.thresholds.keys.throughput import benchmarked

TWO = ("codecs: [jpeg, webp]", "bpp: [0.5, 1]")
JPEG, WEBP, AVIF = (CodecSpec(name, name) for name in ("jpeg", "webp", "avif"))
WORKS = ["encode", "decode", "round_trip"]


def limits(guard, work="encode", bpp=0.5):
    """By codec what a cell has to reach: the ratio, and the speed on its device."""
    return {
        cell.codec.alias: (cell.limits.min_ratio, cell.limits.min_speed)
        for cell in guard.throughput.cells
        if (cell.work, cell.bpp) == (work, bpp)
    }


def test_nothing_is_timed_by_default(guard):
    assert guard(*TWO).throughput is None


def test_what_is_not_said_is_as_the_guard_has_it(guard):
    found = guard("codecs: [jpeg, webp]", "bpp: {jpeg: [1, 0.5], default: [2]}", "throughput: {}").throughput
    assert (found.reference, found.images, found.rounds) == (JPEG, 8, 10)
    assert (found.device, found.max_growth) == (None, None)
    assert [(cell.codec, cell.bpp, cell.work) for cell in found.cells] == [
        (spec, bpp, work) for spec, bpp in ((JPEG, 0.5), (JPEG, 1.0), (WEBP, 2.0)) for work in WORKS
    ]
    assert all(cell.limits == SpeedLimits() and not cell.judged for cell in found.cells)


def test_cells_have_node_names_of_their_own(guard):
    found = guard("codecs: [webp]", "bpp: [1]", "throughput: {}").throughput
    assert [cell.name for cell in found.cells] == [
        "photos[throughput-webp-1.0bpp-encode]",
        "photos[throughput-webp-1.0bpp-decode]",
        "photos[throughput-webp-1.0bpp]",
    ]


def test_every_key(guard):
    found = guard(
        *TWO,
        "throughput:",
        "  reference: fast",
        "  codecs: [webp, avif, fast]",
        "  bpp: {avif: [2], default: [0.5]}",
        "  images: 3",
        "  rounds: 5",
        "  min_ratio:",
        "    encode: {webp: 0.05, default: 0.02}",
        "    decode: 0.2",
        "  min_speed:",
        "    device: NVIDIA H200",
        "    encode: {fast: 500}",
        "  max_growth: 64",
        before="codecs: {fast: {type: jpeg, progressive: true}}\n",
    )
    made = found.throughput
    assert made.reference == CodecSpec("fast", "jpeg", (("progressive", True),))
    assert (made.images, made.rounds, made.device, made.max_growth) == (3, 5, "NVIDIA H200", 64)
    assert limits(found) == {"webp": (0.05, None), "fast": (None, 500)}
    assert limits(found, bpp=2) == {"avif": (0.02, None)}
    assert limits(found, "decode") == {"webp": (0.2, None), "fast": (None, None)}
    assert limits(found, "round_trip") == {"webp": (None, None), "fast": (None, None)}
    assert [cell.codec.alias for cell in found.cells] == ["jpeg", "jpeg", "webp", "webp"]


def test_a_cell_points_to_the_line_of_its_limit(guard):
    found = guard(
        *TWO,
        "throughput:",
        "  min_ratio:",
        "    encode: 0.1",
        "    decode: {webp: 0.1}",
        "  min_speed: {device: a, encode: 1}",
    ).throughput
    lines = {(cell.codec.alias, cell.work): cell.line for cell in found.cells}
    assert lines["webp", "encode"] == 11
    assert lines["webp", "decode"] == 12
    assert lines["jpeg", "encode"] == 13
    assert lines["jpeg", "decode"] == 10


def test_a_guard_replaces_the_default_as_a_whole(guard):
    before = "defaults: {throughput: {images: 3, min_ratio: {encode: 0.1}}}\n"
    assert limits(guard(*TWO, before=before)) == {"jpeg": (None, None), "webp": (0.1, None)}
    own = guard(*TWO, "throughput: {rounds: 4}", before=before)
    assert (own.throughput.images, own.throughput.rounds) == (8, 4)
    assert limits(own) == {"jpeg": (None, None), "webp": (None, None)}
    assert guard(*TWO, "throughput: null", before=before).throughput is None


def test_limits_of_the_defaults_may_name_codecs_that_a_guard_does_not_time(guard):
    before = "defaults: {throughput: {min_ratio: {encode: {avif: 0.1}}}}\n"
    assert limits(guard(*TWO, before=before)) == {"jpeg": (None, None), "webp": (None, None)}


@pytest.mark.parametrize(("written", "message"), [
    ("3", "9: photos: throughput: expected a map of keys, found 3; write key: value lines below it"),
    ("{image: 3}",
     "9: photos: throughput: unknown key 'image', did you mean 'images'? known: bpp, codecs, images, max_growth, "
     "min_ratio, min_speed, quality, reference, rounds; correct or remove it"),
    ("{codecs: [webp, webp]}", "9: photos: throughput: the codec 'webp' is given twice; keep one of them"),
    ("{bpp: {jpeg: [1]}}",
     "9: photos: throughput: the bpp of line 9 has no rates for the codec 'webp'; add webp or default to it"),
    ("{images: 0}",
     "9: photos: throughput: images must be a whole number from 1 to 10000, found 0; write such a number"),
    ("{images: true}",
     "9: photos: throughput: images must be a whole number from 1 to 10000, found true; write such a number"),
    ("{rounds: 2}",
     "9: photos: throughput: rounds must be a whole number from 3 to 10000, found 2; write such a number"),
    ("{rounds: 3.5}",
     "9: photos: throughput: rounds must be a whole number from 3 to 10000, found 3.5; write such a number"),
    ("{max_growth: 0}", "9: photos: throughput: max_growth is 0, outside 1 to 1e+06; use a number in that range"),
    ("{min_ratio: 0.5}",
     "9: photos: throughput: min_ratio must be a map of encode, decode, round_trip, found 0.5; write min_ratio: "
     "{round_trip: ...}"),
    ("{min_ratio: {}}",
     "9: photos: throughput: min_ratio limits nothing; add one of encode, decode, round_trip, or leave it out"),
    ("{min_ratio: {encod: 0.5}}",
     "9: photos: throughput: unknown key 'encod', did you mean 'encode'? known: decode, encode, round_trip; correct or "
     "remove it"),
    ("{min_ratio: {encode: 0}}",
     "9: photos: throughput: min_ratio of encode is 0, outside 0 to 1000 (0 excluded); use a number in that range"),
    ("{min_ratio: {encode: {}}}",
     "9: photos: throughput: min_ratio of encode must be a number, found a map; write a number from 0 to 1000 (0 "
     "excluded)"),
    ("{min_ratio: {encode: {wepb: 1}}}",
     "9: photos: throughput: unknown codec 'wepb', did you mean 'webp'? known: avif, command, compressai, default, "
     "heic, jp2, jpeg, jxl, neural, pipeline, webp, zoo; use one of these, or define it under codecs"),
    ("{min_ratio: {encode: {jpeg: 1}}}",
     "9: photos: throughput: min_ratio of encode names jpeg, which is the reference itself; remove it, or limit it by "
     "min_speed"),
    ("{min_ratio: {encode: {avif: 1}}}",
     "9: photos: throughput: min_ratio of encode names avif, which is not timed here; the codecs held to it are webp; "
     "correct or remove it"),
    ("{codecs: [jpeg], min_ratio: {decode: 1}}",
     "9: photos: throughput: min_ratio of decode applies to no codec, since only jpeg, the reference, is timed; time "
     "another codec too, or leave it out"),
    ("{codecs: [jpeg], min_ratio: {decode: {webp: 1}}}",
     "9: photos: throughput: min_ratio of decode names webp, which is not timed here; no codec is held to it; correct "
     "or remove it"),
    ("{min_speed: {encode: 500}}",
     "9: photos: throughput: min_speed has no device, and megapixels per second mean nothing on another machine; add "
     "device: with the name that results print, or use min_ratio, which holds everywhere"),
    ("{min_speed: 500}",
     "9: photos: throughput: min_speed must be a map of device, encode, decode, round_trip, found 500; write "
     "min_speed: {device: NAME, round_trip: ...}"),
    ("{min_speed: {device: H200}}",
     "9: photos: throughput: min_speed limits nothing; add one of encode, decode, round_trip, or leave it out"),
    ("{min_speed: {device: ' ', encode: 1}}",
     "9: photos: throughput: device is an empty text; write the name that results print, such as NVIDIA H200"),
    ("{min_speed: {device: 3, encode: 1}}",
     "9: photos: throughput: device must be text, found 3; write text, in quotes if need be"),
    ("{min_speed: {device: a, encode: {avif: 1}}}",
     "9: photos: throughput: min_speed of encode names avif, which is not timed here; the codecs held to it are jpeg, "
     "webp; correct or remove it"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(guard_refusal, written, message):
    assert guard_refusal(*TWO, f"throughput: {written}") == f"thresholds.yaml:{message}"


def test_defaults_are_refused_where_they_stand(refusal, read):
    text = "version: 1\ndefaults:\n  throughput: {codecs: [webp], min_ratio: {encode: {avif: 1}}}\nguards:\n  a: {}\n"
    assert refusal(text) == (
        "thresholds.yaml:3: defaults: throughput: min_ratio of encode names avif, which is not timed here; the codecs "
        "held to it are webp; correct or remove it"
    )


# A run that times codecs

THREE = """\
version: 1
defaults: {codecs: [webp], bpp: [0.5]}
guards:
  a: {task: classification, model: m:f, data: d:f}
  b: {task: classification, model: m:g, data: d:f}
  c: {task: classification, model: m:f, data: d:g, codecs: [jpeg]}
"""


def test_each_data_set_is_timed_once_where_no_guard_asks(read):
    a, b, c = benchmarked(read(THREE)).guards
    assert b.throughput is None
    assert [cell.name for cell in a.throughput.cells] == [
        "a[throughput-webp-0.5bpp-encode]",
        "a[throughput-webp-0.5bpp-decode]",
        "a[throughput-webp-0.5bpp]",
    ]
    assert [cell.line for cell in a.throughput.cells] == [4, 4, 4]
    assert (a.throughput.reference, c.throughput.reference) == (JPEG, JPEG)
    assert not any(cell.judged for cell in (*a.throughput.cells, *c.throughput.cells))


def test_the_file_s_own_codec_of_that_name_is_the_reference_then(read):
    own = THREE.replace("guards:", "codecs: {jpeg: {type: jpeg, progressive: true}}\nguards:")
    *_, c = benchmarked(read(own)).guards
    assert c.throughput.reference.options == (("progressive", True),)


def test_only_guards_that_ask_are_timed_where_one_does(read):
    text = THREE.replace("model: m:g", "model: m:g, throughput: {}")
    assert [guard.throughput is not None for guard in benchmarked(read(text)).guards] == [False, True, False]
