"""Codecs with planted faults: none may pass for a model that got worse, and what is right must not be accused."""

from __future__ import annotations

import re

import pytest
import torch

import compress_guard
from compress_guard.codecs.contract import Proof, RealStreams
from compress_guard.engine.cells import guard_codecs
from compress_guard.engine.coding.available import build_codec
from compress_guard.engine.coding.watch import SAMPLED, sample
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import CodecError
from compress_guard.records import PlannedRate, Rate


def decoding(change):
    """A method `decode` that applies `change` to (image, number of the decode so far, images in this call)."""
    calls = []

    def decode(self, streams, workers=1):
        images = super(type(self), self).decode(streams, workers)
        for number in range(len(images)):
            calls.append(number)
            images[number] = change(images[number], len(calls), len(images))
        return images

    return decode


def inverted(image):
    return 255 - image


def with_a_speck(image, size=1, levels=40):
    """The image with a square of other values in a corner."""
    image = image.clone()
    image[:, -size:, -size:] = image[:, -size:, -size:] ^ levels
    return image


def tinted(image):
    """Other colours of the same luma: what 23 levels of red add, 60 of blue take away."""
    return (image.int() + torch.tensor([23, 0, -60])[:, None, None]).clamp(0, 255).to(torch.uint8)


# What is right


def test_a_sound_codec_is_decoded_again_and_encoded_no_more(diary, pictures, spectrum, make_guard, make_world):
    guard, data = make_guard(rates=(1.0, 3.0)), pictures(10)
    found = make_world(guard, spectrum(), data).run()
    made = len(diary.encoded)
    assert made == len(set(diary.encoded))
    diary.decoded.clear()
    again = make_world(guard, spectrum(), data).run()
    assert len(diary.encoded) == made
    # The first cell compares a sample at the highest rate of the file too, for all cells.
    assert len(diary.decoded) == 2 * (10 + SAMPLED) + SAMPLED
    for measured in (*found.values(), *again.values()):
        result = measured.result
        assert (result.checked, result.check_encodes, result.codec_device, result.codec_remark) == (3, 0, "cpu", None)
        assert (result.bits, result.bits_difference, result.bits_checked) == ("coded", None, None)
        assert (result.device_difference, result.reconstruction_difference) == (None, None)


def test_fewer_images_than_the_sample_are_all_checked(diary, pictures, spectrum, make_guard, make_world):
    result = make_world(make_guard(), spectrum(), pictures(2)).only().result
    assert result.checked == 2


def test_rounding_otherwise_in_a_batch_is_no_fault(plant, pictures, spectrum, make_guard, make_world):
    plant(decode=decoding(lambda image, call, count: with_a_speck(image, 9, 1) if count > 1 else image))
    result = make_world(make_guard(), spectrum(), pictures(10)).only().result
    assert (result.verdict, result.checked) == ("pass", 3)


def test_the_sample_holds_the_dearest_image_and_others_at_both_settings_of_a_mix():
    ids = [f"i{at}" for at in range(40)]
    chosen = set()
    for target in (at / 20 for at in range(2, 42)):
        planned = PlannedRate(
            point=Rate(target),
            settings=tuple(None if at == 7 else float(at % 2) for at in range(40)),
            lengths=(None,) * 40,
            bpp=tuple(None if at == 7 else 5.0 if at == 11 else 1.0 for at in range(40)),
            reachable=True,
            floor=None,
            off_target=0,
            mixed=False,
            encodes=1.0,
        )
        found = sample(planned, ids, 0)
        assert found == sample(planned, ids, 0)
        assert len(found) == SAMPLED
        assert 11 in found
        assert 7 not in found
        chosen |= found
    assert len(chosen) > 5
    assert {at % 2 for at in chosen - {11}} == {0, 1}


# Planted faults


def accused(measured):
    """The reason of a cell that was rightly taken from the model's account."""
    result = measured.result
    assert (result.verdict, result.outcome, result.settled_by) == ("codec_error", "failed", "policy"), result.reason
    assert (result.score, result.drop, result.images_used, result.psnr_mean) == (None,) * 4
    assert isinstance(measured.problem, CodecError)
    assert result.reason.endswith("; the codec is at fault, so the model was not judged")
    return result.reason


@pytest.mark.parametrize("every", [2, 3, 4])
def test_a_decoder_that_fails_now_and_then(every, plant, pictures, spectrum, make_guard, make_world):
    plant(decode=decoding(lambda image, call, count: image if call % every else inverted(image)))
    reason = accused(make_world(make_guard(max_drop=1.0), spectrum(), pictures(12)).only())
    pattern = (
        r"^image t\d\d at setting \d+ of toy, decoded twice on cpu: \d+ of \d+ pixels differ, by up to \d+ levels;"
    )
    assert re.search(pattern, reason)


