"""Evidence of earlier runs: all of it is used if nothing has changed, and none of it otherwise."""

from __future__ import annotations

import errno
import io
import os
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from compress_guard.engine.models import fingerprint
from compress_guard.engine.prediction.earlier_evidence import KeptShard
from compress_guard.engine.single_cell import measure
from compress_guard.errors import ModelError
from compress_guard.records import Evidence, Fingerprint, Slicing
from compress_guard.store import Store

BATCH, IMAGES = 8, 20
MIXED = 16
"""Images of the control among other neighbours: its two whole batches."""
WORK = ("encodes", "check_encodes", "predictions", "remembered", "seconds")
"""Fields that depend on what ran before."""
STATED = Fingerprint("v1")


def looked(cells=1, batch=BATCH, probe=None):
    """Predictions of a run that finds all: the probing batch, and the first of the control and of each cell."""
    return (probe or batch) + batch * (1 + cells)


def without_work(results):
    """Return the fields of results about the model, without the work that they took."""
    return {
        label: {name: value for name, value in result.as_dict().items() if name not in WORK}
        for label, result in results.items()
    }


def predicted(results):
    return sum(result.predictions for result in results.values())


def recalled(results):
    return sum(result.remembered for result in results.values())


class Worlds:
    """Whole runs, one after the other, on one store."""

    def __init__(self, make_world, spectrum, guard, data):
        self._make, self._spectrum, self.guard, self.data = make_world, spectrum, guard, data
        self.runs = 0

    def world(self, *, model=None, data=None, guard=None, batch=BATCH, **settings):
        self.runs += 1
        chosen = guard or self.guard
        settings = {"run": f"run{self.runs}", **settings}
        return self._make(chosen, model or self._spectrum(batch), self.data if data is None else data, **settings)

    def run(self, **changes):
        return self.world(**changes).whole()

    def afresh(self, **changes):
        """Run once more on a store of its own."""
        return self.run(folder=f"store{self.runs}", **changes)


@pytest.fixture
def worlds(pictures, spectrum, diary, make_guard, make_world):
    guard = make_guard(rates=(3.0,), max_drop=20.0, fingerprint=STATED)
    return Worlds(make_world, spectrum, guard, pictures(IMAGES, sizes=[(64, 64), (66, 70)]))


# A second run


def test_a_second_run_asks_the_model_for_first_batches_alone_and_encodes_nothing(worlds, diary, make_guard):
    worlds.guard = make_guard(rates=(0.5, 3.0), max_drop=20.0, fingerprint=STATED)
    first = worlds.run()
    # Probing, clean, three batches of the control, two of them among other neighbours, two cells.
    assert predicted(first) == BATCH + IMAGES + 20 + MIXED + 2 * IMAGES
    assert recalled(first) == 0
    diary.encoded.clear()
    diary.decoded.clear()
    world = worlds.world()
    second = world.whole()
    assert without_work(second) == without_work(first)
    assert len(world.model.images_seen) == predicted(second) == looked(cells=2)
    assert recalled(second) == predicted(first) - looked(cells=2)
    assert (len(diary.encoded), len(diary.decoded)) == (0, 2 * BATCH)
    assert [(result.encodes, result.check_encodes) for result in second.values()] == [(0, 0)] * 2


@pytest.mark.parametrize(
    ("keys", "settings"),
    [
        ({"rate": "image", "rate_tolerance": 0.05}, {}),
        ({"codecs": ("jpeg",), "decoder_swap": True, "rates": (1.0,)}, {}),
        ({"slicings": (Slicing("class", "label"),)}, {}),
        ({"limits": {"toy": 13}}, {}),
        ({"rates": (3.0,)}, {"early_stop": True}),
        ({}, {"limit": 5}),
    ],
    ids=["image mode", "decoder swap", "slices", "limit of the file", "early stop", "fewer images than a batch"],
)
def test_it_says_the_same_in_every_mode(worlds, make_guard, keys, settings):
    guard = make_guard(**{"rates": (0.5, 3.0), "max_drop": 60.0, "fingerprint": STATED, **keys})
    first = worlds.run(guard=guard, **settings)
    second = worlds.run(guard=guard, **settings)
    assert without_work(second) == without_work(first)
    assert all(result.drop is not None for result in first.values())
    assert sum(result.encodes for result in second.values()) == 0
    cells = len(first) * (2 if keys.get("decoder_swap") else 1)
    assert predicted(second) == looked(cells, batch=min(BATCH, settings.get("limit", BATCH)), probe=BATCH)
    if keys.get("decoder_swap"):
        assert all(result.swap_score is not None for result in second.values())


