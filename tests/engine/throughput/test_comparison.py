"""Throughput cells: what is timed, in which order, how it is judged, and all that can go wrong."""

from __future__ import annotations

import ctypes
import itertools
import struct
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from compress_guard.codecs.contract import RealStreams
from compress_guard.engine.machine import clock as machine_clock
from compress_guard.engine.machine.memory import held
from compress_guard.engine.session import Session
from compress_guard.engine.settings import RunSettings, processor
from compress_guard.engine.throughput import comparison as contests
from compress_guard.engine.throughput import result_draft, timed_codec
from compress_guard.engine.throughput.cells import Clocks, contest_of
from compress_guard.engine.throughput.comparison import Contest
from compress_guard.engine.throughput.result_draft import TimedCell
from compress_guard.errors import CodecError, DataError, OptionError, UsageError
from compress_guard.records import (
    CodecSpec,
    Guard,
    Policy,
    Rate,
    SpeedLimits,
    Thresholds,
    Throughput,
    ThroughputCell,
    ThroughputResult,
)
from compress_guard.registry import CODECS

SIDE = 64
PIXELS = SIDE * SIDE


@dataclass
class Habits:
    """The behaviour of a made-up codec, and the calls that it got."""

    sleep: float = 0.0
    """Seconds that a call takes."""
    keeps: list = field(default_factory=list)
    leaks: bool = False
    missing: str | None = None
    movable: bool = False
    """True if it works on other devices too."""
    refuse: set = field(default_factory=set)
    """Images, by their first pixel, that cannot be coded."""
    breaks_at: int | None = None
    """The call of the decoder from which on it fails."""
    wrong: bool = False
    """True if decoded images have a row too much."""
    turn: Callable[[int], int] = lambda shade: shade
    """Change of an image's mean shade, which is all that is left of it."""
    calls: list = field(default_factory=list)
    """(what, images, workers, torch's threads) of every call."""


class MadeUp(RealStreams):
    """A codec of as many bytes as its setting asks for: setting / 8 bpp."""

    def __init__(self, name, habits, diary, place="cpu"):
        self.type, self._habits, self._diary, self._place = name, habits, diary, place

    def __repr__(self):
        return f"MadeUp({self.type})"

    @property
    def ladder(self):
        return tuple(float(setting) for setting in range(2, 33))

    @property
    def version(self):
        return f"{self.type} 1.0"

    @property
    def device(self):
        return self._place

    def on(self, device):
        return MadeUp(self.type, self._habits, self._diary, device) if self._habits.movable else self

    def unavailable(self):
        return self._habits.missing

    def _called(self, what, count, workers):
        habits = self._habits
        self._diary.append(self.type)
        habits.calls.append((what, count, workers, torch.get_num_threads()))
        time.sleep(habits.sleep)

    def encode(self, images, settings, workers=1):
        self._called("encode", len(images), workers)
        if self._habits.leaks:
            self._habits.keeps.extend(image.clone() for image in images)
        return [self._write(image, setting) for image, setting in zip(images, settings, strict=True)]

    def _write(self, image, setting):
        number, (height, width) = int(image[0, 0, 0]), image.shape[-2:]
        if number in self._habits.refuse:
            raise CodecError(f"{self.type} refuses image {number}")
        shade = round(float(image.float().mean()))
        return struct.pack("<HHB", height, width, shade).ljust(round(setting * height * width / 64), b"\0")

    def decode(self, streams, workers=1):
        self._called("decode", len(streams), workers)
        decoded = sum(1 for what, *_ in self._habits.calls if what == "decode")
        if self._habits.breaks_at is not None and decoded >= self._habits.breaks_at:
            raise CodecError(f"{self.type} is worn out")
        headers = [struct.unpack("<HHB", stream[:5]) for stream in streams]
        more, turn = int(self._habits.wrong), self._habits.turn
        return [
            torch.full((3, height + more, width), turn(shade), dtype=torch.uint8) for height, width, shade in headers
        ]


@pytest.fixture
def diary():
    """Names of the codecs in the order of their calls."""
    return []


