"""The result of a cell is composed of parts, and flat in files and to its readers."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest

from compress_guard.records import CellResult, DecoderSwap, EarlierRuns, LossFigures, Scores, SliceResult, WorkDone

ORDER = (
    "id guard task metric codec target_bpp verdict outcome settled_by reason rate device seed confidence "
    "target_quality bpp_mean bpp_pooled bpp_se bits bits_difference bits_checked reconstruction_difference settings "
    "steps "
    "mixed off_target floor_bpp metadata_images metadata_bpp rate_tolerance limit images images_used groups errors "
    "error_ids crop_emptied turned orientation boxes_outside flat dark near_equal reference clean_score score drop "
    "drop_low drop_high score_low score_high max_drop min_score min_clean clean_low clean_high clean_remark traffic "
    "doubts limit_places waived waived_until limit_line "
    "interval_confidence correction stopped_early resolvable_drop unseen_drop images_needed groups_needed "
    "design_effect changed harmful_flips helpful_flips worst worst_images names_remark class_scores slices source_bpp "
    "lossy_sources sources_looked "
    "control_images control_changed control_mixed control_mixed_changed swap_decoder swap_score swap_remark "
    "decoder decoder_version first_decoder decoder_drop decoder_drop_low "
    "decoder_drop_high max_decoder_drop decoder_difference_max decoder_difference_mean "
    "baseline_images baseline_paired baseline_score regression regression_low regression_high max_regression "
    "drop_change drop_change_low drop_change_high baseline_remark "
    "codec_version codec_moved codec_device codec_remark "
    "checked device_difference psnr_mean psnr_median outlier_count outliers encodes check_encodes predictions "
    "remembered data_remark model_moved decoder_moved seconds"
).split()
"""The keys of a cell in a results file, in their order there."""

NO_TEXT = {"target_bpp": 1.0, "verdict": "pass", "outcome": "passed", "settled_by": "interval", "rate": "dataset"}


@pytest.fixture
def result() -> CellResult:
    names = ("id", "guard", "task", "metric", "codec", "reason", "device")
    return CellResult(
        **dict.fromkeys(names, "x"),
        **NO_TEXT,
        seed=0,
        confidence=0.95,
        scores=Scores(clean_score=90.0, score=80.0, drop=10.0),
        losses=LossFigures(changed=3, worst=(("a", 0.5),), slices=(SliceResult("size", "small", 9, 0.95, "pass"),)),
        earlier=EarlierRuns(remembered=5, model_moved=True),
        work=WorkDone(encodes=1.5, seconds=2.0),
    )


def parts(result):
    """Return the parts of a result by the names of its fields."""
    values = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    return {name: value for name, value in values.items() if dataclasses.is_dataclass(value)}


def test_keys_of_a_file_keep_their_order(result):
    assert list(result.as_dict()) == ORDER
    assert list(CellResult.field_names()) == ORDER


def test_every_field_of_a_part_is_read_on_the_result_and_belongs_to_one_part(result):
    names = [field.name for part in parts(result).values() for field in dataclasses.fields(part)]
    own = [field.name for field in dataclasses.fields(result) if field.name not in parts(result)]
    assert sorted([*own, *names]) == sorted(ORDER)
    for part in parts(result).values():
        for field in dataclasses.fields(part):
            assert getattr(result, field.name) is getattr(part, field.name)


def test_flat_values_make_the_result_again(result):
    assert CellResult.from_fields({name: getattr(result, name) for name in ORDER}) == result
    assert CellResult.from_dict(json.loads(json.dumps(result.as_dict()))) == result
    assert pickle.loads(pickle.dumps(result)) == result
    assert hash(result) == hash(dataclasses.replace(result))


def test_an_older_file_has_fewer_keys(result):
    older = {name: value for name, value in result.as_dict().items() if name in ORDER[:20]}
    read = CellResult.from_dict(older)
    assert (read.drop, read.slices, read.model_moved, read.codec) == (None, (), False, "x")


def test_neither_the_result_nor_a_part_can_be_changed(result):
    # Frozen classes with slots raise TypeError for names that are no fields, see dataclasses.
    with pytest.raises((AttributeError, TypeError)):
        result.drop = 0.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.scores.drop = 0.0


def test_texts_of_parts_are_printable(result):
    changed = dataclasses.replace(result, swap=DecoderSwap("turbo\x1b[2J"), losses=LossFigures(worst=(("a\nb", 1.0),)))
    assert changed.swap_decoder == r"turbo\x1b[2J"
    assert changed.worst == ((r"a\x0ab", 1.0),)
