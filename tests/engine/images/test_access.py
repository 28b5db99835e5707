"""Data that its own thread alone can read: measured like any other beyond what is kept in memory, and said once."""

from __future__ import annotations

import io
import sqlite3
import threading
from contextlib import closing
from functools import partial

import pytest
import torch
from PIL import Image

from compress_guard import measure
from compress_guard.engine import plan_ahead
from compress_guard.engine import session as session_module
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.images import reader
from compress_guard.engine.images.access import REMARK, Access, OtherThread
from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.engine.machine.worker import Worker, aside
from compress_guard.engine.prediction.batches import ahead
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import DataError
from compress_guard.records import Cell, CodecSpec, Guard, Rate, Thresholds

COUNT = 20


def picture(position):
    """Noise, brightest in channel `position` mod 3."""
    image = torch.randint(0, 150, (3, 24, 24), generator=torch.Generator().manual_seed(position))
    image[position % 3] += 100
    return image.to(torch.uint8)


def brightest(images):
    return [image.float().mean((1, 2)) for image in images]


brightest.batch_size = 4


class Plain:
    """Pictures that any thread may read; it notes which thread did."""

    def __init__(self, count=COUNT):
        self.count, self.threads = count, set()

    def __len__(self):
        return self.count

    def __getitem__(self, position):
        self.threads.add(threading.get_ident())
        return self.row(position)

    def row(self, position):
        return picture(position), position % 3


class Sqlite(Plain):
    """Files in a data base, which refuses every thread but the one that opened it."""

    def __init__(self, count=COUNT):
        super().__init__(count)
        self.base = sqlite3.connect(":memory:")
        self.base.execute("create table pictures (id integer primary key, file blob)")
        for position in range(count):
            file = io.BytesIO()
            Image.fromarray(picture(position).permute(1, 2, 0).numpy()).save(file, "PNG")
            self.base.execute("insert into pictures values (?, ?)", (position, file.getvalue()))

    def __len__(self):
        return self.base.execute("select count(*) from pictures").fetchone()[0]

    def row(self, position):
        (file,) = self.base.execute("select file from pictures where id = ?", (position,)).fetchone()
        return Image.open(io.BytesIO(file)).convert("RGB"), position % 3


class Local(Plain):
    """Pictures that another thread sees upside down, without a word."""

    def __init__(self, count=COUNT):
        super().__init__(count)
        self.state = threading.local()
        self.state.right = True

    def row(self, position):
        image = picture(position)
        return image if getattr(self.state, "right", False) else image.flip(0), position % 3


class Broken(Plain):
    """One image cannot be read on any thread."""

    def row(self, position):
        if position == 7:
            raise OSError("gone")
        return super().row(position)


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch):
    monkeypatch.setattr(reader, "KEPT_BYTES", 0)


def measured(data, **wanted):
    wanted = {"task": "classification", "codec": "webp", "bpp": 4.0, "device": "cpu", "workers": 1, **wanted}
    return measure(brightest, data, **wanted)


VARIES = {"seconds": None, "data_remark": None}


@pytest.mark.parametrize("kind", [Sqlite, Local])
def test_beyond_what_is_kept_the_result_is_that_of_other_data(kind):
    plain, bound = measured(Plain()), measured(kind())
    assert plain.data_remark is None
    assert bound.data_remark == REMARK
    assert bound.as_dict() | VARIES == plain.as_dict() | VARIES


def test_what_is_kept_is_read_once_and_nothing_is_said(monkeypatch):
    monkeypatch.setattr(reader, "KEPT_BYTES", 2**20)
    assert measured(Sqlite()).data_remark is None


def test_a_broken_image_does_not_bind_the_others():
    plain = Broken()
    result = measured(plain, max_error_share=0.1)
    assert (result.errors, result.data_remark) == (1, None)
    assert len(plain.threads) > 1


def test_what_fails_on_its_own_thread_too_is_that_image_s_failure():
    class Failing(Sqlite):
        reads = 0

        def row(self, position):
            self.reads += 1
            if self.reads > COUNT + 16 and position == 5:
                raise OSError("gone since")
            return super().row(position)

    with pytest.raises(DataError, match=r"^sample 5 cannot be read \(OSError: gone since\)$"):
        measured(Failing())


def test_compressed_batches_of_bound_data(tmp_path):
    guard = one_cell_guard("data", task="classification", codec="webp", bpp=4.0)

    def batches(data, name):
        (tmp_path / name).mkdir()
        settings = RunSettings(tmp_path / name, tmp_path / name, device="cpu", workers=1)
        return list(compressed_batches(data, guard, guard.cells[0], settings, "cpu", 4))

    for one, other in zip(batches(Sqlite(), "bound"), batches(Plain(), "plain"), strict=True):
        assert (one.ids, one.targets, one.bpp) == (other.ids, other.targets, other.bpp)
        assert all(torch.equal(*pair) for pair in zip(one.images, other.images, strict=True))