@pytest.fixture
def codecs(monkeypatch, diary):
    """Registers made-up codecs by their habits."""

    def register(**habits):
        for name, one in habits.items():
            monkeypatch.setitem(CODECS._targets, name, f"nowhere:{name}")
            monkeypatch.setitem(CODECS._found, name, lambda name=name, one=one: MadeUp(name, one, diary))

    return register


@pytest.fixture
def pictures():
    """Return a maker of grey images whose first pixel encodes their number."""

    def make(count=4, side=SIDE):
        found = [torch.full((3, side, side), 100, dtype=torch.uint8) for _ in range(count)]
        for number, image in enumerate(found):
            image[0, 0, 0] = number
        return found

    return make


@pytest.fixture
def clock(monkeypatch):
    """Replaces the clock: passes take the seconds that are set for their codec, one after the other."""
    seconds = {}

    def timed(work, device):
        before = work.__self__.alias
        work()
        return next(seconds[before]), None

    monkeypatch.setattr(timed_codec, "timed", timed)

    def set_clock(**each):
        for name, values in each.items():
            # What warms up takes as long as the first pass; a number holds for all.
            seconds[name] = iter(values) if isinstance(values, list) else itertools.repeat(values)

    return set_clock


def of(images, **given):
    return contest_of(images, **({"device": "cpu", "workers": 1, "bpp": 1.0, "rounds": 3} | given))


def spec(name):
    return CodecSpec(name, name)


@pytest.fixture(autouse=True)
def no_growth(monkeypatch):
    """Collecting the garbage of a whole test run takes long; one test measures memory for real."""
    monkeypatch.setattr(contests, "held", lambda device: 100.0)


# Loose images


def test_reference_and_codec_take_turns_on_the_same_images(codecs, diary, pictures, clock):
    mine, theirs = Habits(), Habits()
    codecs(mine=mine, theirs=theirs)
    clock(mine=1.0, theirs=1.0)
    contest = of(pictures(), codec="mine", reference="theirs", work="encode", rounds=4)
    assert contest.problem is None
    assert contest.rounds == 4
    contest.warm_up()
    del diary[:], mine.calls[:], theirs.calls[:]
    for _ in range(contest.rounds):
        contest.reference()
        contest.work()
    result = contest.result()
    assert diary == ["theirs", "mine"] * 4
    assert mine.calls == theirs.calls == [("encode", 4, 1, torch.get_num_threads())] * 4
    assert (result.rounds, result.images, result.megapixels) == (4, 4, 4 * PIXELS / 1e6)
    assert (result.codec, result.reference, result.reference_version) == ("mine", "theirs", "theirs 1.0")
    assert (result.bpp_mean, result.reference_bpp) == (1.0, 1.0)


@pytest.mark.parametrize(("work", "calls"), [("encode", 1), ("decode", 1), ("round_trip", 2)])
def test_a_pass_is_the_work_that_was_asked_for(work, calls, codecs, pictures):
    mine = Habits()
    codecs(mine=mine, theirs=Habits())
    contest = of(pictures(), codec="mine", reference="theirs", work=work)
    contest.warm_up()
    del mine.calls[:]
    contest.work()
    assert [what for what, *_ in mine.calls] == (["encode", "decode"] if calls == 2 else [work])


def test_speeds_are_medians_and_ratios_are_taken_round_by_round(codecs, pictures, clock):
    codecs(mine=Habits(), theirs=Habits())
    # Both sides are slowed down together in the second round: the ratio does not move.
    clock(mine=[9.0, 2.0, 20.0, 4.0], theirs=[9.0, 1.0, 10.0, 1.0])
    result = of(pictures(), codec="mine", reference="theirs", min_ratio=0.2, confidence=0.7).run()
    megapixels = 4 * PIXELS / 1e6
    assert result.speed == pytest.approx(megapixels / 4)
    assert (result.speed_low, result.speed_high) == pytest.approx((megapixels / 20, megapixels / 2))
    assert result.reference_speed == pytest.approx(megapixels / 1)
    assert (result.ratio, result.ratio_low, result.ratio_high) == pytest.approx((0.5, 0.25, 0.5))
    assert (result.confidence, result.verdict, result.outcome) == (0.7, "pass", "passed")


