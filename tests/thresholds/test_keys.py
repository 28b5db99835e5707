"""Every key of thresholds.yaml in each of its forms."""

from __future__ import annotations

import pytest

from compress_guard.records import Cell, CodecSpec, Guard, Policy, Rate
from compress_guard.thresholds import load

JPEG, WEBP, AVIF = (CodecSpec(name, name) for name in ("jpeg", "webp", "avif"))
THREE = "bpp: [0.25, 0.5, 1]"


def cell(guard: Guard, label: str) -> Cell:
    (found,) = (one for one in guard.cells if one.label == label)
    return found


def drops(guard: Guard, codec: str = "jpeg") -> list[float | None]:
    return [one.max_drop for one in guard.cells if one.codec.alias == codec]


def floors(guard: Guard, codec: str = "jpeg") -> list[float | None]:
    return [one.min_score for one in guard.cells if one.codec.alias == codec]


# Files and defaults


def test_a_short_file_takes_every_other_value_from_the_documented_defaults(guard):
    found = guard()
    assert (found.name, found.task, found.metric, found.model, found.data) == (
        "photos",
        "classification",
        "top1",
        "m:f",
        "d:f",
    )
    assert found.codecs == (JPEG, WEBP, AVIF)
    assert found.rates("avif") == (0.1, 0.25, 0.5, 1.0, 2.0)
    assert (found.rate, found.rate_tolerance, found.confidence, found.max_error_share) == ("dataset", 0.02, 0.95, 0.0)
    assert found.policy == Policy("pass", "skip", "fail", frozenset())
    assert {(one.max_drop, one.min_score, one.limit, one.line) for one in found.cells} == {(None, None, None, 3)}
    assert not any(one.judged for one in found.cells)