def test_a_decoder_that_is_one_level_off_each_time(plant, pictures, spectrum, make_guard, make_world):
    plant(decode=decoding(lambda image, call, count: with_a_speck(image, 2, call % 2)))
    reason = accused(make_world(make_guard(), spectrum(), pictures(9)).only())
    assert re.search(r"decoded twice on cpu: 4 of \d+ pixels differ, by up to 1 levels; ", reason)


def test_a_decoder_that_mixes_up_what_it_decodes_together(plant, pictures, spectrum, make_guard, make_world):
    plant(decode=decoding(lambda image, call, count: image.flip(1) if count > 1 else image))
    reason = accused(make_world(make_guard(), spectrum(), pictures(9)).only())
    assert re.search(
        r"decoded in a batch and alone on cpu: \d+ of \d+ pixels differ, by up to \d+ levels, allow", reason
    )


def test_a_decoder_that_works_once(diary, pictures, spectrum, make_guard, make_world):
    diary.broken = lambda picture, setting: diary.decoded.count(picture) > 1
    reason = accused(make_world(make_guard(), spectrum(), pictures(4)).only())
    assert re.match(
        r"image (t\d\d) at .*, decoded once, but not again on cpu \(toy cannot decode picture \d\); ", reason
    )


def test_a_decoder_that_changes_its_mind_about_the_size(diary, pictures, spectrum, make_guard, make_world):
    diary.grown = lambda picture, setting: diary.decoded.count(picture) > 1
    reason = accused(make_world(make_guard(), spectrum(), pictures(1)).only())
    assert "decoded to (3, 96, 96), and again on cpu to (3, 96, 97); " in reason


def test_a_fault_is_found_in_the_store_too_and_by_any_number_of_workers(
    diary, plant, pictures, spectrum, make_guard, make_world
):
    make_world(make_guard(), spectrum(), pictures(9)).only()
    plant(decode=decoding(lambda image, call, count: with_a_speck(image, 2, call % 251)))
    reasons = {accused(make_world(make_guard(), spectrum(), pictures(9), workers=n).only()) for n in (1, 3)}
    assert len(diary.encoded) == len(set(diary.encoded))
    assert len({reason.partition(" at ")[0] for reason in reasons}) == 1


def test_batches_for_peoples_own_tests_come_from_a_sound_codec_too(plant, pictures, make_guard, tmp_path):
    guard = make_guard()
    run = RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1)

    def pull():
        return list(compressed_batches(pictures(9), guard, guard.cells[0], run, "cpu", 4))

    plant()
    assert len(pull()) == 3
    plant(decode=decoding(lambda image, call, count: with_a_speck(image, 2, call % 251)))
    with pytest.raises(CodecError, match="decoded twice on cpu"):
        pull()


# A codec that works on a GPU, as far as it says


@pytest.fixture
def on_gpu(diary, plant, monkeypatch):
    """Lets `toy` say that it works on a GPU; its twin on the CPU decodes with this change."""

    def planted(change, tolerance=None):
        class Twin(plant()):  # type: ignore[misc]  # the class is made by a fixture
            def decode(self, streams, workers=1):
                return [change(image) for image in super().decode(streams, workers)]

        plant(
            device="cuda:0",
            remark="batches cut to 4",
            device_tolerance=tolerance,
            on=lambda self, device: Twin(diary),
        )
        monkeypatch.setattr(guard_codecs, "available_codec", lambda spec, device: build_codec(spec))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Made-up GPU")

    return planted


def test_a_gpu_whose_decoder_rounds_otherwise_is_trusted(on_gpu, pictures, spectrum, make_guard, make_world):
    on_gpu(lambda image: image.clamp(max=254) + 1)
    result = make_world(make_guard(), spectrum(), pictures(9)).only().result
    assert (result.verdict, result.checked) == ("pass", 3)
    assert result.device_difference == pytest.approx(1.0)
    assert (result.device, result.codec_device) == ("cpu", "cuda:0 (Made-up GPU)")
    assert result.codec_remark == "batches cut to 4"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda image: (16 + image.float() * 219 / 255).round().to(torch.uint8),
            r"luma by \d+\.\d\d levels on average",
        ),
        (lambda image: with_a_speck(image, 40, 128), r"by up to 128 levels; .* PSNR 1\d\.\d dB \(at least 27\)"),
        (tinted, r"luma by 0\.\d\d levels on average .*, PSNR 1\d\.\d dB \(at least 27\)"),
        (lambda image: torch.roll(image, 1, 2), r"luma by \d+\.\d\d levels on average \(allowed 2\)"),
    ],
    ids=["limited range", "a broken block", "other colours", "one pixel off"],
)
def test_a_gpu_that_decodes_to_another_image(change, said, on_gpu, pictures, spectrum, make_guard, make_world):
    on_gpu(change)
    reason = accused(make_world(make_guard(), spectrum(), pictures(9)).only())
    assert re.search(
        r"of toy, decoded on cuda:0 and on the CPU: \d+ of \d+ pixels differ, by up to \d+ levels; ", reason
    )
    assert re.search(said, reason)


