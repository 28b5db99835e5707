"""A study from end to end: the number of trainings, their images, and their results."""

from __future__ import annotations

import functools
import random
import sys
from dataclasses import replace
from pathlib import Path

import filelock
import pytest

from compress_guard.records import Cell, CodecSpec, Rate

JPEG, WEBP = CodecSpec("jpeg", "jpeg"), CodecSpec("webp", "webp")
BOTH = ((JPEG, 3.0), (WEBP, 3.0))


def lasting(measured):
    """Return a result without the fields that differ from run to run."""
    return replace(measured.result, seconds=None, trained=None)


def test_a_study_measures_the_original_the_control_and_the_finetuned_model(tiny):
    measured = tiny.only()
    result = measured.result
    assert measured.problem is None
    assert (result.id, result.codec, result.trained_bpp) == ("toys[recovery-jpeg-3.0bpp]", "jpeg", 3.0)
    assert (result.images, result.train_images, result.steps, result.batch, result.seeds) == (24, 12, 3, 4, (0, 1))
    assert (result.trainer, result.device, result.trained) == ("built in", "cpu", 4)
    assert len(result.finetuned_clean_seeds) == 2
    assert result.finetuned_clean == pytest.approx(sum(result.finetuned_clean_seeds) / 2)
    (point,) = result.points
    assert (point.codec, point.bpp, len(point.control_seeds), len(point.finetuned_seeds)) == ("jpeg", 3.0, 2, 2)
    assert point.bpp_mean == pytest.approx(3.0, rel=0.3)


def test_a_drop_too_small_to_divide_by_has_no_share_and_says_so(tiny):
    result = tiny.only(tiny.recovery(min_recovered=0.5)).result
    (point,) = result.points
    assert point.recovered.value is None
    assert "too small to divide by" in point.recovered.reason
    assert (result.verdict, result.outcome) == ("inconclusive", "passed")
    assert point.recovered.reason in result.reason


def test_what_was_trained_is_not_trained_again(tiny):
    recovery = tiny.recovery(BOTH)
    first, again = tiny.measure(recovery), tiny.measure(recovery)
    assert [one.result.trained for one in first] == [4, 2], "controls are shared"
    assert [one.result.trained for one in again] == [0, 0]
    assert list(map(lasting, first)) == list(map(lasting, again))
    assert len(tiny.kept) == 6


@pytest.mark.parametrize(
    "keys",
    [
        {"steps": 4},
        {"batch": 3},
        {"images": 10},
        {"trainer": "M:look"},
        {"trainer": "M:scaled"},
        {"seeds": (2, 3)},
        {"learning_rate": 1e-3},
    ],
)
def test_whatever_decides_the_weights_asks_for_new_ones(tiny, keys):
    tiny.only(tiny.recovery(seeds=(0,)))
    assert tiny.only(tiny.recovery(**{"seeds": (0,)} | keys)).result.trained == 2 * len(keys.get("seeds", (0,)))


def test_another_model_asks_for_new_weights(tiny):
    tiny.only(tiny.recovery(seeds=(0,)))
    text = (tiny.folder / f"{tiny.name}.py").read_text()
    (tiny.folder / f"{tiny.name}.py").write_text(text.replace("manual_seed(3)", "manual_seed(4)  # retrained"))
    del __import__("sys").modules[tiny.name]
    assert tiny.only(tiny.recovery(seeds=(0,))).result.trained == 2


def edited(tiny, old, new):
    """The module of models and trainers as another version has it."""
    path = tiny.folder / f"{tiny.name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    del sys.modules[tiny.name]


@pytest.mark.parametrize(
    ("old", "new"), [("mean((2, 3))", "amax((2, 3))"), ("scaling, factor=1.0", "scaling, factor=2.0")]
)
def test_what_shows_in_no_weight_asks_for_new_weights_too(tiny, old, new):
    recovery = tiny.recovery(seeds=(0,), trainer="M:scaled")
    assert [tiny.only(recovery).result.trained for _ in range(2)] == [2, 0]
    edited(tiny, old, new)
    assert tiny.only(recovery).result.trained == 2


def test_the_code_of_the_network_and_of_a_partial_are_part_of_the_key():
    from torchvision.models import resnet

    from compress_guard.engine.recovery.trainer import source, source_of

    assert source_of(resnet.ResNet) == resnet.__file__
    assert source_of(functools.partial(edited)) == functools.__file__
    assert source_of(int) == ""
    assert source(source_of(edited)) == Path(__file__).read_bytes()
    assert source("") == source("nowhere.py") == b""


def test_random_numbers_of_a_trainer_come_of_the_seed_and_leave_no_trace(tiny):
    import numpy as np

    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 -- what trainers may use
    wanted = random.Random(1).random(), np.random.RandomState(1).rand()
    tiny.only(tiny.recovery(trainer="M:drawing"))
    (first, second, *controls) = tiny.module.TRAINED
    assert controls == [first, second]
    assert all(one != other for one, other in zip(first, second, strict=True))
    assert (random.random(), np.random.rand()) == wanted  # noqa: NPY002


def test_whoever_wants_what_another_process_trains_is_told_to_wait(tiny):
    told, recovery = [], tiny.recovery(seeds=(0,))
    tiny.only(recovery)
    folder = tiny.kept[0].parent

    def progress(what, done, total):
        told.append(what)
        if what.startswith("waiting"):
            lock.release()

    lock = filelock.FileLock(f"{folder}.lock")
    with lock:
        assert tiny.only(recovery, progress=progress).result.trained == 0
    (waited,) = [what for what in told if what.startswith("waiting")]
    assert waited.startswith("waiting for another process that finetunes toys on ")


