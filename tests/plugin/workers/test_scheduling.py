"""The scheduler of pytest-xdist that knows cells, driven by workers of our own that finish and die as the test says."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScheduling, LoadScopeScheduling

from compress_guard.plugin.workers.scheduling import CellScheduling
from compress_guard.plugin.workers.xdist_scheduling import BY_DIST

OWN = tuple(f"test_own.py::test_own[{number}]" for number in range(40))
CELLS = tuple(
    f"thresholds.yaml::{guard}[{codec}-{bpp}]" for guard in "abc" for codec in ("jpeg", "webp") for bpp in "12"
)


def group_of(node_id):
    return node_id.partition("::")[2].partition("-")[0] if node_id.startswith("thresholds.yaml") else None


class Config:
    """A double of pytest's config, as the schedulers use it."""

    def __init__(self, workers, chunk=None):
        self._options = {"tx": ["popen"] * workers, "maxschedchunk": chunk}
        self.option = SimpleNamespace(loadscopereorder=True)

    def getoption(self, name):
        return self._options[name]

    getvalue = getoption


class Log:
    """xdist's log, unheard."""

    def __getattr__(self, name):
        return self

    def __call__(self, *words):
        pass


class Worker:
    """A worker as xdist's: it starts no test before it knows the next one, or that there is none."""

    def __init__(self, name, tests):
        self.gateway = SimpleNamespace(id=name, spec="popen")
        self._tests = tests
        self.waiting, self.sent = [], []
        self.shutting_down = self.dead = False

    def send_runtest_some(self, indices):
        if self.dead:
            raise OSError("cannot send (already closed?)")
        assert not self.shutting_down
        self.waiting += indices
        self.sent.append(tuple(indices))

    def send_runtest_all(self):
        self.send_runtest_some(range(len(self._tests)))

    def shutdown(self):
        self.shutting_down = True

    @property
    def running(self):
        return len(self.waiting) > 1 or (self.shutting_down and bool(self.waiting))


class Session:
    """A run of xdist without processes; `deaths` are the numbers of the steps at which a worker dies."""

    def __init__(self, made, tests, *, workers=2, chunk=None, seed=0, deaths=()):
        self.sched = made(Config(workers, chunk))
        self.tests, self.deaths = tests, deaths
        self.workers, self.ran, self.crashed = [], [], []
        self._random = random.Random(seed)
        for _ in range(workers):
            self.join(tests)

    def join(self, tests):
        worker = Worker(f"gw{len(self.workers)}", tests)
        self.workers.append(worker)
        self.sched.add_node(worker)
        self.sched.add_node_collection(worker, list(tests))
        if self.sched.collection_is_completed:
            self.sched.schedule()

    def run(self):
        for step in range(10 * len(self.tests) + 10):
            if self.sched.tests_finished:
                for worker in self.sched.nodes:
                    worker.shutdown()
            running = [worker for worker in self.workers if worker.running]
            if not running:
                break
            worker = self._random.choice(running)
            if step in self.deaths:
                self.die(worker)
                self.join(self.tests)
            else:
                index = worker.waiting.pop(0)
                self.ran.append((worker.gateway.id, self.tests[index]))
                self.sched.mark_test_complete(worker, index, self._random.choice((0.01, 1.0)))
        return self

    def die(self, worker):
        worker.waiting, worker.dead, worker.shutting_down = [], True, True
        self.crashed.append(self.sched.remove_node(worker))


def cells(config):
    return CellScheduling(config, Log(), group_of)


def plain(config):
    return LoadScheduling(config, Log())


def workers_of(ran):
    """The workers that ran each group of cells."""
    owners = {}
    for worker, test in ran:
        if (group := group_of(test)) is not None:
            owners.setdefault(group, set()).add(worker)
    return owners


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("chunk", [None, 1, 3])
@pytest.mark.parametrize("count", [1, 3, 15, 40])
@pytest.mark.parametrize("deaths", [(), (2, 5)])
def test_without_cells_it_does_what_xdist_does(workers, chunk, count, deaths):
    for seed in range(5):
        asked = {"workers": workers, "chunk": chunk, "seed": seed, "deaths": deaths}
        ours, theirs = (Session(made, OWN[:count], **asked).run() for made in (cells, plain))
        assert [worker.sent for worker in ours.workers] == [worker.sent for worker in theirs.workers]
        assert (ours.ran, ours.crashed) == (theirs.ran, theirs.crashed)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("chunk", [None, 1, 3])