# In a session, where codecs are planned ahead


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Measures two guards of these data in a session that plans ahead; results by cell, and what was told."""

    def run(data, folder="store", ahead=True):
        monkeypatch.setattr(session_module, "cores", lambda: 2 if ahead else 1)
        monkeypatch.setattr(
            session_module, "call", lambda name, folder, device, error: brightest if name == "m:model" else data
        )
        guards = tuple(
            Guard(
                name,
                "classification",
                "top1",
                "m:model",
                f"m:{name}",
                tuple(
                    Cell(name, CodecSpec(codec, codec), Rate(rate), 100.0, None, None, 1)
                    for codec in ("webp", "jpeg")
                    for rate in (4.0, 5.0)
                ),
            )
            for name in ("one", "two")
        )
        own = tmp_path / f"run {folder}"
        own.mkdir()
        settings = RunSettings(own, tmp_path / folder, device="cpu", workers=1)
        session = Session(Thresholds(str(tmp_path / "thresholds.yaml"), guards), settings)
        cells = [cell for guard in guards for cell in guard.cells]
        session.expect(cells)
        told = []
        try:
            results = {
                cell.name: session.measure(cell, cell.name, without_fixtures, lambda *at: None, told.append).result
                for cell in cells
            }
        finally:
            session.close()
        return results, told

    return run


@pytest.mark.parametrize("kind", [Sqlite, Local])
def test_a_session_that_plans_ahead_says_it_once_and_measures_the_same(run, kind):
    bound, told = run(kind(), "bound")
    plain, silent = run(Plain(), "plain", ahead=False)
    assert {result.verdict for result in bound.values()} == {"pass"}
    assert [line for line in told if REMARK in line] == [f"one: {REMARK}", f"two: {REMARK}"], "once for each data set"
    assert not any(REMARK in line for line in silent)
    for name, result in bound.items():
        assert result.as_dict() | VARIES == plain[name].as_dict() | VARIES


@pytest.mark.parametrize("kind", [Sqlite, Local])
def test_images_that_the_scout_read_first(run, kind, monkeypatch):
    """The second guard's images are surveyed ahead, on a thread that refuses or sees others."""
    surveyed = threading.Event()
    look = Session._plan_ahead

    def noted(self, cell, stopped):
        try:
            look(self, cell, stopped)
        finally:
            if cell.guard == "two":
                surveyed.set()

    monkeypatch.setattr(Session, "_plan_ahead", noted)
    bench = Session.bench

    def waits(self, name, fixtures):
        if name == "two" and not aside():
            assert surveyed.wait(30)
        return bench(self, name, fixtures)

    monkeypatch.setattr(Session, "bench", waits)
    monkeypatch.setattr(plan_ahead, "AHEAD", 4)
    bound, _ = run(kind(), "bound")
    plain, _ = run(Plain(), "plain", ahead=False)
    for name, result in bound.items():
        assert result.as_dict() | VARIES == plain[name].as_dict() | VARIES


# The pieces


def test_a_read_that_failed_aside_and_succeeds_here_binds():
    access, failing = Access(), [True]

    def read():
        if failing[0]:
            raise OSError("no")
        return 7

    with closing(Worker("test")) as worker:
        with pytest.raises(OtherThread, match=r"^read beside the cells: OSError: no$"):
            worker.submit(partial(access.read, 1, read)).result()
        assert not access.bound
        with pytest.raises(OSError, match="no"):
            access.read(1, read)
        assert not access.bound
        failing[0] = False
        assert access.read(1, read) == 7
        assert access.bound
        with pytest.raises(OtherThread):
            worker.submit(partial(access.read, 2, read)).result()
        assert access.read(2, read) == 7
    assert (access.remark_once(), access.remark_once()) == (REMARK, None)


def test_what_may_not_be_made_aside_is_made_here_in_its_order():
    made, bound = [], [False]

    def make(number):
        if aside() and number >= 3:
            raise OtherThread("here")
        bound[0] = bound[0] or number >= 3
        made.append((number, aside()))
        return number

    found = list(ahead((lambda number=number: make(number) for number in range(12)), lambda: bound[0]))  # type: ignore[misc]  # its default binds the value of the loop
    assert found == list(range(12))
    assert made == [(number, number < 3) for number in range(12)]


def test_an_error_of_a_maker_passes_through_and_ends_it():
    def fails():
        raise DataError("broken")

    with pytest.raises(DataError, match="^broken$"):
        list(ahead([lambda: 1, fails, lambda: 2]))