def test_the_path_is_kept_and_messages_show_what_they_are_told_to(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text("version: 1\nguards: {a: {task: detection, model: m:f, data: d:f}}\n")
    assert load(path).path == str(path)
    path.write_text("version: 3\n")
    with pytest.raises(Exception, match=r"^gate\.yaml:1: version"):
        load(path)
    with pytest.raises(Exception, match=r"^ci/gate\.yaml:1: version"):
        load(path, shown="ci/gate.yaml")


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "thresholds.yaml"
    text = "version: 1\nguards:\n  a:\n    task: detection\n    model: m:f\n    data: d:f\n    max_drop: 3\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    (found,) = load(path).guards
    assert (found.line, found.cells[0].line) == (3, 7)


def test_guards_keep_the_order_of_the_file(read):
    text = "version: 1\nguards:\n"
    for name in ("b", "a", "c-1.x", "2024_x"):
        text += f"  {name}: {{task: detection, model: m:f, data: d:f}}\n"
    assert [(one.name, one.line) for one in read(text).guards] == [("b", 3), ("a", 4), ("c-1.x", 5), ("2024_x", 6)]


def test_defaults_hold_for_every_guard_and_a_guard_replaces_them_one_by_one(read):
    first, second, third = read(
        """\
version: 1
defaults:
  codecs: [webp]
  bpp: [0.5]
  rate: image
  rate_tolerance: 0.1
  limit: 100
  confidence: 0.9
  on_inconclusive: fail
  on_unreachable: fail
  on_unavailable: skip
  max_error_share: 0.25
  orientation: stored
  reference: input
guards:
  a: {task: detection, model: m:f, data: d:f}
  b:
    task: detection
    model: m:f
    data: d:f
    codecs: [avif, jpeg]
    bpp: [1]
    rate: dataset
    rate_tolerance: 0.5
    limit: null
    confidence: 0.99
    on_inconclusive: point
    on_unreachable: skip
    on_unavailable: fail
    max_error_share: 0
    orientation: upright
    reference: source
  c: {task: detection, model: m:f, data: d:f, orientation: null}
"""
    ).guards
    stated = frozenset({"on_inconclusive", "on_unreachable", "on_unavailable"})
    assert first.cells == (Cell("a", WEBP, Rate(0.5), None, None, 100, 16, limit_line=16),)
    assert (first.orientation, second.orientation, third.orientation) == ("stored", "upright", None)
    assert (first.reference, second.reference, third.reference) == ("input", "source", "input")
    assert (first.rate, first.rate_tolerance, first.confidence, first.max_error_share) == ("image", 0.1, 0.9, 0.25)
    assert first.policy == Policy("fail", "fail", "skip", stated)
    assert [one.name for one in second.cells] == ["b[avif-1.0bpp]", "b[jpeg-1.0bpp]"]
    assert second.cells[0].limit is None
    assert (second.rate, second.rate_tolerance, second.confidence, second.max_error_share) == ("dataset", 0.5, 0.99, 0)
    assert second.policy == Policy("point", "skip", "fail", stated)


@pytest.mark.parametrize(("before", "lines", "expected"), [
    ("", ["rate: dataset"], 0.02),
    ("", ["rate: image"], 0.05),
    ("defaults: {rate: image}\n", [], 0.05),
    ("defaults: {rate_tolerance: 0.03}\n", ["rate: image"], 0.03),
    ("defaults: {rate: image, rate_tolerance: 0.03}\n", ["rate_tolerance: 0.01"], 0.01),
])  # fmt: skip
def test_the_tolerance_follows_the_rate_mode_unless_it_is_given(guard, before, lines, expected):
    assert guard(*lines, before=before).rate_tolerance == expected


@pytest.mark.parametrize(("before", "lines", "stated"), [
    ("", [], set()),
    ("defaults: {on_unreachable: skip}\n", [], {"on_unreachable"}),
    ("", ["on_unavailable: skip"], {"on_unavailable"}),
    ("defaults: {on_unreachable: skip}\n", ["on_inconclusive: pass"], {"on_unreachable", "on_inconclusive"}),
])  # fmt: skip
def test_a_policy_knows_what_the_file_says_itself(guard, before, lines, stated):
    assert guard(*lines, before=before).policy.stated == stated


@pytest.mark.parametrize(("line", "metric"), [("", "top1"), ("metric: top5", "top5")])
def test_metric(guard, line, metric):
    assert guard(line).metric == metric


@pytest.mark.parametrize(("task", "metric"), [("detection", "map"), ("segmentation", "miou")])
def test_the_metric_is_the_first_of_the_task(read, task, metric):
    assert read(f"version: 1\nguards: {{a: {{task: {task}, model: m:f, data: d:f}}}}\n").guards[0].metric == metric


@pytest.mark.parametrize("factory", ["m:f", "package.module:callable", "fixture:trained_model", "_a.b2:C"])
def test_factories(read, factory):
    (found,) = read(f"version: 1\nguards: {{a: {{task: detection, model: {factory}, data: {factory}}}}}\n").guards
    assert (found.model, found.data) == (factory, factory)


# Codecs, rates, limits


def test_an_own_name_carries_its_options(guard):
    before = 'codecs:\n  jpeg444: {type: jpeg, subsampling: "4:4:4", progressive: true}\n  plain: {type: jpeg}\n'
    found = guard("codecs: [plain, jpeg444, jpeg]", "bpp: [0.25]", before=before)
    options = (("subsampling", "4:4:4"), ("progressive", True))
    assert found.codecs == (CodecSpec("plain", "jpeg"), CodecSpec("jpeg444", "jpeg", options), JPEG)
    assert [one.name for one in found.cells] == [
        "photos[plain-0.25bpp]", "photos[jpeg444-0.25bpp]", "photos[jpeg-0.25bpp]",
    ]  # fmt: skip


def test_a_registered_name_with_its_own_type_sets_options_also_in_the_default_list(guard):
    found = guard(before="codecs: {avif: {type: avif, speed: 6}}\n")
    assert found.codecs == (JPEG, WEBP, CodecSpec("avif", "avif", (("speed", 6),)))


def test_option_values_keep_their_types(guard):
    before = """\
codecs:
  own:
    type: command
    encoder: cjpeg -quality {setting} {input}
    decoder: 'djpeg'
    settings: [1, 2.5, x]
"""
    (spec,) = guard("codecs: [own]", before=before).codecs
    assert spec.options == (
        ("encoder", "cjpeg -quality {setting} {input}"),
        ("decoder", "djpeg"),
        ("settings", (1, 2.5, "x")),
    )


@pytest.mark.parametrize("written", ["1..100", "25..0.5..0.5", "51..0"])
def test_ranges_of_settings_are_text(guard, written):
    before = f"codecs: {{own: {{type: command, encoder: e, decoder: d, settings: {written}}}}}\n"
    (spec,) = guard("codecs: [own]", before=before).codecs
    assert spec.options[-1] == ("settings", written)


def test_unquoted_ratios_are_text_and_not_numbers_to_base_60(guard):
    (spec,) = guard("codecs: [own]", before="codecs: {own: {type: jpeg, subsampling: 4:4:4}}\n").codecs
    assert spec.options == (("subsampling", "4:4:4"),)


def test_cells_come_codec_by_codec_with_rates_ascending(guard):
    found = guard("codecs: [webp, jpeg]", "bpp: [2, 0.1, 1.00, 5e-1]")
    assert [one.label for one in found.cells] == [
        "webp-0.1bpp", "webp-0.5bpp", "webp-1.0bpp", "webp-2.0bpp",
        "jpeg-0.1bpp", "jpeg-0.5bpp", "jpeg-1.0bpp", "jpeg-2.0bpp",
    ]  # fmt: skip
    assert all(isinstance(one.bpp, float) for one in found.cells)


def test_rates_per_codec(guard):
    found = guard("codecs: [jpeg, webp, avif]", "bpp: {jpeg: [0.5, 0.25], default: [1, 0.02]}")
    assert [found.rates(name) for name in ("jpeg", "webp", "avif")] == [(0.25, 0.5), (0.02, 1), (0.02, 1)]
    assert guard("codecs: [jpeg]", "bpp: {jpeg: [8]}").rates("jpeg") == (8,)


@pytest.mark.parametrize(("line", "expected"), [
    ("limit: null", (None, None)),
    ("limit: 500", (500, 500)),
    ("limit: {jpeg: 100}", (100, None)),
    ("limit: {jpeg: 100, default: 500}", (100, 500)),
    ("limit: {jpeg: null, default: 500}", (None, 500)),
])  # fmt: skip
def test_limit(guard, line, expected):
    found = guard("codecs: [jpeg, webp]", "bpp: [1]", line, before="defaults: {limit: 7}\n")
    assert tuple(one.limit for one in found.cells) == expected


@pytest.mark.parametrize(("before", "lines", "expected"), [
    ("", [], False),
    ("", ["decoder_swap: true"], True),
    ("defaults: {decoder_swap: true}\n", [], True),
    ("defaults: {decoder_swap: true}\n", ["decoder_swap: false"], False),
])  # fmt: skip
def test_decoder_swap(guard, before, lines, expected):
    assert guard(*lines, before=before).decoder_swap is expected


# max_drop and min_score


@pytest.mark.parametrize(("written", "jpeg", "webp"), [
    ("3", [3, 3, 3], [3, 3, 3]),
    ("0", [0, 0, 0], [0, 0, 0]),
    ("{0.25: 8, 0.5: 4, 1.0: 2.5}", [8, 4, 2.5], [8, 4, 2.5]),
    ("{0.25: 8, 1: 2}", [8, 5, 2], [8, 5, 2]),
    ("{1: 2, 0.25: 8}", [8, 5, 2], [8, 5, 2]),
    ("{jpeg: 3}", [3, 3, 3], [None, None, None]),
    ("{jpeg: 3, default: 100}", [3, 3, 3], [100, 100, 100]),
    ("{default: 3}", [3, 3, 3], [3, 3, 3]),
    ("{jpeg: {0.25: 8, 1: 2}, default: 4}", [8, 5, 2], [4, 4, 4]),
])  # fmt: skip
@pytest.mark.parametrize("place", ["task", "guard"])
def test_max_drop(guard, place, written, jpeg, webp):
    in_task = f"thresholds: {{classification: {{max_drop: {written}}}, detection: {{max_drop: 99}}}}\n"
    if place == "task":
        found = guard(THREE, "codecs: [jpeg, webp]", before=in_task)
    else:
        found = guard(THREE, "codecs: [jpeg, webp]", f"max_drop: {written}")
    assert drops(found, "jpeg") == pytest.approx(jpeg)
    assert drops(found, "webp") == (webp if None in webp else pytest.approx(webp))


def test_a_guards_max_drop_replaces_the_tasks_as_a_whole(guard):
    before = "thresholds: {classification: {max_drop: {jpeg: 1, default: 2}}}\n"
    found = guard(THREE, "codecs: [jpeg, webp]", "max_drop: {webp: 3}", before=before)
    assert (drops(found, "jpeg"), drops(found, "webp")) == ([None] * 3, [3] * 3)
    assert [one.judged for one in found.cells] == [False] * 3 + [True] * 3


def test_cells_point_to_the_guard_or_to_its_own_max_drop(guard):
    before = "thresholds:\n  classification: {max_drop: 1}\n"
    assert {one.line for one in guard(before=before).cells} == {5}
    found = guard("limit: 5", "max_drop:", "  default: 3", before=before)
    assert (found.line, {one.line for one in found.cells}) == (5, {10})


@pytest.mark.parametrize(("written", "jpeg", "webp"), [
    ("60", [60, 60, 60], [60, 60, 60]),
    ("{1.0: 60}", [None, None, 60], [None, None, 60]),
    ("{0.4: 40, 0.625: 60}", [None, 50, None], [None, 50, None]),
    ("{jpeg: 50}", [50, 50, 50], [None, None, None]),
    ("{jpeg: {1: 50}, default: 20}", [None, None, 50], [20, 20, 20]),
])  # fmt: skip
def test_min_score_holds_only_where_it_is_given(guard, written, jpeg, webp):
    found = guard(THREE, "codecs: [jpeg, webp]", f"min_score: {written}")
    assert floors(found, "jpeg") == [None if one is None else pytest.approx(one) for one in jpeg]
    assert floors(found, "webp") == [None if one is None else pytest.approx(one) for one in webp]
    assert [one.judged for one in found.cells] == [one is not None for one in (*jpeg, *webp)]


# YAML


def test_anchors_and_merge_keys(read):
    first, second, third = read(
        """\
version: 1
guards:
  a: &a
    task: detection
    model: m:f
    data: d:f
    codecs: &own [jpeg]
    bpp: [1]
    max_drop: 3
  b:
    <<: *a
    max_drop: 5
  c:
    <<: [{bpp: [2]}, *a]
    codecs: *own
    metric: map_50
"""
    ).guards
    assert [(one.name, one.metric, one.cells[0].max_drop) for one in (first, second, third)] == [
        ("a", "map", 3), ("b", "map", 5), ("c", "map_50", 3),
    ]  # fmt: skip
    assert (first.cells[0].line, second.cells[0].line) == (9, 12)
    assert [one.rates("jpeg") for one in (first, second, third)] == [(1,), (1,), (2,)]


@pytest.mark.parametrize("name", ["yes", "on", "no", "y", "Null_", "'5'", "1_000"])
def test_words_that_only_yaml_1_1_reads_as_something_else_are_names(read, name):
    (found,) = read(f"version: 1\nguards: {{{name}: {{task: detection, model: m:f, data: d:f}}}}\n").guards
    assert found.name == name.strip("'")
