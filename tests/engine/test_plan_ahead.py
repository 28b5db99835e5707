"""The scout: plans made while the model works on the cells before, and nothing else changed by that."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from compress_guard.engine import session as module
from compress_guard.engine.plan_ahead import AHEAD, Scout
from compress_guard.engine.session import Session
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import DataError
from compress_guard.records import Cell, CodecSpec, Guard, Rate, Thresholds

CODECS = ("jpeg", "webp", "toy")


def guard_of(name="toys", codecs=CODECS, rates=(2.0, 4.0), **keys):
    cells = tuple(
        Cell(name, CodecSpec(codec, codec), Rate(rate), 100.0, None, None, 1) for codec in codecs for rate in rates
    )
    return Guard(name, "classification", "top1", **{"model": "m:model", "data": "m:data", **keys}, cells=cells)


@pytest.fixture
def run(tmp_path, monkeypatch, pictures, spectrum):
    """Measures guards in a session whose factories give these things; results by cell, costs left out."""

    def run(guards, things, *, ahead, folder="store"):
        monkeypatch.setattr(module, "cores", lambda: 2 if ahead else 1)
        monkeypatch.setattr(module, "call", lambda name, folder, device, error: things[name]())
        own = tmp_path / f"run of {folder}"
        own.mkdir(exist_ok=True)
        settings = RunSettings(own, tmp_path / folder, device="cpu", workers=1)
        session = Session(Thresholds(str(tmp_path / "thresholds.yaml"), tuple(guards)), settings)
        cells = [cell for guard in guards for cell in guard.cells]
        session.expect(cells)
        try:
            return {
                cell.name: session.measure(
                    cell, cell.name, lambda name, error: things[name](), lambda *told: None
                ).result
                for cell in cells
            }
        finally:
            session.close()

    return run


def test_the_first_cells_of_the_next_plans_are_coming():
    guard, other = guard_of(), guard_of("more", ("jpeg",))
    cells = (*guard.cells, *other.cells)
    scout = Scout(cells, lambda cell, stopped: None)
    assert [cell.name for cell in scout.coming(cells[0])] == ["toys[webp-2.0bpp]", "toys[toy-2.0bpp]"]
    assert [cell.name for cell in scout.coming(cells[3])] == ["toys[toy-2.0bpp]", "more[jpeg-2.0bpp]"]
    assert scout.coming(cells[-1]) == []
    assert scout.coming(guard_of("unknown").cells[0]) == []
    assert all(len(scout.coming(cell)) <= AHEAD for cell in cells)
    scout.close()


def test_a_plan_is_asked_for_once():
    guard, asked = guard_of(), []
    scout = Scout(guard.cells, lambda cell, stopped: asked.append(cell.name))
    for _ in range(3):
        scout.send(guard.cells[0])
    (sent,) = scout._sent.values()
    sent.result(10)  # closing drops what has not begun
    scout.close()
    assert asked == [guard.cells[0].name]


def test_the_next_codec_codes_while_the_model_works(run, pictures, spectrum: Any, diary):
    coded = threading.Event()
    data = pictures(8)

    class Waits(spectrum):
        def __call__(self, images):
            # Only what codes beside the model can end this wait.
            assert coded.wait(30), "nothing was coded while the model was at work"
            return super().__call__(images)

    diary.refuse = lambda picture, setting: coded.set() is not None
    found = run([guard_of(codecs=("webp", "toy"))], {"m:model": Waits, "m:data": lambda: data}, ahead=True)
    assert {result.verdict for result in found.values()} == {"pass"}


def test_results_and_work_are_the_same_as_without(run, pictures, spectrum, diary):
    data = pictures(10)
    things = {"m:model": spectrum, "m:data": lambda: data}
    guards = [guard_of(), guard_of("more", ("toy", "jpeg"))]
    found, pixels = [], []
    for ahead in (False, True):
        diary.encoded.clear()
        found.append(run(guards, things, ahead=ahead, folder=f"store-{ahead}"))
        pixels.append(diary.pixels)
    assert pixels[0] == pixels[1]
    alone, beside = (
        {name: result.as_dict() | {"seconds": None} for name, result in results.items()} for results in found
    )
    differs = {name: {key for key in one if one[key] != alone[name][key]} for name, one in beside.items()}
    assert differs == {name: set() for name in alone}


def test_what_goes_wrong_ahead_is_told_where_it_belongs(run, pictures, spectrum, diary):
    diary.missing = "toy is not installed; pip install toy"
    data = pictures(8)
    found = run([guard_of()], {"m:model": spectrum, "m:data": lambda: data}, ahead=True)
    assert [result.verdict for result in found.values()] == ["pass"] * 4 + ["unavailable"] * 2

    def broken():
        raise DataError("no such folder")

    guards = [guard_of(codecs=("webp",)), guard_of("more", ("jpeg",), data="m:broken")]
    found = run(guards, {"m:model": spectrum, "m:data": lambda: data, "m:broken": broken}, ahead=True)
    assert [(result.verdict, result.reason) for result in found.values()][2:] == [("error", "no such folder")] * 2
    assert [result.verdict for result in found.values()][:2] == ["pass"] * 2


def test_factories_are_called_in_the_thread_of_the_run_and_fixtures_in_their_turn(run, pictures, spectrum):
    called = []

    def noted(name, thing):
        def make():
            called.append((name, threading.current_thread() is threading.main_thread()))
            return thing

        return make

    guards = [
        guard_of(codecs=("webp",)),
        guard_of("more", ("webp",), data="m:other"),
        guard_of("own", ("webp",), data="fixture:data"),
        guard_of("last", ("webp",), model="fixture:model"),
    ]
    things = {"m:model": spectrum(), "m:data": pictures(6), "m:other": pictures(5), "data": pictures(4)}
    things["model"] = spectrum()
    found = run(guards, {name: noted(name, thing) for name, thing in things.items()}, ahead=True)
    assert {result.verdict for result in found.values()} == {"pass"}
    assert all(main for _, main in called)
    names = [name for name, _ in called]
    assert names.index("m:other") < names.index("m:model")  # ahead of the first guard's model even
    assert names.index("data") > names.index("m:model")
    assert sorted(names) == sorted(things)


def test_closing_ends_a_plan_that_nobody_wants_any_more(pictures, spectrum, diary, make_guard, make_world):
    guard = make_guard(rates=(1.0, 2.0, 3.0))
    world = make_world(guard, spectrum(), pictures(40))
    begun, go_on = threading.Event(), threading.Event()

    def slowly(picture, setting):
        begun.set()
        assert go_on.wait(30)
        return False

    diary.refuse = slowly
    scout = Scout(guard.cells, world.bench.plan_ahead)
    scout.send(guard.cells[0])
    assert begun.wait(30)
    closing = threading.Thread(target=scout.close)
    closing.start()
    assert scout._stop.wait(30)
    go_on.set()
    closing.join(30)
    assert not closing.is_alive()
    coded = len(diary.encoded)
    # What was coded is in the store, and the plan is made anew by whoever wants it.
    diary.refuse = lambda picture, setting: False
    found = world.run()
    assert {measured.result.verdict for measured in found.values()} == {"pass"}
    assert coded > 0
    assert len(set(diary.encoded)) == len(diary.encoded)
