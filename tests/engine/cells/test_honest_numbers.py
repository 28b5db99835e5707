"""A real codec's cell, made again with Pillow alone."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("codec", "rate"), [("jpeg", 1.0), ("jpeg", 1.6), ("webp", 0.3), ("webp", 1.0)])
def test_a_cell_says_what_pillow_and_counting_say(codec, rate, pictures, spectrum, make_guard, make_world, honest):
    data, model = pictures(24), spectrum()
    world = make_world(make_guard((codec,), (rate,)), model, data)
    result = world.only().result
    clean, seen = model.images_seen[:24], model.images_seen[-24:]
    checks = honest(codec, data)
    checks.rate(result)
    checks.images(result, seen)
    checks.scores(result, model, seen)
    assert all(shown.equal(source) for shown, (source, _, _) in zip(clean, data, strict=True))
    assert sum(count for _, count in result.settings) == result.images == result.images_used == 24
    assert (result.bits, result.errors, result.predictions) == (
        "coded",
        0,
        4 * 24,
    )  # clean, twice in the control, coded


def test_compression_costs_the_toy_something_so_that_clean_scores_would_show(
    pictures, spectrum, make_guard, make_world
):
    results = make_world(make_guard(("webp",), (0.3, 3.0)), spectrum(), pictures(24)).run()
    assert results["webp-0.3bpp"].result.drop >= 20
    assert results["webp-3.0bpp"].result.drop <= 5


def test_the_mix_follows_the_seed_and_the_id_alone(pictures, spectrum, make_guard, make_world, honest):
    data = pictures(24)
    finer = []
    for seed in (0, 1):
        model = spectrum()
        result = make_world(make_guard(("jpeg",), (1.3,)), model, data, seed=seed, folder=f"{seed}").only().result
        honest("jpeg", data, seed).mix(result, model.images_seen[-24:])
        finer.append(honest("jpeg", data, seed).first_by_hash(12))
    assert finer[0] != finer[1]


def test_image_mode_brings_every_image_near_the_rate(pictures, spectrum, make_guard, make_world, honest):
    data, model = pictures(12), spectrum()
    guard = make_guard(("jpeg",), (1.5,), rate="image", rate_tolerance=0.1)
    result = make_world(guard, model, data).only().result
    ways = [honest("jpeg", data).coded(setting) for setting, _ in result.settings]
    each = []
    for at, shown in enumerate(model.images_seen[-12:]):
        source = data[at][0]
        streams = [coded[at] for coded in ways]
        (length,) = {len(stream) for stream in streams if _decodes_to(stream, shown)}
        each.append(8 * length / (source.shape[1] * source.shape[2]))
    assert result.bpp_mean == pytest.approx(sum(each) / 12, rel=1e-12)
    assert all(rate == pytest.approx(1.5, rel=0.1) for rate in each)
    assert (result.rate, result.off_target) == ("image", 0)


def _decodes_to(stream, shown):
    import io

    import numpy as np
    from PIL import Image

    return np.array_equal(np.array(Image.open(io.BytesIO(stream)).convert("RGB")), shown.permute(1, 2, 0).numpy())


def test_what_was_not_measured_is_none_and_never_0(pictures, spectrum, make_guard, make_world, diary):
    diary.missing = "toy is not installed; pip install toy"
    result = make_world(make_guard(), spectrum(), pictures(4)).only().result
    unmeasured = (
        "bpp_mean bpp_pooled bpp_se bits off_target floor_bpp images images_used errors clean_score score drop "
        "drop_low drop_high score_low score_high codec_version encodes"
    ).split()
    assert {name: getattr(result, name) for name in unmeasured} == dict.fromkeys(unmeasured)
    assert result.settings == ()


def test_a_rate_out_of_reach_has_a_floor_but_no_scores(pictures, spectrum, make_guard, make_world):
    model = spectrum()
    result = make_world(make_guard(("jpeg",), (0.05,)), model, pictures(6)).only().result
    assert result.verdict == "unreachable"
    assert (result.clean_score, result.score, result.drop, result.images_used) == (None,) * 4
    assert result.floor_bpp == pytest.approx(result.bpp_mean)
    assert result.floor_bpp > 0.05
    assert model.seen == []