@pytest.mark.parametrize("count", [1, 3, 15, 40])
@pytest.mark.parametrize("first", [True, False])
def test_own_tests_are_shared_out_as_if_there_were_no_cells(workers, chunk, count, first):
    own = OWN[:count]
    tests = (*CELLS, *own) if first else (*own, *CELLS)
    for seed in range(5):
        ours = Session(cells, tests, workers=workers, chunk=chunk, seed=seed).run()
        theirs = Session(plain, own, workers=workers, chunk=chunk, seed=seed).run()

        def names(worker, tests):
            sent = [[tests[index] for index in indices] for indices in worker.sent]
            return [part for part in sent if part[0] in own]

        mine = [names(worker, tests) for worker in ours.workers]
        assert mine == [names(worker, own) for worker in theirs.workers]
        assert sorted(test for _, test in ours.ran) == sorted(tests)


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
@pytest.mark.parametrize("own", [0, 1, 12])
def test_a_group_runs_on_one_worker_in_its_order(workers, own):
    tests = (*OWN[:own], *CELLS)
    for seed in range(20):
        session = Session(cells, tests, workers=workers, seed=seed).run()
        assert sorted(test for _, test in session.ran) == sorted(tests)
        assert all(len(owners) == 1 for owners in workers_of(session.ran).values())
        for group in workers_of(session.ran):
            ran = [test for _, test in session.ran if group_of(test) == group]
            assert ran == [test for test in CELLS if group_of(test) == group]


def test_groups_that_stand_apart_in_the_collection_come_together():
    tests = [*CELLS]
    random.Random(3).shuffle(tests)
    session = Session(cells, tests, workers=3).run()
    assert sorted(test for _, test in session.ran) == sorted(tests)
    assert all(len(owners) == 1 for owners in workers_of(session.ran).values())


def test_every_worker_gets_a_group_before_one_gets_a_second():
    alone = [test for test in CELLS if test.endswith("1]")]  # groups of a single cell
    session = Session(cells, alone[:3], workers=3)
    assert [worker.sent for worker in session.workers] == [[(0,)], [(1,)], [(2,)]]
    assert all(worker.shutting_down for worker in session.workers)


def test_a_worker_takes_no_more_than_it_needs():
    session = Session(cells, CELLS, workers=2)
    assert [worker.sent for worker in session.workers] == [[(0, 1)], [(2, 3)]]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("own", [0, 1, 7])
def test_a_death_costs_the_test_that_ran_and_all_others_run_once(workers, own):
    tests = (*OWN[:own], *CELLS)
    for seed in range(60):
        chosen = random.Random(seed)
        deaths = {chosen.randrange(len(tests)) for _ in range(chosen.randrange(1, 6))}
        session = Session(cells, tests, workers=workers, seed=seed, deaths=deaths).run()
        assert len(session.crashed) == len(deaths)
        assert sorted([*session.crashed, *(test for _, test in session.ran)]) == sorted(tests)
        assert not session.sched.has_pending


def test_the_others_of_a_group_stay_together_after_a_death():
    session = Session(cells, CELLS, workers=2)
    first = session.workers[0]
    session.die(first)
    assert session.crashed == [CELLS[0]]
    session.join(CELLS)
    assert session.run().crashed == [CELLS[0]]
    owners = workers_of(session.ran)
    assert all(len(workers) == 1 for workers in owners.values())


def test_a_worker_that_has_died_unnoticed_is_sent_nothing():
    session = Session(cells, (*OWN[:4], *CELLS), workers=2)
    first, second = session.workers
    second.dead = True
    session.die(first)
    assert second.sent == [(2, 3)]
    session.die(second)
    session.join(session.tests)
    session.run()
    assert session.crashed == [OWN[0], OWN[2]]
    assert sorted([*session.crashed, *(test for _, test in session.ran)]) == sorted(session.tests)