def test_it_says_the_same_of_detections_where_some_images_have_none(make_guard, make_world, pictures, diary):
    class Detector:
        batch_size = 4

        def __call__(self, images):
            return [self.found(int(image[0, 0, 0]) % 3, float(image.float().mean())) for image in images]

        def found(self, count, level):
            boxes = torch.tensor([[2.0 + at, 3.0, 40.0 + at, level / 3 + 10] for at in range(count)]).reshape(-1, 4)
            return {"boxes": boxes, "scores": torch.linspace(0.9, 0.4, count), "labels": torch.ones(count).long()}

    def target(at):
        boxes = torch.tensor([[2.0, 3.0, 40.0, 45.0]] * (at % 2)).reshape(-1, 4)
        return {"boxes": boxes, "labels": torch.ones(at % 2).long()}

    data = [(image, target(at), name) for at, (image, _, name) in enumerate(pictures(10))]
    guard = make_guard(rates=(2.0,), task="detection", metric="map", fingerprint=STATED)
    first, second = (make_world(guard, Detector(), data, run=f"run{run}").whole() for run in range(2))
    assert without_work(second) == without_work(first)
    assert first["toy-2.0bpp"].clean_score > 0
    assert predicted(second) == looked(batch=4)


def test_a_further_rate_costs_its_own_images_alone(worlds, make_guard):
    few, more = (make_guard(rates=rates, max_drop=20.0, fingerprint=STATED) for rates in ((0.5, 3.0), (0.5, 1.5, 3.0)))
    worlds.run(guard=few)
    second = worlds.run(guard=more)
    assert without_work(second) == without_work(worlds.afresh(guard=more))
    assert predicted(second) <= looked(cells=2) + IMAGES + 2 * IMAGES
    assert second["toy-1.5bpp"].predictions == IMAGES


def test_without_a_store_that_outlasts_the_run_nothing_is_vouched_for(worlds):
    worlds.run(folder="runs", run="runs")
    again = worlds.run(folder="runs", run="runs")
    assert predicted(again) == 3 * IMAGES + MIXED
    assert [result.remembered for result in again.values()] == [None]


def test_what_another_process_of_the_run_made_is_no_earlier_run_s(worlds):
    first, second = (worlds.run(run="one", shared=True) for _ in range(2))
    assert without_work(first) == without_work(second)
    assert predicted(second) == BATCH
    assert recalled(second) == 0


# Models without a fingerprint


def test_a_model_that_nothing_vouches_for_is_asked_again(worlds, spectrum, make_guard):
    guard = make_guard(rates=(3.0,))
    first, again = (worlds.run(guard=guard) for _ in range(2))
    assert predicted(first) == predicted(again) == 3 * IMAGES + MIXED
    changed = worlds.run(guard=guard, model=spectrum(BATCH, head=(3, 2, 1, 0)))
    assert changed["toy-3.0bpp"].clean_score < first["toy-3.0bpp"].clean_score
    assert [result.remembered for result in again.values()] == [None]
    assert not any(result.model_moved for result in changed.values())
    assert sum(result.encodes for result in again.values()) == 0


# Whatever changes


