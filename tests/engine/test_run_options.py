"""Options of a run become its settings in one place, for the plugin and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress_guard.engine.settings import MEGABYTE, RunOptions, cores
from compress_guard.errors import UsageError
from compress_guard.store import DEFAULT_CAP_BYTES

RUN, BESIDE = Path("/tmp/run"), Path("/data/gates")


def test_what_is_not_given_has_its_default():
    settings = RunOptions().settings(RUN, BESIDE, keep_evidence=False)
    assert (settings.store_folder, settings.workers, settings.store_cap) == (
        BESIDE / ".compress_guard",
        cores(),
        DEFAULT_CAP_BYTES,
    )
    assert (settings.device, settings.limit, settings.seed) == ("auto", None, 0)
    assert (settings.early_stop, settings.strict, settings.keep_evidence) == (False, False, False)


def test_what_is_given_holds():
    options = RunOptions(
        device="cpu",
        workers=3,
        limit=7,
        seed=5,
        cache=Path("/elsewhere"),
        cache_size=2,
        early_stop=True,
        strict=True,
    )
    settings = options.settings(RUN, BESIDE, keep_evidence=True)
    assert (settings.run_folder, settings.store_folder) == (RUN, Path("/elsewhere"))
    assert (settings.device, settings.workers, settings.limit, settings.seed) == ("cpu", 3, 7, 5)
    assert settings.store_cap == 2 * MEGABYTE
    assert (settings.early_stop, settings.strict, settings.keep_evidence) == (True, True, True)


def test_without_a_cache_everything_is_in_the_folder_of_the_run():
    assert RunOptions(no_cache=True).settings(RUN, BESIDE, keep_evidence=False).store_folder == RUN


@pytest.mark.parametrize("prefix", ["--", "--cg-"])
def test_options_without_sense_are_refused_by_the_name_that_the_caller_gave(prefix):
    with pytest.raises(UsageError) as caught:
        RunOptions(cache=Path("a"), no_cache=True).check(prefix)
    assert str(caught.value) == f"{prefix}no-cache: given together with {prefix}cache; use one of them"
    with pytest.raises(UsageError) as caught:
        RunOptions(device="gpu").check(prefix)
    assert str(caught.value) == f"{prefix}device: unknown device 'gpu'; use auto, cpu, cuda or cuda:N"
    RunOptions(device="gpu").check(prefix, device=False)
