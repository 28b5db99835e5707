"""The key `slices`: how images are parted, and what drop the parts are allowed."""

from __future__ import annotations

import pytest

from compress_guard.records import SliceLimit, Slicing

TWO = ("codecs: [jpeg]", "bpp: [0.25, 1]")
JUDGED = (*TWO, "max_drop: 3")
DETECTION = "version: 1\nguards:\n  a:\n    task: detection\n    model: m:f\n    data: d:f\n    max_drop: 3\n"


def limits(guard):
    """By rate what each slice is allowed."""
    return {
        cell.bpp: {(one.slicing, one.value): pytest.approx(one.max_drop) for one in cell.slice_limits}
        for cell in guard.cells
    }


def test_no_slices_are_the_default(guard):
    found = guard(*JUDGED)
    assert found.slicings == ()
    assert all(cell.slice_limits == () for cell in found.cells)


def test_every_way_of_parting_images(guard, read):
    found = guard(*JUDGED, "slices:", "  weather: package.slices:weather", "  source: camera", "  class: {by: label}")
    assert found.slicings == (
        Slicing("weather", "package.slices:weather"),
        Slicing("source", "camera"),
        Slicing("class", "label"),
    )
    assert all(cell.slice_limits == () for cell in found.cells)
    (found,) = read(DETECTION + "    slices: {size: object_size}\n").guards
    assert found.slicings == (Slicing("size", "object_size"),)


@pytest.mark.parametrize(("written", "low", "high"), [
    ("7", {None: 7}, {None: 7}),
    ("{0.25: 8, 1: 2}", {None: 8}, {None: 2}),
    ("{0.0625: 12, 4: 0}", {None: 8}, {None: 4}),
    ("{night: 9}", {"night": 9}, {"night": 9}),
    ('{"3": 5, default: 10}', {"3": 5, None: 10}, {"3": 5, None: 10}),
    ("{night: {0.25: 8, 1: 2}, default: {0.1: 9, 2: 9}}", {"night": 8, None: 9}, {"night": 2, None: 9}),
])  # fmt: skip
def test_limits_of_slices_at_the_rates_of_the_cells(guard, written, low, high):
    found = guard(*JUDGED, f"slices: {{s: {{by: label, max_drop: {written}}}}}")
    assert limits(found) == {0.25: {("s", key): v for key, v in low.items()},
                             1.0: {("s", key): v for key, v in high.items()}}  # fmt: skip


def test_limits_of_several_slicings_stay_apart(guard):
    found = guard(*JUDGED, "slices: {a: {by: label, max_drop: 7}, b: label, c: {by: m:f, max_drop: {x: 8}}}")
    assert found.cells[0].slice_limits == (SliceLimit("a", None, 7), SliceLimit("c", "x", 8))


def test_limits_of_object_sizes(read):
    (found,) = read(DETECTION + "    slices: {size: {by: object_size, max_drop: {small: 9, default: 4}}}\n").guards
    assert found.cells[0].slice_limits == (SliceLimit("size", "small", 9), SliceLimit("size", None, 4))


def test_cells_that_are_not_judged_judge_no_slice_and_need_no_limit_for_them(guard):
    found = guard(
        "codecs: [jpeg, webp]",
        "bpp: {jpeg: [0.5], webp: [0.1]}",
        "max_drop: {jpeg: 3}",
        "slices: {s: {by: label, max_drop: {0.5: 6, 1: 6}}}",
    )
    assert [(cell.judged, cell.slice_limits) for cell in found.cells] == [
        (True, (SliceLimit("s", None, 6),)),
        (False, ()),
    ]
    found = guard(*TWO, "min_score: {1: 50}", "slices: {s: {by: label, max_drop: 6}}")
    assert [(cell.judged, len(cell.slice_limits)) for cell in found.cells] == [(False, 0), (True, 1)]


def test_anchors_and_merge_keys_work_here_too(guard):
    found = guard(*JUDGED, "slices:", "  a: &a {by: label, max_drop: 7}", "  b: {<<: *a, by: m:f}")
    assert found.slicings[1] == Slicing("b", "m:f")
    assert found.cells[0].slice_limits == (SliceLimit("a", None, 7), SliceLimit("b", None, 7))