SURROUNDINGS = {
    "torch": lambda patch: patch.setattr(fingerprint.metadata, "version", lambda name: f"{name} 99"),
    "the gate's version": lambda patch: patch.setattr(fingerprint, "__version__", "9.9"),
    "the gate's code": lambda patch: patch.setattr(fingerprint, "_code", lambda: "other lines"),
    "the GPU": lambda patch: patch.setattr(fingerprint, "device_name", lambda device: f"{device} (NVIDIA H200)"),
    "the processor": lambda patch: patch.setattr(fingerprint, "processor", lambda: "another one"),
    "vector instructions": lambda patch: patch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2000"),
    "threads": lambda patch: patch.setattr(torch, "get_num_threads", lambda: 99),
    "the default dtype": lambda patch: patch.setattr(torch, "get_default_dtype", lambda: torch.float64),
    "oneDNN": lambda patch: patch.setattr(type(torch.backends.mkldnn), "enabled", False),
    "oneDNN's determinism": lambda patch: patch.setattr(type(torch.backends.mkldnn), "deterministic", "perhaps"),
    "deterministic algorithms": lambda patch: patch.setattr(
        torch, "are_deterministic_algorithms_enabled", lambda: "perhaps"
    ),
}


@pytest.mark.parametrize("what", SURROUNDINGS)
def test_other_surroundings_find_nothing_and_no_fault_with_the_model(worlds, monkeypatch, what):
    first = worlds.run()
    SURROUNDINGS[what](monkeypatch)
    second = worlds.run()
    assert (recalled(second), predicted(second)) == (0, predicted(first))
    assert without_work(second) == without_work(first)


@pytest.mark.skipif(not hasattr(torch.backends, "fp32_precision"), reason="this torch has the older names alone")
def test_precisions_set_by_their_newer_names_are_told_apart(worlds):
    # torch refuses to read the older names from then on.
    before = torch.backends.cuda.matmul.fp32_precision
    worlds.run()
    try:
        torch.backends.cuda.matmul.fp32_precision = "tf32"
        assert recalled(worlds.run()) == 0
    finally:
        torch.backends.cuda.matmul.fp32_precision = before


def test_which_of_several_equal_gpus_it_is_makes_no_difference(monkeypatch):
    monkeypatch.setattr(fingerprint, "device_name", lambda device: f"{device} (NVIDIA H200)")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 90000)
    zero, one = (tuple(fingerprint._surroundings(device)) for device in ("cuda:0", "cuda:1"))
    assert zero == one
    assert "cudaNVIDIA H200)" in zero
    for flag in ("enabled", "benchmark", "deterministic"):
        with monkeypatch.context() as patch:
            patch.setattr(type(torch.backends.cudnn), flag, "other")
            assert tuple(fingerprint._surroundings("cuda:0")) != zero


def test_another_batch_size_finds_nothing(worlds):
    worlds.run()
    assert recalled(worlds.run(batch=BATCH - 1)) == 0


def test_another_factory_or_task_is_another_model(worlds):
    worlds.run()
    assert recalled(worlds.run(guard=replace(worlds.guard, model="m:other"))) == 0


def a_pixel(data):
    """Change the last image."""
    image, label, name = data[-1]
    changed = image.clone()
    changed[1, 5, 5] ^= 1
    return [*data[:-1], (changed, label, name)]


def a_target(data):
    image, label, name = data[-1]
    return [*data[:-1], (image, (label + 1) % 4, name)]


def an_id(data):
    return [*data[:-1], (*data[-1][:2], "renamed")]


def the_order(data):
    return [*data[:-2], data[-1], data[-2]]


def one_less(data):
    return data[:-1]


@pytest.mark.parametrize("change", [a_pixel, a_target, an_id, the_order, one_less])
def test_batches_of_which_an_image_changed_are_predicted_again(worlds, change):
    first = worlds.run()
    changed = change(worlds.data)
    second = worlds.run(data=changed)
    assert without_work(second) == without_work(worlds.afresh(data=changed))
    # Only the last batch has changed, in clean images, control and cells, and what plans made of it; if it was probed,
    # all has.
    assert predicted(second) >= BATCH + 3 * (len(changed) % BATCH)
    assert recalled(second) + predicted(second) == predicted(first) - 3 * (IMAGES - len(changed))
    assert not any(result.model_moved for result in second.values())


def test_a_target_that_changed_changes_the_score(worlds):
    before, after = (worlds.run(data=data)["toy-3.0bpp"] for data in (worlds.data, a_target(worlds.data)))
    assert abs(before.clean_score - after.clean_score) == pytest.approx(100 / IMAGES)


