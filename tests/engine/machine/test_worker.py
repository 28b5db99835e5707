"""The thread that works ahead: in order, errors where the result is requested, and no endless wait for it."""

from __future__ import annotations

import signal
import threading

import pytest

from compress_guard import interrupts
from compress_guard.engine.machine import worker as module
from compress_guard.engine.machine.worker import Worker


def test_work_is_done_in_order_on_one_thread_after_its_beginning():
    done = []
    worker = Worker("ahead", lambda: done.append(threading.current_thread().name))
    futures = [worker.submit(lambda at=at: done.append(at) or at) for at in range(5)]  # type: ignore[misc]  # its default binds the value of the loop
    assert [future.result() for future in futures] == [0, 1, 2, 3, 4]
    worker.close()
    assert done == ["ahead", 0, 1, 2, 3, 4]


@pytest.mark.parametrize("problem", [ValueError("no"), SystemExit(0), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_what_is_raised_there_is_raised_where_the_result_is_asked_for(problem):
    def raises():
        raise problem

    worker = Worker("ahead")
    first, second = worker.submit(raises), worker.submit(lambda: 2)
    with pytest.raises(type(problem)):
        first.result()
    assert second.result() == 2, "and the thread goes on"
    worker.close()


def test_closing_drops_what_has_not_begun_and_waits_for_what_has():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def first():
        begun.set()
        go_on.wait(10)
        done.append(1)

    worker = Worker("ahead")
    worker.submit(first)
    dropped = worker.submit(lambda: done.append(2))
    begun.wait(10)
    threading.Timer(0.05, go_on.set).start()
    worker.close()
    assert done == [1]
    assert dropped.cancelled()


def test_a_worker_without_work_starts_no_thread():
    before = threading.active_count()
    Worker("ahead").close()
    assert threading.active_count() == before


def test_after_ctrl_c_nobody_waits_for_work_that_hangs(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    begun, hangs = threading.Event(), threading.Event()

    def hang():
        begun.set()
        hangs.wait(60)

    worker = Worker("ahead")
    try:
        with interrupts.watched():
            worker.submit(hang)
            assert begun.wait(10)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        worker.close()
        assert worker._thread.is_alive()
        assert worker._thread.daemon
    finally:
        hangs.set()
        signal.signal(signal.SIGINT, before)
        worker._thread.join(10)