# Lines 7 to 9 are JUDGED; the first of these lines is line 10
@pytest.mark.parametrize(("lines", "message"), [
    ("slices:", "10: photos: slices: expected a map of keys, found nothing; write key: value lines below it"),
    ("slices: label",
     "10: photos: slices: expected a map of keys, found 'label'; write key: value lines below it"),
    ("slices: {}", "10: photos: slices is an empty map; name at least one way to part the images, or leave it out"),
    ("slices: {3: label}", "10: photos: slices: expected a name, found 3; write a name, and put a number in quotes"),
    ("slices: {a b: label}",
     ("10: photos: slices: the slice name 'a b' has characters that results cannot contain; begin with a letter, digit "
      "or _ and use letters, digits, _, . and - only")),
    ("slices:\n  s: 5", "11: photos: slices: s: by must be text, found 5; write text, in quotes if need be"),
    ("slices:\n  s:", "11: photos: slices: s: by must be text, found nothing; write text, in quotes if need be"),
    ("slices:\n  s: [label]", "11: photos: slices: s: by must be text, found a list; write text, in quotes if need be"),
    ("slices:\n  s: ''", "11: photos: slices: s: by is an empty text; name a factory or a field of the target"),
    ("slices:\n  s: 'm:'", '11: photos: slices: s: by \'m:\' is not a factory; write "package.module:callable"'),
    ("slices:\n  s: m:f()", '11: photos: slices: s: by \'m:f()\' is not a factory; write "package.module:callable"'),
    ("slices:\n  s: fixture:weather",
     '11: photos: slices: s: by \'fixture:weather\' is not a factory; write "package.module:callable"'),
    ("slices:\n  s: object_size",
     ("11: photos: slices: s: object_size needs a task with the metrics map_small, map_medium, map_large, this one has "
      "top1, top5; use it in guards of detection, or go by something else")),
    ("slices:\n  s:\n    max_drop: 5",
     "11: photos: slices: s: by is missing; add by: a factory or a field of the target"),
    ("slices:\n  s:\n    by: label\n    max_drops: 5",
     ("13: photos: slices: s: unknown key 'max_drops', did you mean 'max_drop'? known: by, max_drop; correct or "
      "remove it")),
    ("slices:\n  s:\n    by: label\n    max_drop:",
     ("13: photos: slices: s: max_drop of slices must be a number or a map from rate to number, found nothing; write "
      "e.g. 3 or {0.25: 5, 1.0: 3}")),
    ("slices:\n  s:\n    by: label\n    max_drop: 101",
     "13: photos: slices: s: max_drop of slices is 101, outside 0 to 100; use a number in that range"),
    ("slices:\n  s:\n    by: label\n    max_drop: {}",
     "13: photos: slices: s: max_drop of slices is an empty map; give a number, or a map from rate to number"),
    ("slices:\n  s:\n    by: label\n    max_drop: {night: 5, 0.5: 3}",
     ("13: photos: slices: s: max_drop of slices mixes names of slices with 0.5; give rates below each slice, or no "
      "slices; names of slices stand in quotes")),
    ("slices:\n  s:\n    by: label\n    max_drop: {night: dark}",
     "13: photos: slices: s: max_drop of slice night must be a number, found 'dark'; write a number from 0 to 100"),
    ("slices:\n  s:\n    by: label\n    max_drop:\n      night: {x: 5}",
     "14: photos: slices: s: a rate must be a number, found 'x'; write a number from 0.02 to 8"),
    ("slices:\n  s:\n    by: label\n    max_drop: {3: 5, 5: 5}",
     ("13: photos: slices: s: rate 0.25 bpp (from line 8) is outside the max_drop of line 13, which is given at "
      "3.0 to 5.0 bpp; give max_drop at 0.25 bpp too, or remove this rate; names of slices that are numbers stand in "
      "quotes")),
    ("slices:\n  s:\n    by: label\n    max_drop:\n      night: {0.5: 5}",
     ("13: photos: slices: s: rate 0.25 bpp (from line 8) is outside the max_drop of line 14, which is given at "
      "0.5 bpp only; give max_drop at 0.25 bpp too, or remove this rate")),
])  # fmt: skip
def test_slices_are_refused(guard_refusal, lines, message):
    assert guard_refusal(*JUDGED, *lines.splitlines()) == f"thresholds.yaml:{message}"


def test_limits_that_no_cell_judges_are_refused(guard_refusal):
    assert guard_refusal(*TWO, "slices: {a: label, s: {by: label, max_drop: 5}}") == (
        "thresholds.yaml:9: photos: slices: s: max_drop of slices applies to no cell that is judged; give the guard a "
        "max_drop too, 100 where only the slices are to decide"
    )


def test_an_object_size_that_there_is_not_is_refused(refusal):
    text = DETECTION + "    slices: {size: {by: object_size, max_drop: {tiny: 9}}}\n"
    assert refusal(text) == (
        "thresholds.yaml:8: a: slices: size: unknown object size 'tiny'; known: default, large, medium, small; use one "
        "of these"
    )


def test_slices_belong_to_guards_not_to_defaults(refusal):
    message = refusal(f"version: 1\ndefaults:\n  slices: {{a: label}}\n{DETECTION.removeprefix('version: 1')}")
    assert message.endswith(":3: defaults: slices is no key of defaults; move it into each guard that needs it")