@pytest.mark.parametrize("test", [OWN[0], CELLS[0]])
def test_a_plugin_may_have_a_test_run_again(test):
    session = Session(cells, (*OWN[:2], *CELLS) if test in OWN else CELLS, workers=1)
    session.die(session.workers[0])
    assert session.crashed == [test]
    session.sched.mark_test_pending(test)
    session.join(session.tests)
    session.run()
    assert sorted(ran for _, ran in session.ran) == sorted(session.tests)


def test_a_replacement_that_collects_other_tests_is_given_none():
    session = Session(cells, CELLS, workers=1)
    session.die(session.workers[0])
    session.join(CELLS[1:])
    assert session.workers[1].sent == []
    assert session.workers[1].shutting_down
    assert not session.sched.tests_finished


def test_different_collections_are_an_error_of_the_run():
    reports = []
    config = Config(2)

    def pytest_collectreport(report):
        reports.append(report)

    config.hook = SimpleNamespace(pytest_collectreport=pytest_collectreport)
    session = Session(lambda _: CellScheduling(config, Log(), group_of), (), workers=0)
    session.join(CELLS)
    session.join(CELLS[1:])
    assert [report.outcome for report in reports] == ["failed"]
    assert [worker.sent for worker in session.workers] == [[], []]
    assert session.sched.tests_finished


# --dist loadscope, loadfile and loadgroup

THEIRS = {"loadscope": LoadScopeScheduling, "loadfile": LoadFileScheduling, "loadgroup": LoadGroupScheduling}
FILES = tuple(f"test_{name}.py::test[{number}]" for name in "abcde" for number in range(ord(name) - 96))
MARKED = (*FILES[:6], *(f"{name}@group" for name in FILES[6:9]), *FILES[9:])


def scopes(dist, made=BY_DIST):
    return lambda config: made[dist](config, Log())


@pytest.mark.parametrize("dist", [*THEIRS])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_without_a_death_groups_are_shared_out_as_xdist_does(dist, workers):
    for seed in range(20):
        ours, theirs = (
            Session(scopes(dist, made), MARKED, workers=workers, seed=seed).run() for made in (BY_DIST, THEIRS)
        )
        assert ours.ran == theirs.ran
        assert [worker.sent for worker in ours.workers] == [worker.sent for worker in theirs.workers]


@pytest.mark.parametrize("dist", [*THEIRS])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_death_costs_one_test_of_a_group_and_all_others_run_once(dist, workers):
    for seed in range(100):
        chosen = random.Random(seed)
        deaths = {chosen.randrange(len(MARKED)) for _ in range(chosen.randrange(1, 6))}
        session = Session(scopes(dist), MARKED, workers=workers, seed=seed, deaths=deaths).run()
        assert len(session.crashed) == len(deaths)
        assert sorted([*session.crashed, *(test for _, test in session.ran)]) == sorted(MARKED)


@pytest.mark.parametrize("dist", [*THEIRS])
def test_a_group_waits_for_a_worker_that_lives(dist):
    session = Session(scopes(dist), MARKED, workers=2)
    first, second = session.workers
    sent = list(second.sent)
    second.dead = True
    session.die(first)
    assert second.sent == sent
    session.die(second)
    session.join(MARKED)
    session.run()
    assert sorted([*session.crashed, *(test for _, test in session.ran)]) == sorted(MARKED)


def test_each_worker_runs_all_tests_but_those_that_it_or_its_predecessors_died_of():
    for seed in range(100):
        chosen = random.Random(seed)
        deaths = {chosen.randrange(2 * len(FILES)) for _ in range(chosen.randrange(6))}
        session = Session(scopes("each"), FILES, workers=2, seed=seed, deaths=deaths).run()
        assert len(session.crashed) == len(deaths)
        assert sorted([*session.crashed, *(test for _, test in session.ran)]) == sorted([*FILES, *FILES])