def test_damaged_weights_are_made_again(tiny):
    recovery = tiny.recovery(seeds=(0,))
    first = tiny.only(recovery)
    data = bytearray(tiny.kept[0].read_bytes())
    data[len(data) // 2] ^= 255
    tiny.kept[0].write_bytes(data)
    again = tiny.only(recovery)
    assert again.result.trained == 1
    assert lasting(again) == lasting(first)


def test_the_model_of_the_guard_and_the_random_numbers_of_the_process_stay_as_they_are(tiny):
    import torch

    session = tiny.session(tiny.recovery())
    session.bench("toys", lambda name, error: None)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    (cell,) = tiny.recovery().cells
    session.measure_recovery(cell, "id", lambda name, error: None, tiny.tell)
    assert torch.equal(before, torch.get_rng_state())
    (model,) = tiny.module.MODELS
    fresh = tiny.module.model()
    given, wanted = model.module.state_dict(), fresh.module.state_dict()
    assert all(torch.equal(given[name], wanted[name]) for name in wanted)
    assert not model.module.training
    session.close()


def test_the_control_sees_the_same_images_in_the_same_order_clean(tiny):
    import torch

    tiny.only(tiny.recovery(trainer="M:look", steps=5, seeds=(0,)))
    finetuned, control = tiny.module.SEEN
    sources = {bytes(image.numpy()): target for image, target, _ in tiny.module.train()}
    assert [len(images) for images, _ in control] == [4] * 5
    for (coded, targets), (clean, same) in zip(finetuned, control, strict=True):
        assert targets == same
        for one, source, target in zip(coded, clean, targets, strict=True):
            assert sources[bytes(source.numpy())] == target
            assert one.dtype == torch.uint8
            assert 0 < (one.float() - source.float()).abs().mean() < 20


def test_every_model_is_tested_at_every_codec_and_rate(tiny):
    points = ((JPEG, 3.0), (JPEG, 5.0), (JPEG, "mixed"), (WEBP, 3.0))
    results = [one.result for one in tiny.measure(tiny.recovery(points, seeds=(0,)))]
    tested = [("jpeg", 3.0), ("jpeg", 5.0), ("webp", 3.0)]
    assert [[(point.codec, point.bpp) for point in result.points] for result in results] == [tested] * 4
    assert [[(point.codec, point.bpp) for point in result.own()] for result in results] == [
        tested[:1],
        tested[1:2],
        tested[:2],
        tested[2:],
    ]
    assert len({tuple(point.compressed for point in result.points) for result in results}) == 1


def test_results_do_not_depend_on_which_cells_are_measured(tiny):
    recovery = tiny.recovery(BOTH, seeds=(0,))
    session = tiny.session(recovery)
    alone = session.measure_recovery(recovery.cells[1], recovery.cells[1].name, lambda name, error: None, tiny.tell)
    session.close()
    assert lasting(alone) == lasting(tiny.measure(recovery)[1])


def test_the_limits_of_the_codecs_decide_how_many_images_are_tested(tiny):
    recovery = tiny.recovery(BOTH, seeds=(0,), limits={JPEG: 9, WEBP: 12})
    first = [one.result for one in tiny.measure(recovery)]
    assert [(one.images, one.limit, one.seed) for one in first] == [(9, 9, 0)] * 2, "one for all codecs"
    (fewer, _) = (one.result for one in tiny.measure(recovery, settings={"limit": 4, "seed": 5}))
    assert (fewer.images, fewer.limit, fewer.seed) == (4, 4, 5)


def test_what_the_gate_tests_is_tested_on_the_very_same_streams(tiny):
    gated = Cell("toys", WEBP, Rate(3.0), None, None, None, 1)
    recovery = tiny.recovery(((WEBP, 1.2), (WEBP, 3.0)), seeds=(0,))
    session = tiny.session(recovery, cells=(gated,))
    gate = session.measure(gated, "gate", lambda name, error: None, tiny.tell).result
    study = session.measure_recovery(recovery.cells[0], "study", lambda name, error: None, tiny.tell).result
    session.close()
    assert (study.points[1].bpp_mean, study.points[1].compressed) == (gate.bpp_mean, gate.score)
    assert study.clean == gate.clean_score


def test_training_images_that_are_tested_too_are_left_out_and_counted(tiny):
    result = tiny.only(tiny.recovery(train="M:twice", trainer="M:look", seeds=(0,))).result
    assert (result.train_images, result.train_tested, result.train_errors) == (8, 3, 1)
    tested = {bytes(image.numpy()) for image, _, _ in tiny.module.data()}
    _, control = tiny.module.SEEN
    assert not any(bytes(image.numpy()) in tested for images, _ in control for image in images)


def test_an_unreachable_rate_is_no_study_and_no_point_of_others(tiny):
    recovery = tiny.recovery(((JPEG, 0.05), (WEBP, 3.0)), seeds=(0,))
    first, second = (one.result for one in tiny.measure(recovery))
    assert (first.verdict, first.outcome, first.trained, first.points) == ("unreachable", "skipped", 0, ())
    assert "jpeg cannot reach 0.05 bpp on these images" in first.reason
    assert [point.codec for point in second.points] == ["webp"]
