"""Records: what crosses a layer, a worker or a file comes through whole."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import math
import zipfile
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from compress_guard.records import (
    JUDGED,
    Cell,
    CellResult,
    ClassScore,
    CodecSpec,
    CodedRate,
    Evidence,
    FidelityFigures,
    Guard,
    NamedImage,
    PlannedRate,
    Rate,
    RatePlan,
    SliceResult,
    Verdict,
    format_bpp,
    seeded_fraction,
)

# numpy's strings end at their last character that is not NUL
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: not name.endswith("\0"))
DTYPES = {"flag": np.uint8, "scores": np.float32, "boxes": np.float64, "count": np.int64, "on": np.bool_}
DIMENSIONS = {"flag": 0, "scores": 1, "boxes": 2, "count": 0, "on": 1}


@st.composite
def evidence(draw, min_size=0):
    ids = draw(st.lists(NAMES, min_size=min_size, max_size=6, unique=True))
    names = draw(st.sets(st.sampled_from(sorted(DTYPES))))
    items = []
    for _ in ids:
        shapes = {
            name: draw(
                arrays.array_shapes(min_dims=DIMENSIONS[name], max_dims=DIMENSIONS[name], min_side=0, max_side=4)
            )
            if DIMENSIONS[name]
            else ()
            for name in names
        }
        items.append({name: draw(arrays.arrays(DTYPES[name], shapes[name])) for name in names})
    return Evidence(tuple(ids), tuple(items))


def same(one, other):
    assert one.ids == other.ids
    for a, b in zip(one.items, other.items, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            assert (a[name].dtype, a[name].shape) == (b[name].dtype, b[name].shape)
            np.testing.assert_array_equal(a[name], b[name])


@settings(deadline=None)
@given(evidence())
def test_evidence_survives_bytes(whole):
    same(Evidence.from_bytes(whole.to_bytes()), whole)


@settings(deadline=None)
@given(evidence())
def test_equal_evidence_gives_equal_bytes(whole):
    assert Evidence.from_bytes(whole.to_bytes()).to_bytes() == whole.to_bytes()


@settings(deadline=None)
@given(evidence(), st.lists(st.integers(0, 6), max_size=4))
def test_shards_merge_to_the_whole(whole, cuts):
    ends = sorted({0, len(whole.ids), *(min(cut, len(whole.ids)) for cut in cuts)})
    parts = [Evidence(whole.ids[a:b], whole.items[a:b]) for a, b in itertools.pairwise(ends)]
    same(Evidence.merge(parts), whole)
    same(Evidence.merge(Evidence.from_bytes(part.to_bytes()) for part in parts), whole)
    same(Evidence.merge([Evidence((), ()), *parts, Evidence((), ())]), whole)


@settings(deadline=None)
@given(evidence(min_size=1), st.data())
def test_a_selection_follows_the_ids_asked_for(whole, data):
    ids = data.draw(st.lists(st.sampled_from(whole.ids), max_size=8))
    chosen = whole.select(ids)
    assert chosen.ids == tuple(ids)
    assert all(item is whole.items[whole.ids.index(name)] for name, item in zip(ids, chosen.items, strict=True))
    same(whole.select(whole.ids), whole)


def test_an_id_that_is_not_there():
    with pytest.raises(KeyError):
        Evidence(("a",), ({},)).select(["b"])


def test_evidence_is_a_plain_npz_without_pickles():
    data = Evidence(("a", "ü"), ({"x": np.array([1.5])}, {"x": np.array([2.5, 3.5])})).to_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as found:
        assert list(found["ids"]) == ["a", "ü"]
        assert list(found["values.x"]) == [1.5, 2.5, 3.5]
        assert found["shapes.x"].tolist() == [[1], [2]]


def test_objects_are_refused_both_ways():
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        Evidence(("a",), ({"x": np.array([object()])},)).to_bytes()
    pickled = io.BytesIO()
    np.savez(
        pickled,
        ids=np.array(["a"]),
        names=np.array(["x"]),
        **{"values.x": np.array([object()]), "shapes.x": np.array([[1]])},
    )
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        Evidence.from_bytes(pickled.getvalue())


@settings(deadline=None)
@given(st.data())
def test_damaged_bytes_are_a_value_error_or_the_same_evidence(data):
    whole = Evidence(("a", "b"), ({"x": np.array([1, 2])}, {"x": np.array([3])}))
    found = whole.to_bytes()
    at = data.draw(st.integers(0, len(found) - 1))
    if data.draw(st.booleans()):
        damaged = found[:at]
    else:
        damaged = found[:at] + bytes([found[at] ^ data.draw(st.integers(1, 255))]) + found[at + 1 :]
    try:
        read = Evidence.from_bytes(damaged)
    except ValueError:
        return
    same(read, whole)


@pytest.mark.parametrize("name", [b"ids", b"names", b"values.x", b"shapes.x"])
def test_a_damaged_name_in_the_archive_is_noticed(name):
    found = Evidence(("a",), ({"x": np.array([1])},)).to_bytes()
    with pytest.raises(ValueError, match="these bytes are not evidence"):
        Evidence.from_bytes(found.replace(name, bytes([name[0] ^ 1]) + name[1:]))


def test_an_archive_that_lacks_a_part():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("other.txt", "text")
    with pytest.raises(ValueError, match="these bytes are not evidence"):
        Evidence.from_bytes(buffer.getvalue())


# Results

FINITE = st.floats(allow_nan=False, allow_infinity=False)
BY_TYPE = {
    "str": st.text(max_size=10),
    "float": FINITE,
    "int": st.integers(),
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "float | None": st.none() | FINITE,
    "int | None": st.none() | st.integers(),
    "str | None": st.none() | st.text(max_size=10),
    "Verdict": st.sampled_from(get_args(Verdict)),
    "Outcome": st.sampled_from(["passed", "failed", "skipped"]),
    "SettledBy": st.sampled_from(["interval", "policy", "point"]),
    "RateMode | None": st.sampled_from(["dataset", "image", None]),
    "Bits | None": st.sampled_from([None, "coded", "estimated"]),
    "Orientation | None": st.sampled_from([None, "upright", "stored"]),
    "tuple[tuple[float, int], ...]": st.lists(st.tuples(FINITE, st.integers(1)), max_size=3).map(tuple),
    "tuple[tuple[str, float], ...]": st.lists(st.tuples(st.text(max_size=5), FINITE), max_size=3).map(tuple),
    "tuple[tuple[str, str], ...]": st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple),
    "tuple[str, ...]": st.lists(st.text(max_size=5), max_size=3).map(tuple),
    "Correction": st.sampled_from(["none", "bonferroni"]),
    "CleanReference": st.sampled_from(["source", "input"]),
}
SLICES = st.fixed_dictionaries({one.name: BY_TYPE[str(one.type)] for one in dataclasses.fields(SliceResult)}).map(
    lambda values: SliceResult(**values)
)
BY_TYPE["tuple[SliceResult, ...]"] = st.lists(SLICES, max_size=2).map(tuple)
NAMED = st.fixed_dictionaries({one.name: BY_TYPE[str(one.type)] for one in dataclasses.fields(NamedImage)}).map(
    lambda values: NamedImage(**values)
)
SCORED = st.fixed_dictionaries({one.name: BY_TYPE[str(one.type)] for one in dataclasses.fields(ClassScore)}).map(
    lambda values: ClassScore(**values)
)
BY_TYPE["tuple[ClassScore, ...]"] = st.lists(SCORED, max_size=2).map(tuple)
BY_TYPE["tuple[NamedImage, ...]"] = st.lists(NAMED, max_size=2).map(tuple)
PARTS = {
    field.name: field.default_factory
    for field in dataclasses.fields(CellResult)
    if dataclasses.is_dataclass(field.default_factory)
}
FIELDS = {
    field.name: field
    for record in (CellResult, *PARTS.values())
    for field in dataclasses.fields(record)
    if field.name not in PARTS
}
RESULTS = st.fixed_dictionaries({name: BY_TYPE[str(field.type)] for name, field in FIELDS.items()}).map(
    CellResult.from_fields
)


@settings(deadline=None)
@given(RESULTS)
def test_a_result_survives_json(result):
    assert CellResult.from_dict(json.loads(json.dumps(result.as_dict(), allow_nan=False))) == result


@settings(deadline=None)
@given(RESULTS)
def test_a_newer_version_may_add_keys(result):
    assert CellResult.from_dict({**result.as_dict(), "of_a_later_version": 1}) == result


@settings(deadline=None)
@given(RESULTS)
def test_a_cell_counts_as_judged_where_a_drop_met_a_limit(result):
    assert result.judged == (result.verdict in ("pass", "fail", "inconclusive"))
    assert set(get_args(Verdict)) > JUDGED


def test_the_words_of_the_contract_are_in_a_result():
    promised = (
        "id guard task metric codec target_bpp bpp_mean bpp_pooled rate bits settings off_target images images_used "
        "errors clean_score score drop drop_low drop_high confidence max_drop verdict outcome settled_by reason device "
        "encodes seconds bits_difference bits_checked reconstruction_difference codec_device codec_remark checked "
        "device_difference psnr_mean psnr_median outlier_count outliers check_encodes correction stopped_early "
        "resolvable_drop images_needed changed harmful_flips helpful_flips worst slices source_bpp lossy_sources "
        "sources_looked interval_confidence control_images control_changed swap_decoder swap_score"
    ).split()
    assert set(promised) <= set(CellResult.field_names())


def test_settings_and_outliers_are_named_pairs_in_json():
    blank = dict.fromkeys(("id", "guard", "task", "metric", "codec", "reason", "device"), "x")
    result = CellResult(
        **blank, target_bpp=1.0, verdict="pass", outcome="passed", settled_by="interval", rate="dataset", seed=0,
        confidence=0.95, coded=CodedRate(settings=((30.0, 7), (31.0, 5))),
        fidelity=FidelityFigures(outliers=(("a", 8.5), ("b", 9.0))),
    )  # fmt: skip
    assert result.as_dict()["outliers"] == [{"id": "a", "psnr": 8.5}, {"id": "b", "psnr": 9.0}]
    assert result.as_dict()["settings"] == [{"setting": 30.0, "images": 7}, {"setting": 31.0, "images": 5}]
    unmeasured = {name for name, field in FIELDS.items() if field.default is None}
    assert {"score", "drop", "bpp_mean", "encodes", "seconds", "errors", "off_target"} <= unmeasured
    assert {result.as_dict()[name] for name in unmeasured} == {None}


# Cells and plans


@given(st.lists(st.none() | st.integers(1, 500), min_size=1, max_size=12), st.sets(st.integers(0, 11)))
def test_a_planned_rate_without_images_is_that_of_the_others(lengths, lost):
    def planned(lengths):
        return PlannedRate(
            point=Rate(1.0),
            settings=tuple(None if one is None else float(one % 3) for one in lengths),
            lengths=tuple(lengths),
            bpp=tuple(None if one is None else one / 100 for one in lengths),
            reachable=True,
            floor=None,
            off_target=0,
            mixed=False,
            encodes=1.5,
        )

    found = planned(lengths).without(lost)
    assert found == planned([None if at in lost else one for at, one in enumerate(lengths)])
    left = planned([one for at, one in enumerate(lengths) if at not in lost])
    assert (found.bpp_mean, found.bpp_se, found.setting_counts) == (left.bpp_mean, left.bpp_se, left.setting_counts)


@pytest.mark.parametrize(
    ("bpp", "text"), [(1, "1.0bpp"), (0.25, "0.25bpp"), (2.0, "2.0bpp"), (0.1, "0.1bpp"), (0.333, "0.333bpp")]
)
def test_rates_print_with_a_decimal_at_least(bpp, text):
    assert format_bpp(bpp) == text
    assert Cell("g", CodecSpec("mine", "jpeg"), Rate(bpp), None, None, None, 1).name == f"g[mine-{text}]"


def cell(codec="jpeg", bpp=1.0, max_drop=None, min_score=None):
    return Cell("g", CodecSpec(codec, "jpeg"), Rate(bpp), max_drop, min_score, None, 1)


def test_a_cell_is_judged_by_either_limit():
    assert not cell().judged
    assert cell(max_drop=0.0).judged
    assert cell(min_score=0.0).judged


def test_a_guard_knows_its_codecs_and_their_rates():
    cells = (cell("b", 2.0), cell("b", 0.5), cell("a", 1.0))
    guard = Guard("g", "classification", "top1", "m", "d", cells)
    assert [spec.alias for spec in guard.codecs] == ["b", "a"]
    assert (guard.rates("b"), guard.rates("a"), guard.rates("c")) == ((0.5, 2.0), (1.0,), ())


def planned(bpp, settings=None, target=1.0):
    return PlannedRate(
        target, tuple(settings or (1.0,) * len(bpp)), (1,) * len(bpp), tuple(bpp), True, None, 0, False, 1.0
    )


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(0.01, 10), max_size=20))
def test_mean_and_standard_error_are_numpys(bpp):
    rates = [rate for rate in bpp if rate is not None]
    found = planned(bpp)
    assert found.bpp_mean == (pytest.approx(np.mean(rates)) if rates else None)
    expected = np.std(rates, ddof=1) / math.sqrt(len(rates)) if len(rates) > 1 else None
    assert found.bpp_se == (None if expected is None else pytest.approx(expected, abs=1e-12))


def test_settings_are_counted_without_images_that_failed():
    assert planned([1.0] * 4, (30.0, None, 29.0, 30.0)).setting_counts == {29.0: 1, 30.0: 2}


def test_a_plan_finds_its_rates():
    plan = RatePlan("dataset", (planned([1.0], target=0.5), planned([2.0], target=2.0)))
    assert plan.at(2).bpp == (2.0,)


# The seeded hash


@settings(deadline=None)
@given(st.integers(), st.text())
def test_fractions_are_stable_and_below_one(seed, name):
    assert 0 <= seeded_fraction(seed, name) < 1
    assert seeded_fraction(seed, name) == seeded_fraction(seed, name)


def test_fractions_are_even_and_follow_seed_and_id():
    values = [seeded_fraction(0, f"image-{at}") for at in range(4000)]
    counts, _ = np.histogram(values, bins=10, range=(0, 1))
    assert counts.min() > 320
    other = [seeded_fraction(1, f"image-{at}") for at in range(4000)]
    assert abs(np.corrcoef(values, other)[0, 1]) < 0.06
    assert seeded_fraction(0, "a") == 0.7417194198289923


def test_a_file_name_that_is_no_unicode_will_do():
    assert 0 <= seeded_fraction(0, "caf\udce9.jpg") < 1
    evidence = Evidence(("caf\udce9.jpg",), ({},))
    assert Evidence.from_bytes(evidence.to_bytes()).ids == evidence.ids
