"""compress_guard.measure: one cell without a file and without pytest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import compress_guard
from compress_guard.errors import CodecError, CodecUnavailable, DataError, ModelError, OptionError, UsageError

VARIES = {"seconds", "encodes"}


@pytest.fixture
def measured(pictures, spectrum):
    def run(model=None, data=None, **wanted):
        wanted = {"task": "classification", "codec": "webp", "bpp": 1.0, "device": "cpu", "workers": 1, **wanted}
        return compress_guard.measure(
            spectrum() if model is None else model, pictures(12) if data is None else data, **wanted
        )

    return run


def values(result):
    return {key: value for key, value in result.as_dict().items() if key not in VARIES}


def test_a_result_without_a_limit_is_unjudged_and_complete(measured):
    result = measured()
    assert (result.verdict, result.task, result.metric, result.codec) == ("unjudged", "classification", "top1", "webp")
    assert (result.images, result.images_used, result.errors) == (12, 12, 0)
    # Clean, through a lossless codec, 8 among other neighbours, compressed, and the first clean batch again.
    assert result.predictions == 12 + 12 + 8 + 12 + 8
    assert result.bpp_mean == pytest.approx(1.0, rel=0.03)
    assert result.drop == pytest.approx(result.clean_score - result.score)
    assert result.drop_low <= result.drop <= result.drop_high
    assert (result.device, result.rate, result.confidence, result.seed) == ("cpu", "dataset", 0.95, 0)


def test_the_same_question_has_the_same_answer(measured, tmp_path):
    first = values(measured(cache=tmp_path / "cache"))
    assert values(measured()) == first
    assert values(measured(cache=tmp_path / "cache")) == first
    assert values(measured(cache=str(tmp_path / "cache"), workers=3)) == first


def test_a_cache_spares_the_encoder_and_ignores_itself_in_git(measured, tmp_path):
    assert measured(cache=tmp_path / "cache").encodes > 0
    assert measured(cache=tmp_path / "cache").encodes == 0
    assert (tmp_path / "cache" / ".gitignore").read_text().splitlines()[-1] == "*"


def test_nothing_is_left_behind_without_a_cache(measured, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    measured()
    with pytest.raises(ModelError):
        measured(model=lambda images: None)
    assert list(tmp_path.iterdir()) == []


def test_what_was_asked_for_is_what_is_measured(measured):
    with pytest.warns(UserWarning, match="^top5 of 4 scores is 100 "):
        result = measured(
            codec="jpeg", bpp=2, rate="image", metric="top5", max_drop=30, min_score=10, confidence=0.9, limit=8, seed=3
        )
    assert (result.codec, result.target_bpp, result.rate, result.metric) == ("jpeg", 2.0, "image", "top5")
    assert (result.max_drop, result.min_score, result.confidence, result.seed) == (30, 10, 0.9, 3)
    assert (result.images, result.limit, result.verdict) == (8, 8, "pass")


def test_options_reach_the_codec(measured):
    plain, hasty = measured(), measured(options={"method": 0})
    assert plain.settings != hasty.settings


def test_pil_images_and_rows_without_ids_will_do(measured, pictures):
    from PIL import Image

    tensors = [(image, label) for image, label, _ in pictures(12)]
    pil = [(Image.fromarray(image.permute(1, 2, 0).numpy()), label) for image, label in tensors]
    assert values(measured(data=pil)) == values(measured(data=tensors))


def test_a_failed_gate_is_an_answer_and_no_exception(measured):
    result = measured(bpp=0.3, min_score=99)
    assert (result.verdict, result.outcome) == ("fail", "failed")
    assert measured(codec="jpeg", bpp=0.05).verdict == "unreachable"


def test_an_allowed_failure_is_counted(measured, pictures):
    data = pictures(10)
    data[4] = None
    result = measured(data=data, max_error_share=0.1)
    assert (result.images, result.images_used, result.errors, result.error_ids) == (10, 9, 1, ("4",))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"task": "clasify"}, "unknown task 'clasify'"),
        ({"codec": "jpg"}, "unknown codec 'jpg', did you mean 'jpeg'? known: "),
        ({"metric": "top2"}, "unknown metric of classification 'top2', did you mean 'top5'? known: top1, top5"),
        ({"bpp": 20}, "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality=20?"),
        ({"bpp": 0.01}, "rate 0.01 bpp is outside 0.02 to 8; use a rate in that range"),
        ({"confidence": 95}, "confidence 95 is outside 0.5 to 1 (0.5 and 1 excluded); 0.95 is usual"),
        ({"rate": "mean"}, "unknown rate mode 'mean'; known: dataset, image"),
        ({"rate_tolerance": 2}, "rate tolerance 2 is outside 0 to 0.5 (0 excluded); it is relative, 0.02 means 2 %"),
        ({"limit": 0}, "limit is 0; expected a whole number of at least 1, or None for all images"),
        ({"limit": 2.5}, "limit is 2.5; expected a whole number of at least 1, or None for all images"),
        ({"max_error_share": 1}, "max_error_share 1 is outside 0 to 1 (1 excluded); 0 allows no failure"),
        ({"max_drop": -1}, "max_drop -1 is outside 0 to 100; give it in points"),
        ({"min_score": 200}, "min_score 200 is outside 0 to 100; give it in points"),
        ({"min_clean": -5}, "min_clean -5 is outside 0 to 100; give it in points"),
        ({"options": {"speed": 1}}, "unknown option of codec webp 'speed'; known: metadata, method, preset, sharp_yuv"),
        ({"options": {"method": [4]}}, "method must be "),
    ],
)
def test_questions_without_sense(wanted, message, measured):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        measured(**wanted)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            {"max_dorp": 1},
            "unknown keyword 'max_dorp', did you mean 'max_drop'? known: baseline, bpp, cache, codec, confidence, "
            "decoders, device, fingerprint, groups, limit, max_decoder_drop, max_drop, max_error_share, "
            "max_regression, metric, min_clean, min_score, on_inconclusive, on_unavailable, on_unreachable, options, "
            "orientation, quality, rate, rate_tolerance, reference, seed, task, workers",
        ),
        (
            {"codec": "command"},
            "codec 'command' needs encoder, decoder, settings; give them in options={...}, or a codec of its own under "
            "codecs in thresholds.yaml",
        ),
        ({"on_inconclusive": "skip"}, "on_inconclusive is 'skip'; expected pass, fail or point"),
        ({"on_unreachable": True}, "on_unreachable is True; expected skip or fail"),
        ({"on_unavailable": "pass"}, "on_unavailable is 'pass'; expected skip or fail"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_keywords_without_sense(wanted, message, measured):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        measured(**wanted)


def test_a_policy_settles_what_the_verdict_leaves_open(measured):
    assert measured(codec="jpeg", bpp=0.05, max_drop=9).outcome == "skipped"
    assert measured(codec="jpeg", bpp=0.05, max_drop=9, on_unreachable="fail").outcome == "failed"


def test_a_device_that_is_none(measured):
    with pytest.raises(UsageError, match=r"^device: unknown device 'gpu'; use auto, cpu, cuda or cuda:N$"):
        measured(device="gpu")


def test_problems_are_raised_as_what_they_are(measured, pictures, diary):
    with pytest.raises(ModelError, match="^model: returned a str; expected a predictor"):
        measured(model="weights.pt")
    with pytest.raises(DataError, match="^data: has no images; expected at least one$"):
        measured(data=[])
    with pytest.raises(DataError, match="^none of the 1 samples can be used; the first: sample 0 is an int; expected"):
        measured(data=[3])
    diary.broken = lambda picture, setting: picture == 1
    with pytest.raises(CodecError, match="^1 of 12 images failed, .* image t01: toy cannot decode picture 1$"):
        measured(codec="toy")
    diary.missing = "toy is not installed; pip install toy"
    with pytest.raises(CodecUnavailable, match="^toy is not installed; pip install toy$"):
        measured(codec="toy")


def test_a_cache_that_cannot_be_written_changes_no_number(measured, tmp_path):
    blocked = tmp_path / "blocked"
    Path(blocked).write_text("a file")
    assert values(measured(cache=blocked)) == values(measured())