@pytest.mark.parametrize("tolerance", [None, 0, 2])
@pytest.mark.parametrize("levels", [0, 1, 2, 3, 128])
def test_a_small_broken_block_is_seen_where_a_codec_says_how_far_devices_may_differ(
    tolerance, levels, on_gpu, pictures, spectrum, make_guard, make_world
):
    def broken(image):
        image = image.clone()
        image[:, :2, :3] = torch.where(image[:, :2, :3] < 128, image[:, :2, :3] + levels, image[:, :2, :3] - levels)
        return image

    on_gpu(broken, tolerance)
    measured = make_world(make_guard(), spectrum(), pictures(9)).only()
    if tolerance is None or levels <= tolerance:
        assert (measured.result.verdict, measured.result.checked) == ("pass", 3)
    else:
        said = rf"and on the CPU: 6 of \d+ pixels differ, by up to {levels} levels, allowed {tolerance}; the codec"
        assert re.search(said, accused(measured))


def test_codecs_leave_open_how_far_devices_may_differ_unless_they_say():
    assert RealStreams().device_tolerance is None


def test_what_a_gpu_coded_is_not_taken_for_the_cpus(on_gpu, diary, plant, pictures, spectrum, make_guard, make_world):
    guard, data = make_guard(), pictures(6)
    made = []
    for kind in ("cpu", "gpu", "gpu"):
        if kind == "gpu":
            on_gpu(lambda image: image)
        diary.encoded.clear()
        make_world(guard, spectrum(), data).only()
        made.append(len(diary.encoded))
    assert made[0] == made[1] > 0
    assert made[2] == 0


@pytest.mark.gpu
def test_jpeg_on_a_gpu_is_checked_against_the_cpu(pictures, spectrum, make_guard, make_world):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    world = make_world(make_guard(("jpeg",), options=(("subsampling", "4:4:4"),)), spectrum(), pictures(9))
    world.subject.device = "cuda:0"
    result = world.only().result
    assert result.verdict == "pass", result.reason
    assert result.codec_device.startswith("cuda:0 (")
    assert result.device_difference < 2


# A codec with a forward pass


@pytest.fixture
def forward(plant, diary):
    """Gives `toy` a forward pass: what it estimates, relative to what is coded, and how well it foretells pixels."""

    def planted(estimate=1.0, difference=0, loss=None, bits="coded"):
        proved = []

        def proofs(self, images, settings, workers=1):
            streams = toy.encode(self, images, settings, workers)
            proved.extend((int(image[0, 0, 0]), setting) for image, setting in zip(images, settings, strict=True))
            return [Proof(estimate * len(stream), len(stream), difference, loss) for stream in streams]

        toy = plant(proofs=proofs, bits=bits)
        return proved

    return planted


def test_estimates_are_held_against_real_streams_once_per_guard(
    forward, diary, pictures, spectrum, make_guard, make_world
):
    guard, data = make_guard(rates=(1.0, 3.0)), pictures(9)
    seen = []
    for order in ((0, 1), (1, 0)):
        proved = forward(estimate=1.004, difference=1)
        found = make_world(guard, spectrum(), data, folder=f"{order}").run(order)
        results = [one.result for one in found.values()]
        assert [one.verdict for one in results] == ["pass", "pass"]
        assert [one.check_encodes for one in results] == ([2, 0] if order == (0, 1) else [0, 2])
        assert {(one.bits_checked, one.reconstruction_difference) for one in results} == {(2, 1)}
        assert all(one.bits_difference == pytest.approx(0.004) for one in results)
        # The encodes of a cell are what its rate needed; the check adds none.
        total = sum(image.shape[1] * image.shape[2] for image, _, _ in data)
        assert sum(one.encodes for one in results) * total == pytest.approx(diary.pixels - pixels_of(proved, data))
        seen.append(proved)
        diary.encoded.clear()
    assert seen[0] == seen[1]
    assert len({picture for picture, _ in seen[0]}) == 2
    (_, low), (_, high) = seen[0]
    assert low < high


def pixels_of(proved, data):
    return sum(data[picture][0].shape[1] * data[picture][0].shape[2] for picture, _ in proved)


def test_a_stream_that_is_not_what_the_forward_pass_saw(forward, pictures, spectrum, make_guard, make_world):
    forward(difference=40)
    reason = accused(make_world(make_guard(), spectrum(), pictures(6)).only())
    assert re.match(
        r"image t\d\d at setting \d+ of toy, the decoded stream beside the forward reconstruction: they differ by up "
        r"to 40 levels, allowed 1; ",
        reason,
    )


