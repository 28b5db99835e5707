"""Threads of libraries: what a gate changes of them, and that it leaves them as they were."""

from __future__ import annotations

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from compress_guard.engine.machine.threads import calm_threads, single_blas_thread
from compress_guard.engine.session import Session
from compress_guard.engine.settings import RunSettings
from compress_guard.records import Thresholds


def blas():
    """Threads of each OpenBLAS in this process."""
    return [one["num_threads"] for one in threadpool_info() if one["internal_api"] == "openblas"]


@pytest.fixture
def two_threads():
    from threadpoolctl import ThreadpoolController

    np.linalg.inv(np.eye(4))
    with ThreadpoolController().select(internal_api="openblas").limit(limits=2):
        if set(blas()) != {2}:
            pytest.skip("numpy does not compute with an OpenBLAS that has threads")
        yield


def test_blas_works_alone_while_inside(two_threads):
    with single_blas_thread():
        assert set(blas()) == {1}
    assert set(blas()) == {2}


def test_a_session_gives_blas_its_threads_back(two_threads, tmp_path):
    session = Session(Thresholds(str(tmp_path / "thresholds.yaml"), ()), RunSettings(tmp_path, tmp_path, device="cpu"))
    assert set(blas()) == {1}
    session.close()
    assert set(blas()) == {2}


def test_blas_gets_its_threads_back_in_whatever_order_those_inside_leave(two_threads):
    first, second = single_blas_thread(), single_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(blas()) == {1}
    second.__exit__(None, None, None)
    assert set(blas()) == {2}


@pytest.mark.parametrize(("given", "expected"), [(None, "passive"), ("active", "active")])
def test_how_threads_wait_is_said_where_nobody_has_said_it(monkeypatch, given, expected):
    monkeypatch.setenv("OMP_WAIT_POLICY", "x")
    if given is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    else:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    calm_threads()
    assert os.environ["OMP_WAIT_POLICY"] == expected