def test_another_codec_version_is_coded_predicted_and_said(worlds, diary):
    first = worlds.run()
    diary.version = "2"
    diary.encoded.clear()
    second = worlds.run()
    moved = {
        label: {**values, "codec_moved": "1", "codec_version": "2"} for label, values in without_work(first).items()
    }
    assert without_work(second) == moved
    assert diary.encoded
    assert predicted(second) == 2 * BATCH + IMAGES
    assert worlds.run()["toy-3.0bpp"].codec_moved is None


def test_other_options_of_a_codec_find_nothing_of_its_images(worlds, make_guard, diary):
    worlds.run()
    diary.encoded.clear()
    tagged = make_guard(rates=(3.0,), max_drop=20.0, fingerprint=STATED, options=(("tag", "x"),))
    second = worlds.run(guard=tagged)
    assert diary.encoded
    assert predicted(second) == 2 * BATCH + IMAGES


def test_another_seed_is_planned_again_and_says_the_same_as_afresh(worlds):
    worlds.run()
    assert without_work(worlds.run(seed=3)) == without_work(worlds.afresh(seed=3))


# Models that are not what they say


def test_a_model_that_changed_by_a_millionth_under_its_old_fingerprint_is_found_out(worlds, spectrum: Any):
    class Nudged(spectrum):
        def scores(self, image):
            return super().scores(image) * (1 + 1e-6)

    first = worlds.run()
    second = worlds.run(model=Nudged(BATCH))
    assert [result.model_moved for result in (*first.values(), *second.values())] == [False, True]
    assert (recalled(second), predicted(second)) == (0, predicted(first))
    third = worlds.run(model=Nudged(BATCH))
    assert not any(result.model_moved for result in third.values())
    assert predicted(third) == looked()
    back = worlds.run()
    assert without_work(back) == {
        label: {**values, "model_moved": True} for label, values in without_work(first).items()
    }
    assert predicted(back) == looked()


def test_what_was_there_before_is_the_same_for_all_processes_of_a_run_and_after_a_kill(worlds, spectrum):
    def changed():
        return spectrum(BATCH, head=(3, 2, 1, 0))

    worlds.run()
    for _ in range(2):
        (result, *_) = worlds.world(model=changed(), run="killed").run().values()
        assert result.result.model_moved
    resumed = worlds.run(model=changed())
    assert all(result.model_moved for result in resumed.values())
    assert (predicted(resumed), recalled(resumed)) == (looked(), 3 * IMAGES + MIXED - 2 * BATCH)
    assert not any(result.model_moved for result in worlds.run(model=changed()).values())


def test_another_fingerprint_finds_nothing_and_says_nothing(worlds, spectrum):
    worlds.run()
    released = replace(worlds.guard, fingerprint=Fingerprint("v2"))
    second = worlds.run(guard=released, model=spectrum(BATCH, head=(3, 2, 1, 0)))
    assert recalled(second) == 0
    assert not any(result.model_moved for result in second.values())


def test_files_count_by_their_content(worlds, tmp_path):
    for name in ("weights.bin", "network.py"):
        (tmp_path / name).write_text("one")
    guard = replace(worlds.guard, fingerprint=Fingerprint(files=("weights.bin", "network.py")))
    worlds.run(guard=guard)
    turned = replace(worlds.guard, fingerprint=Fingerprint(files=("network.py", "weights.bin")))
    assert predicted(worlds.run(guard=turned)) == looked()
    (tmp_path / "network.py").write_text("two")
    assert recalled(worlds.run(guard=guard)) == 0
    (tmp_path / "network.py").write_text("one")
    (tmp_path / "weights.bin").rename(tmp_path / "renamed.bin")
    renamed = replace(worlds.guard, fingerprint=Fingerprint(files=("renamed.bin", "network.py")))
    assert recalled(worlds.run(guard=renamed)) == 0


@pytest.mark.parametrize(("make", "why"), [(None, "No such file or directory"), ("folder", "Is a directory")])
def test_a_file_that_cannot_be_read_is_an_error_of_the_guard(worlds, tmp_path, make, why):
    if make:
        (tmp_path / "gone.bin").mkdir()
    results = worlds.run(guard=replace(worlds.guard, fingerprint=Fingerprint(files=("gone.bin",))))
    assert {(result.verdict, result.reason) for result in results.values()} == {
        (
            "error",
            f"fingerprint: the file gone.bin cannot be read ({why}); expected a file that holds (part of) the model, "
            "named from the folder of the thresholds file",
        )
    }