def test_three_rounds_hold_no_more_than_they_do(codecs, pictures, clock):
    codecs(mine=Habits(), theirs=Habits())
    clock(mine=1.0, theirs=1.0)
    result = of(pictures(), codec="mine", reference="theirs", confidence=0.95).run()
    assert result.confidence == 0.75
    assert "75 % interval" in result.reason


def test_a_reference_that_is_faster_is_repeated_to_take_as_long(codecs, diary, pictures, clock):
    codecs(mine=Habits(), theirs=Habits())
    clock(mine=0.9, theirs=[0.3, 0.1, 0.2, 0.3, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3])
    contest = of(pictures(), codec="mine", reference="theirs", work="encode")
    contest.warm_up()
    del diary[:]
    contest.reference()
    contest.work()
    assert diary == ["theirs", "theirs", "theirs", "mine"]
    for _ in range(2):
        contest.reference()
        contest.work()
    assert contest.result().reference_speed == pytest.approx(4 * PIXELS / 1e6 / 0.2)


def test_a_codec_that_is_slow_fails_its_ratio(codecs, pictures, clock):
    codecs(mine=Habits(), theirs=Habits())
    clock(mine=0.25, theirs=0.1)
    result = of(pictures(), codec="mine", reference="theirs", work="encode", min_ratio=0.9).run()
    assert (result.verdict, result.outcome, result.settled_by) == ("fail", "failed", "interval")
    assert result.ratio < 0.5
    assert result.reason.startswith("mine encodes ")
    assert "least allowed 0.9: at 1 bpp, 4 images of 0.0041 megapixels, 1 thread" in result.reason


