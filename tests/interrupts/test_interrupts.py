"""Ctrl-C is told apart from a KeyboardInterrupt that somebody's code raises, and is never lost."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from compress_guard import interrupts


@pytest.fixture(autouse=True)
def handler() -> Iterator[object]:
    """Python's own handler, as a program starts with, put back whatever a test did."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def send() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_exception_that_somebody_raises_is_not_ctrl_c() -> None:
    with interrupts.watched():
        assert not interrupts.is_real(KeyboardInterrupt())
        assert not interrupts.is_real(SystemExit(0))


@pytest.mark.parametrize("stop", [send, _thread.interrupt_main])
def test_a_signal_is_and_whatever_it_becomes_later_is_too(stop) -> None:
    with interrupts.watched() as watch:
        with pytest.raises(KeyboardInterrupt):
            stop()
        assert watch.came
        assert interrupts.is_real(KeyboardInterrupt())
        assert interrupts.is_real(ValueError("somebody made this of it"))
        with pytest.raises(KeyboardInterrupt):
            watch.check()


def test_the_handler_of_before_is_asked_and_is_back_afterwards() -> None:
    asked = []

    def mine(number: int, frame: object) -> None:
        asked.append(number)

    signal.signal(signal.SIGINT, mine)
    with interrupts.watched() as watch:
        send()
        assert (watch.came, asked) == (True, [signal.SIGINT])
    assert signal.getsignal(signal.SIGINT) is mine


def test_a_signal_that_came_is_forgotten_by_the_next_watch() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts.watched():
        send()
    with interrupts.watched() as watch:
        assert not watch.came


def test_a_watch_inside_a_watch_is_the_same() -> None:
    with interrupts.watched() as outer:
        handler = signal.getsignal(signal.SIGINT)
        with interrupts.watched() as inner:
            assert inner is outer
        assert signal.getsignal(signal.SIGINT) is handler
        assert interrupts.current() is outer
    assert interrupts.current() is not outer


def test_a_handler_that_somebody_puts_in_its_place_stays_and_is_believed() -> None:
    def raises(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with interrupts.watched():
        signal.signal(signal.SIGINT, raises)
        assert interrupts.is_real(KeyboardInterrupt())
        assert not interrupts.is_real(SystemExit(0))
    assert signal.getsignal(signal.SIGINT) is raises


@pytest.mark.parametrize("ignored", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_signal_that_is_ignored_stays_so_and_raises_nothing_that_could_be_real(ignored) -> None:
    signal.signal(signal.SIGINT, ignored)
    with interrupts.watched():
        assert signal.getsignal(signal.SIGINT) is ignored
        assert not interrupts.is_real(KeyboardInterrupt())
    assert signal.getsignal(signal.SIGINT) is ignored


def test_work_that_was_given_up_stays_so_on_its_thread_and_new_work_is_not_concerned() -> None:
    with interrupts.watched():
        given = interrupts.current()
        with pytest.raises(KeyboardInterrupt):
            send()
    assert not interrupts.current().came
    with interrupts.adopted(given), pytest.raises(KeyboardInterrupt):
        interrupts.current().check()
    interrupts.current().check()


def test_where_nobody_watches_a_keyboard_interrupt_is_believed() -> None:
    assert interrupts.is_real(KeyboardInterrupt())
    assert not interrupts.is_real(SystemExit(0))
    interrupts.current().check()


def test_a_thread_changes_no_handler_and_believes_the_signal_alone(handler) -> None:
    def seen() -> tuple[bool, bool, object]:
        with interrupts.watched() as watch:
            return watch.came, interrupts.is_real(KeyboardInterrupt()), signal.getsignal(signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(seen).result() == (False, False, handler)
        with interrupts.watched():
            with pytest.raises(KeyboardInterrupt):
                send()
            assert pool.submit(interrupts.is_real, ValueError()).result()
        assert not pool.submit(interrupts.is_real, ValueError()).result()
    assert threading.current_thread() is threading.main_thread()