def test_a_model_that_is_not_deterministic_is_no_better_off(worlds, spectrum: Any):
    class Dropout(spectrum):
        def scores(self, image):
            return super().scores(image) * torch.rand(4)

    for _ in range(2):
        results = worlds.run(model=Dropout(BATCH))
        assert all(result.verdict == "error" for result in results.values())
        assert recalled(results) == 0


# Images that are lost


def test_an_image_that_cannot_be_read_does_not_become_the_probing_batch(worlds, spectrum, pictures, make_guard):
    data = pictures(3)
    guard = make_guard(rates=(3.0,), max_error_share=0.7, fingerprint=STATED)
    for broken in range(3):
        given = [
            ("no image", label, name) if at == broken else (image, label, name)
            for at, (image, label, name) in enumerate(data)
        ]
        certain = worlds.run(guard=guard, data=given, model=spectrum(1), folder=f"certain{broken}")["toy-3.0bpp"]
        without = worlds.run(guard=replace(guard, fingerprint=None), data=given, model=spectrum(1))["toy-3.0bpp"]
        assert certain.images_used == 2
        assert without_work({"": certain}) == without_work({"": without})


def test_no_image_at_all_is_the_error_that_it_always_is(worlds):
    broken = [("no image", label, name) for _, label, name in worlds.data]
    certain, without = (
        worlds.run(guard=replace(worlds.guard, fingerprint=fingerprint), data=broken) for fingerprint in (STATED, None)
    )
    assert [one.reason for one in certain.values()] == [one.reason for one in without.values()]


def test_what_was_lost_gets_a_second_look_and_is_counted_again(worlds, diary, make_guard):
    guard = make_guard(rates=(3.0,), max_error_share=0.3, fingerprint=STATED)
    diary.broken = lambda picture, setting: picture == 3
    first, second = (worlds.run(guard=guard) for _ in range(2))
    assert without_work(first) == without_work(second)
    assert first["toy-3.0bpp"].errors == 1
    # The cell's first batch lost an image and was kept by no run; the second one stands for it.
    assert predicted(second) == looked() + BATCH - 1
    diary.broken = lambda picture, setting: False
    mended = worlds.run(guard=guard)["toy-3.0bpp"]
    assert (mended.errors, mended.images_used) == (0, IMAGES)


# Entries that are damaged, foreign or missing


def entries(worlds, *kinds):
    return sorted(path for kind in kinds for path in (worlds.world().settings.store_folder / kind).glob("*/*"))


@pytest.mark.parametrize("kind", ["streams", "plans", "evidence", "versions"])
def test_damaged_entries_are_dropped_and_made_again(worlds, kind):
    first = worlds.run()
    choice = random.Random(5)
    paths = entries(worlds, kind)
    whole = [path.read_bytes() for path in paths]
    for number, (path, data) in enumerate(zip(paths, whole, strict=True)):
        at = choice.randrange(len(data))
        flipped = data[:at] + bytes([data[at] ^ 1 << choice.randrange(8)]) + data[at + 1 :]
        path.write_bytes((flipped, data[:at], b"", whole[number - 1] if number else b"foreign")[number % 4])
    assert without_work(worlds.run()) == without_work(first)
    again = worlds.run()
    assert without_work(again) == without_work(first)
    assert predicted(again) == looked()


class Bomb:
    def __reduce__(self):
        return os._exit, (3,)


def an_archive_with_a_bomb():
    archive = io.BytesIO()
    np.savez_compressed(archive, ids=np.array(["t00"]), names=np.array([Bomb()], dtype=object))
    return archive.getvalue()