@pytest.mark.parametrize(("loss", "allowed"), [(0.02, True), (-0.3, True), (0.5, False)])
def test_a_real_stream_that_rounds_a_few_latents_otherwise_is_no_fault(
    loss, allowed, forward, pictures, spectrum, make_guard, make_world
):
    forward(difference=12, loss=loss)
    measured = make_world(make_guard(), spectrum(), pictures(6)).only()
    assert measured.result.reconstruction_difference == 12
    if allowed:
        assert (measured.result.verdict, measured.result.bits) == ("pass", "coded")
    else:
        assert "they differ by up to 12 levels, and it is 0.50 dB worse, allowed 0.1; " in accused(measured)


def test_every_cell_of_a_faulty_codec_is_accused(forward, pictures, spectrum, make_guard, make_world):
    proved = forward(difference=2)
    found = make_world(make_guard(rates=(1.0, 3.0)), spectrum(), pictures(6)).run()
    assert len({accused(one) for one in found.values()}) == 1
    assert [one.result.check_encodes for one in found.values()] == [2, 0]
    assert {one.result.reconstruction_difference for one in found.values()} == {2}
    assert len(proved) == 2


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (0.02, None),
        (None, "by up to 90 levels, allowed 1; "),
        (14.25, "by up to 90 levels, and it is 14.25 dB worse, allowed 1; "),
    ],
)
def test_where_bits_are_estimated_only_a_broken_stream_is_a_fault(
    loss, told, forward, pictures, spectrum, make_guard, make_world
):
    forward(difference=90, loss=loss, bits="estimated")
    measured = make_world(make_guard(), spectrum(), pictures(6)).only()
    assert measured.result.reconstruction_difference == 90
    if told is None:
        assert (measured.result.verdict, measured.result.bits) == ("pass", "estimated")
    else:
        assert told in accused(measured)


def test_an_estimate_that_is_off_is_reported_and_no_ones_fault(forward, pictures, spectrum, make_guard, make_world):
    forward(estimate=0.95, bits="estimated")
    result = make_world(make_guard(), spectrum(), pictures(6)).only().result
    assert result.verdict == "pass"
    assert result.bits_difference == pytest.approx(-0.05)


def test_a_real_stream_that_cannot_be_made_is_a_fault(plant, pictures, spectrum, make_guard, make_world):
    def proofs(self, images, settings, workers=1):
        raise CodecError("the entropy coder overflowed")

    plant(proofs=proofs)
    reason = accused(make_world(make_guard(), spectrum(), pictures(6)).only())
    assert reason.startswith("a real stream beside the forward pass: the entropy coder overflowed; ")


@pytest.mark.parametrize("bits", ["coded", "estimated"])
def test_batches_for_peoples_own_tests_say_their_bits_and_come_from_a_proven_codec(
    bits, forward, pictures, make_guard, tmp_path
):
    guard = make_guard(rates=(1.0, 3.0))

    def pull(store):
        run = RunSettings(tmp_path, tmp_path / store, device="cpu", workers=1)
        return compressed_batches(pictures(9), guard, guard.cells[0], run, "cpu", 4)

    proved = forward(difference=1, bits=bits)
    assert [batch.bits for batch in pull("one")] == [bits] * 3
    (_, low), (_, high) = proved
    assert low < high
    again = forward(difference=1, bits=bits)
    assert len(list(pull("one"))) == 3
    # What was proved of real streams is kept with them; an estimate is held against real streams in every run.
    assert len(again) == (0 if bits == "coded" else 2)
    forward(difference=2, bits=bits)
    with pytest.raises(CodecError, match="beside the forward reconstruction: they differ by up to 2 levels, allowed 1"):
        next(pull("other"))


# Bits that are not the length of a stream


def test_rates_count_what_a_stream_costs(plant, pictures, spectrum, make_guard, make_world, tmp_path):
    guard, data = make_guard(rates=(0.5,)), pictures(9)
    plant(cost=lambda self, stream: len(stream) // 2, bits="estimated")
    result = make_world(guard, spectrum(), data).only().result
    assert result.bits == "estimated"
    assert result.bpp_mean == pytest.approx(0.5, rel=0.05)
    run = RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1)
    batches = compressed_batches(data, guard, guard.cells[0], run, "cpu", 4)
    assert result.bpp_mean == pytest.approx(sum(bpp for batch in batches for bpp in batch.bpp) / 9)
    found = compress_guard.compress([image for image, _, _ in data], codec="toy", bpp=0.5)
    assert found.bits == "estimated"
    for (image, _, _), stream, bpp in zip(data, found.streams, found.bpp, strict=True):
        assert bpp == 8 * (len(stream) // 2) / (image.shape[1] * image.shape[2])