@pytest.fixture
def returned_at_once() -> Iterator[None]:
    """The C library returns an image's memory when it is freed, whatever earlier tests allocated: growth is exact."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda parameter, value: 0)
    threshold, glibcs_least, glibcs_most = -3, 2**17, 2**25
    mallopt(threshold, glibcs_least)
    yield
    mallopt(threshold, glibcs_most)


@pytest.mark.usefixtures("returned_at_once")
def test_a_codec_that_keeps_its_images_fails_its_growth_and_an_honest_one_passes(codecs, pictures, monkeypatch):
    monkeypatch.setattr(contests, "held", held)
    if held("cpu") is None:
        pytest.skip("this system does not tell a process its memory")
    codecs(leaky=Habits(leaks=True), honest=Habits())
    # Large, so that what other tests let go meanwhile is little beside it.
    images = pictures(4, 1024)
    found = {
        name: of(images, codec=name, reference="jpeg", work="encode", rounds=6, max_growth=5).run()
        for name in ("leaky", "honest")
    }
    each = 4 * 3 * 1024 * 1024 / 1e6
    assert found["leaky"].growth == pytest.approx(5 * each, rel=0.2)
    assert (found["leaky"].verdict, found["leaky"].outcome) == ("fail", "failed")
    assert "memory grew by 6" in found["leaky"].reason
    assert found["honest"].growth < 2
    assert (found["honest"].verdict, found["honest"].outcome) == ("pass", "passed")
    assert found["honest"].peak_memory >= 0


def test_the_reference_itself_is_compared_with_nothing(codecs, diary, pictures):
    codecs(mine=Habits())
    contest = of(pictures(), codec="mine", reference="mine", strict=True)
    contest.warm_up()
    del diary[:]
    contest.reference()
    assert diary == []
    contest.work()
    result = contest.result()
    assert (result.reference, result.ratio, result.reference_speed) == (None, None, None)
    # There is nothing to judge it by, so not even a strict run holds that against it.
    assert (result.verdict, result.outcome) == ("unjudged", "skipped")
    assert result.speed > 0


def test_without_a_limit_a_cell_is_measured_and_a_strict_run_fails(codecs, pictures):
    codecs(mine=Habits(), theirs=Habits())
    for strict, outcome in ((False, "skipped"), (True, "failed")):
        result = of(pictures(), codec="mine", reference="theirs", strict=strict).run()
        assert (result.verdict, result.outcome) == ("unjudged", outcome)
        assert result.ratio > 0


def test_threads_are_those_that_were_given_torchs_too(codecs, pictures):
    mine, before = Habits(), torch.get_num_threads()
    codecs(mine=mine)
    result = of(pictures(), codec="mine", reference="mine", work="encode", workers=before + 1).run()
    assert result.threads == before + 1
    assert [call for call in mine.calls if call[3] == before + 1] == [("encode", 4, before + 1, before + 1)] * 4
    assert torch.get_num_threads() == before


def test_what_is_timed_is_pytest_benchmarks_own_time(codecs, diary, pictures, monkeypatch):
    """A pass holds nothing but the codec's work: what is slow beside it happens in the reference's turn."""
    codecs(mine=Habits(sleep=0.25), theirs=Habits(sleep=0.25))
    contest = of(pictures(), codec="mine", reference="theirs", work="encode", rounds=5)
    now = [0.0]
    fake = SimpleNamespace(perf_counter=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds))
    for module in (machine_clock, sys.modules[__name__]):
        monkeypatch.setattr(module, "time", fake)
    monkeypatch.setattr(contests, "held", lambda device: diary.append("memory") or 100.0)
    for name in ("check", "transfer_seconds"):
        method = getattr(timed_codec.Entrant, name)
        monkeypatch.setattr(
            timed_codec.Entrant, name, lambda self, name=name, method=method: diary.append(name) or method(self)
        )
    contest.warm_up()
    assert {"check", "theirs", "mine"} <= set(diary)
    for number in range(contest.rounds):
        del diary[:]
        contest.reference()
        assert diary == ["memory", "theirs"][number != 1 :]
        del diary[:]
        before = now[0]
        contest.work()
        assert diary == ["mine"]
        assert now[0] - before == 0.25
    result = contest.result()
    assert result.megapixels / result.speed == pytest.approx(0.25)


def test_pil_images_and_sizes_may_be_mixed():
    noise = torch.Generator().manual_seed(0)
    pixels = (torch.rand(3, 48, 80, generator=noise) * 255).byte()
    images = [pixels, Image.fromarray(pixels.permute(1, 2, 0)[:, :40].contiguous().numpy())]
    result = of(images, codec="webp", bpp=4.0).run()
    assert (result.images, result.megapixels) == (2, (48 * 80 + 48 * 40) / 1e6)
    assert result.bpp_mean == pytest.approx(4.0, rel=0.2)
    assert (result.reference, result.verdict) == ("jpeg", "unjudged")
    assert result.codec_version.startswith("libwebp")
    assert (result.device, result.codec_device) == (f"cpu ({processor()})",) * 2
    assert ThroughputResult.from_dict(result.as_dict()) == result


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"codec": "jpg"}, "unknown codec 'jpg', did you mean 'jpeg'"),
        ({"reference": "jpg"}, "the reference: unknown codec 'jpg', did you mean 'jpeg'"),
        ({"work": "encoding"}, "unknown work 'encoding', did you mean 'encode'"),
        ({"bpp": 20}, "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality=20?"),
        ({"rounds": 2}, "rounds is 2; expected a whole number of at least 3"),
        ({"rounds": True}, "rounds is True; expected a whole number of at least 3"),
        ({"workers": 0}, "workers is 0; expected a whole number of at least 1, or None for all cores"),
        ({"min_ratio": 0}, "min_ratio is 0; expected a number above 0, such as 0.1 of the reference's speed"),
        ({"max_growth": -1}, "max_growth is -1; expected megabytes, 0 or more"),
        ({"codec": "jpeg", "min_ratio": 0.5}, "min_ratio compares jpeg with itself; name another reference"),
        ({"min_ration": 0.5}, "unknown keyword 'min_ration'"),
        ({"max_drop": 3}, "unknown keyword 'max_drop'"),
        ({"confidence": 95}, "confidence 95 is outside 0.5 to 1"),
        ({"options": {"methods": 3}}, "unknown option of codec webp 'methods', did you mean 'method'"),
    ],
)
def test_nonsense_is_refused(given, message, pictures):
    with pytest.raises(OptionError) as caught:
        of(pictures(), **({"codec": "webp"} | given))
    assert str(caught.value).startswith(message)


def test_no_image_and_no_such_device_are_refused(pictures):
    with pytest.raises(OptionError, match="^there is no image; give a list of uint8 RGB tensors"):
        of([])
    with pytest.raises(UsageError, match="^device: unknown device 'gpu'"):
        of(pictures(), device="gpu")


# What goes wrong


@pytest.mark.parametrize(
    ("mine", "theirs", "bpp", "verdict", "outcome", "reason"),
    [
        (Habits(missing="no mine; pip install mine"), {}, 1.0, "unavailable", "failed", "no mine; pip install mine; "),
        ({}, Habits(missing="no theirs; pip"), 1.0, "unavailable", "failed", "the reference theirs: no theirs; pip; "),
        ({}, {}, 0.1, "unreachable", "skipped", "mine cannot reach 0.1 bpp on these images: the mean goes down to 0.2"),
        (Habits(refuse={2}), {}, 1.0, "codec_error", "failed", "1 of 4 images failed, allowed by max_error_share 0: 0"),
        ({}, Habits(refuse={2}), 1.0, "codec_error", "failed", "the reference theirs: 1 of 4 images failed, allowed"),
        (Habits(wrong=True), {}, 1.0, "codec_error", "failed", "mine gave image 1 of 4 back as 64x65 pixels, expected"),
        (Habits(breaks_at=1), {}, 1.0, "codec_error", "failed", "mine is worn out"),
        (Habits(breaks_at=4), {}, 1.0, "codec_error", "failed", "mine is worn out"),
        ({}, Habits(breaks_at=4), 1.0, "codec_error", "failed", "the reference theirs: theirs is worn out"),
    ],
)
def test_trouble_becomes_a_verdict(mine, theirs, bpp, verdict, outcome, reason, codecs, pictures):
    codecs(mine=mine or Habits(), theirs=theirs or Habits())
    result = of(pictures(), codec="mine", reference="theirs", bpp=bpp, min_ratio=0.01).run()
    assert (result.verdict, result.outcome) == (verdict, outcome)
    assert result.reason.startswith(reason)
    assert (result.speed, result.ratio) == (None, None)


@pytest.mark.parametrize("work", ["decode", "round_trip"])
def test_a_decoder_that_blackens_every_image_is_not_timed(work, codecs, pictures, clock):
    mine = Habits(turn=lambda shade: 0)
    codecs(mine=mine, theirs=Habits())
    clock(mine=0.001, theirs=0.001)
    result = of(pictures(), codec="mine", reference="theirs", work=work).run()
    assert (result.verdict, result.outcome, result.speed) == ("codec_error", "failed", None)
    assert result.reason == (
        "mine at 1 bpp: the decoded images are further from their sources than flat pictures of the sources' mean "
        "colours are (8.1 dB and 49.1 dB, median of 3 images); the decoder is wrong, so its speed means nothing"
    )


def test_after_trouble_no_pass_is_made(codecs, diary, pictures):
    codecs(mine=Habits(breaks_at=4), theirs=Habits())
    contest = of(pictures(), codec="mine", reference="theirs", work="decode")
    contest.warm_up()
    contest.reference()
    contest.work()
    assert contest.problem is None
    contest.work()
    assert contest.problem.verdict == "codec_error"
    del diary[:]
    contest.reference()
    contest.work()
    assert diary == []
    assert contest.result() is contest.problem


def test_a_cell_without_a_ratio_needs_no_reference(codecs, pictures):
    codecs(mine=Habits(), theirs=Habits(missing="no theirs; pip install theirs"))
    result = of(pictures(), codec="mine", reference="theirs", max_growth=100).run()
    assert (result.verdict, result.reference, result.ratio) == ("pass", None, None)
    assert result.reason.endswith("; not compared with theirs: no theirs; pip install theirs")


def test_policies_of_the_guard_hold(codecs, pictures):
    codecs(mine=Habits(missing="no mine; pip install mine"))
    skipped = of(pictures(), codec="mine", on_unavailable="skip").run()
    assert (skipped.outcome, skipped.reason) == (
        "skipped",
        "no mine; pip install mine; skipped by on_unavailable: skip",
    )


def test_images_that_may_fail_are_left_out_on_both_sides(codecs, pictures, clock):
    mine, theirs = Habits(refuse={2}), Habits(refuse={0})
    codecs(mine=mine, theirs=theirs)
    clock(mine=1.0, theirs=1.0)
    result = of(pictures(), codec="mine", reference="theirs", work="encode", max_error_share=0.01).run()
    assert (result.images, result.megapixels) == (2, 2 * PIXELS / 1e6)
    assert {count for _, count, *_ in mine.calls[-3:] + theirs.calls[-3:]} == {2}


def test_nothing_timed_is_no_result(codecs, pictures):
    codecs(mine=Habits())
    contest = of(pictures(), codec="mine")
    contest.warm_up()
    result = contest.result()
    assert (result.verdict, result.outcome, result.reason) == ("error", "failed", "no pass of the codec was timed")


# Devices


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("work", ["encode", "decode", "round_trip"])
def test_a_real_gpu(work):
    noise = torch.Generator().manual_seed(0)
    images = [(torch.rand(3, 256, 256, generator=noise) * 255).byte() for _ in range(8)]
    options = {"subsampling": "4:4:4"}
    result = of(images, codec="jpeg", options=options, bpp=6.0, work=work, device="cuda:0", rounds=5).run()
    assert result.codec_device == f"cuda:0 ({torch.cuda.get_device_name(0)})"
    assert min(result.speed, result.transfer_speed, result.ratio) > 0
    assert result.reference_version.startswith("libjpeg")
    assert result.growth < 64
    assert result.peak_memory is not None


# Cells of a file


@dataclass
class World:
    """A guard whose model must never be made, and its data, which is counted."""

    clocks: Clocks
    guard: Guard
    loads: list

    def cell(self, codec, bpp=1.0, work="encode", limits=None):
        return ThroughputCell(self.guard.name, spec(codec), Rate(bpp), work, limits or SpeedLimits(), 1)

    def contest(self, throughput, at=0, guard=None) -> Contest:
        cell = throughput.cells[at]
        timed = TimedCell(guard or self.guard, throughput, cell)
        return self.clocks.contest(timed, f"f.yaml::{cell.name}", self.fixture)

    def fixture(self, name, error):
        self.loads.append(name)
        if name == "broken":
            raise error("fixture:broken: no photos")
        count = 12 if name == "photos" else 5
        rows = [(torch.full((3, SIDE, SIDE), number, dtype=torch.uint8), 0) for number in range(count)]
        for image, _ in rows:
            image[:, -1, -1] = 255 if name != "black" else 0
        return rows


@pytest.fixture
def world(tmp_path):
    def make(name="photos", device="cpu", store="store", **settings):
        guard = Guard("g", "classification", "top1", "no.such:model", f"fixture:{name}", (), policy=Policy())
        run = RunSettings(tmp_path, tmp_path / store, device="cpu", workers=1, **settings)
        session = Session(Thresholds("f.yaml", (guard,)), run)
        session.device = device
        return World(Clocks(session), guard, [])

    return make


def test_images_of_a_guard_that_are_almost_black_are_not_timed(codecs, world):
    codecs(mine=Habits(), theirs=Habits())
    here = world("black")
    throughput = Throughput(spec("theirs"), images=8, rounds=4, cells=(here.cell("mine"),))
    result = here.contest(throughput).run()
    assert result.verdict == "error"
    assert result.reason.startswith("the levels of all 5 pictures (uint8 tensor) are 0 to 4; ")


def test_a_cell_of_a_file(codecs, world):
    codecs(mine=Habits(), theirs=Habits())
    here = world()
    throughput = Throughput(
        spec("theirs"), images=8, rounds=4, max_growth=64, cells=(here.cell("mine", limits=SpeedLimits(1e-6)),)
    )
    told = []
    contest = here.contest(throughput)
    result = contest.run(lambda *progress: told.append(progress))
    assert (result.id, result.guard) == ("f.yaml::g[throughput-mine-1.0bpp-encode]", "g")
    assert (result.codec, result.target_bpp, result.work) == ("mine", 1.0, "encode")
    assert (result.images, result.rounds, result.threads, result.seed) == (8, 4, 1, 0)
    assert (result.min_ratio, result.max_growth, result.limit_device) == (1e-6, 64, None)
    assert (result.verdict, result.outcome) == ("pass", "passed")
    assert result.seconds > 0
    assert told == [("timing mine", 8 * done, 32) for done in range(1, 5)]
    assert here.loads == ["photos"]


@pytest.mark.parametrize(("limit", "images"), [(None, 8), (3, 3), (100, 8)])
def test_a_limit_of_the_run_holds_here_too(limit, images, codecs, world):
    codecs(mine=Habits())
    here = world(limit=limit)
    throughput = Throughput(spec("mine"), rounds=3, cells=(here.cell("mine"),))
    assert here.contest(throughput).run().images == images


def test_images_are_a_seeded_choice(codecs, world, monkeypatch):
    codecs(mine=Habits())
    chosen = []
    monkeypatch.setattr(MadeUp, "_write", lambda self, image, setting: chosen.append(int(image[0, 0, 0])) or b"12345")
    picks = []
    for store, seed in enumerate((0, 0, 1)):
        del chosen[:]
        here = world(seed=seed, store=f"store {store}")
        here.contest(Throughput(spec("mine"), images=4, cells=(here.cell("mine"),)))
        picks.append(frozenset(chosen))
    assert picks[0] == picks[1] != picks[2]
    assert {len(pick) for pick in picks} <= {4}


def test_plans_are_made_once_for_all_rates_of_a_codec(codecs, world):
    mine, theirs = Habits(), Habits()
    codecs(mine=mine, theirs=theirs)
    here = world()
    cells = tuple(here.cell("mine", bpp, work) for bpp in (0.5, 1.0) for work in ("encode", "decode"))
    throughput = Throughput(spec("theirs"), images=4, cells=cells)
    here.contest(throughput, at=0)
    made = len(mine.calls), len(theirs.calls)
    assert min(made) > 0
    for at in (3, 2, 1, 0):
        assert here.contest(throughput, at=at).problem is None
    assert (len(mine.calls), len(theirs.calls)) == made
    # Whichever cell is selected, the plan is the same.
    other = world()
    assert other.contest(throughput, at=3).run().bpp_mean == here.contest(throughput, at=3).run().bpp_mean


def test_another_guard_has_its_own_images(codecs, world):
    codecs(mine=Habits())
    here = world()
    throughput = Throughput(spec("mine"), rounds=3, cells=(here.cell("mine"),))
    assert here.contest(throughput).run().images == 8
    few = replace(here.guard, name="few", data="fixture:few")
    assert here.contest(throughput, guard=few).run().images == 5
    assert here.contest(throughput).run().images == 8


def test_data_that_cannot_be_had_is_an_error(codecs, world):
    codecs(mine=Habits())
    here = world("broken")
    contest = here.contest(Throughput(spec("mine"), cells=(here.cell("mine"),)))
    assert (contest.problem.verdict, contest.problem.outcome) == ("error", "failed")
    assert contest.problem.reason == "fixture:broken: no photos"
    assert contest.run() is contest.problem


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_an_image_that_cannot_be_read(share, codecs, world):
    codecs(mine=Habits())
    here = world("few")
    data = here.fixture("few", DataError)
    data[1] = ("no image", 0)
    here.fixture = lambda name, error: data
    guard = replace(here.guard, max_error_share=share)
    result = here.contest(Throughput(spec("mine"), rounds=3, cells=(here.cell("mine"),)), guard=guard).run()
    if share:
        assert (result.verdict, result.images) == ("unjudged", 4)
    else:
        assert (result.verdict, result.speed) == ("error", None)
        assert result.reason.startswith("1 of 5 images failed, allowed by max_error_share 0: 0; the first: sample 1")


def test_least_speeds_are_for_one_device(codecs, world, monkeypatch):
    monkeypatch.setattr(result_draft, "processor", lambda: "AMD EPYC 9654")
    codecs(mine=Habits())
    here = world(strict=True)
    cells = (here.cell("mine", limits=SpeedLimits(min_speed=1e-6)),)
    found = {
        device: here.contest(Throughput(spec("mine"), rounds=3, device=device, cells=cells)).run()
        for device in ("AMD EPYC", "NVIDIA H200")
    }
    assert found["AMD EPYC"].verdict == "pass"
    assert found["AMD EPYC"].limit_device == "AMD EPYC"
    # The file itself keeps the limit from this machine: nothing to fail, even in a strict run.
    assert (found["NVIDIA H200"].verdict, found["NVIDIA H200"].outcome) == ("unjudged", "skipped")
    assert found["NVIDIA H200"].device == "cpu (AMD EPYC 9654)"


@pytest.mark.parametrize("work", ["encode", "decode", "round_trip"])
def test_images_are_where_the_codec_works_and_their_way_there_is_told_apart(work, codecs, world, monkeypatch):
    # torch takes the name cpu:0, which is not `cpu`: as good as a GPU for who only compares names.
    monkeypatch.setattr(result_draft, "device_name", lambda device: f"{device} (NVIDIA H200)")
    monkeypatch.setattr(result_draft, "processor", lambda: "AMD EPYC 9654")
    codecs(mine=Habits(movable=True), theirs=Habits(movable=True), fixed=Habits())
    here = world(device="cpu:0")
    cells = here.cell("mine", work=work, limits=SpeedLimits(min_speed=1e-6)), here.cell("fixed", work=work)
    throughput = Throughput(spec("theirs"), rounds=3, device="NVIDIA H200", cells=cells)
    moved, stayed = (here.contest(throughput, at=at).run() for at in (0, 1))
    assert (moved.device, moved.codec_device) == ("cpu:0 (NVIDIA H200)",) * 2
    assert (stayed.device, stayed.codec_device) == ("cpu:0 (NVIDIA H200)", "cpu (AMD EPYC 9654)")
    assert moved.transfer_speed > 0
    assert stayed.transfer_speed is None
    assert moved.verdict == "pass"
    # The reference stays on the CPU, so that the ratio of `fixed` is what it is without a GPU.
    assert moved.ratio > 0
    assert "of theirs's" in moved.reason
    assert " on the CPU (75 % interval" in moved.reason
    assert " on the CPU (75 % interval" not in stayed.reason


def test_a_reference_on_a_gpu_is_compared_with_itself_on_the_cpu(codecs, world, monkeypatch):
    monkeypatch.setattr(result_draft, "device_name", lambda device: device)
    codecs(mine=Habits(movable=True))
    here = world(device="cpu:0", strict=True)
    result = here.contest(Throughput(spec("mine"), rounds=3, cells=(here.cell("mine"),))).run()
    assert (result.reference, result.ratio is not None) == ("mine", True)
    assert (result.verdict, result.outcome) == ("unjudged", "skipped")


def test_streams_are_kept_and_used_again(codecs, world, tmp_path):
    mine = Habits()
    codecs(mine=mine)
    here = world()
    throughput = Throughput(spec("mine"), cells=(here.cell("mine", work="decode"),))
    here.contest(throughput)
    assert mine.calls
    del mine.calls[:]
    assert world().contest(throughput).problem is None
    assert mine.calls == []
    assert any(Path(tmp_path / "store").rglob("*"))