@pytest.mark.parametrize("kind", ["plans", "evidence", "versions"])
def test_entries_of_another_making_are_never_trusted_or_unpickled(worlds, kind):
    """The checksums are right: another program wrote the entries under our names."""
    first = worlds.run()
    store = Store(worlds.world().settings.store_folder)
    head = (16 + 4) * b"\0" if kind == "evidence" else b""
    payloads = (an_archive_with_a_bomb(), b"junk" * 50, b'{"rates": 3}', b"")
    for number, path in enumerate(entries(worlds, kind)):
        store.put(path.parent.name + path.name, head + payloads[number % 4], kind)
    second = worlds.run()
    if kind == "versions":  # which generation it is stands there too: of another one, nothing is used
        assert all(result.model_moved for result in second.values())
        assert (predicted(second), recalled(second)) == (predicted(first), 0)
        second = worlds.run()
    assert without_work(second) == without_work(first)


def test_evidence_of_other_images_under_our_name_is_not_used(worlds):
    first = worlds.run()
    store = Store(worlds.world().settings.store_folder)
    foreign = Evidence(("x",), ({"top1": np.array(1, np.uint8)},))
    for path in entries(worlds, "evidence"):
        entry = KeptShard.from_bytes(store.get(path.parent.name + path.name, "evidence"))
        other = replace(entry, run=bytes(16), predicted=replace(entry.predicted, evidence=foreign))
        store.put(path.parent.name + path.name, other.to_bytes(), "evidence")
    second = worlds.run()
    assert without_work(second) == without_work(first)
    assert recalled(second) == 0


@pytest.mark.parametrize("kinds", [("evidence",), ("streams", "plans", "evidence")])
def test_whatever_is_missing_is_made_again(worlds, kinds):
    first = worlds.run()
    for path in entries(worlds, *kinds)[::2]:
        path.unlink()
    assert without_work(worlds.run()) == without_work(first)


@pytest.mark.parametrize("after", [0, 7, 60])
def test_a_disk_that_fills_up_changes_no_result(worlds, monkeypatch, after):
    expected = without_work(worlds.afresh())
    real, written = os.fdopen, []

    def full(handle, mode):
        written.append(handle)
        if len(written) > after:
            os.close(handle)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", full)
        first, second = worlds.run(), worlds.run()
    assert len(written) > after
    assert without_work(first) == expected
    assert without_work(second) == expected
    assert without_work(worlds.run()) == expected


def test_a_folder_that_cannot_be_made_changes_no_result(worlds, tmp_path):
    expected = without_work(worlds.afresh())
    (tmp_path / "file").write_text("in the way")
    assert without_work(worlds.run(folder="file")) == expected


def test_what_the_cap_drops_is_made_again(worlds, diary):
    first = worlds.run()
    world = worlds.world(store_cap=20_000)
    assert world.settings.store().trim() > 0
    diary.encoded.clear()
    second = world.whole()
    assert without_work(second) == without_work(first)
    assert sum(result.encodes for result in second.values()) > 0
    assert diary.encoded
    world.settings.store().trim()
    kept = entries(worlds, "streams", "plans", "evidence", "versions")
    assert 0 < sum(path.stat().st_size for path in kept) <= 20_000


# Without a thresholds file


def test_measure_takes_a_fingerprint(pictures, spectrum, tmp_path):
    def measured(model, **keys):
        wanted = {"task": "classification", "codec": "jpeg", "bpp": 1.0, "workers": 1, "device": "cpu"}
        return measure(model, pictures(IMAGES), cache=tmp_path / "cache", **wanted, **keys)

    first, second = (measured(spectrum(BATCH), fingerprint="v1") for _ in range(2))
    assert without_work({"": first}) == without_work({"": second})
    assert (second.encodes, second.predictions, second.remembered) == (0, looked(), 3 * IMAGES + MIXED - 2 * BATCH)
    assert measured(spectrum(BATCH, head=(3, 2, 1, 0)), fingerprint="v1").model_moved
    # Where nothing is remembered the first clean batch is asked again at the end.
    assert measured(spectrum(BATCH)).predictions == 3 * IMAGES + MIXED + BATCH


def test_an_error_of_the_model_while_it_is_probed_is_the_guard_s(worlds):
    def fails(images):
        raise ValueError("out of memory")

    world = worlds.world(model=fails)
    measured = world.run()["toy-3.0bpp"]
    assert measured.result.verdict == "error"
    assert isinstance(measured.problem, ModelError)
    assert measured.result.reason == "the model raised ValueError: out of memory"
