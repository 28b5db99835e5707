"""The fixtures: `guard`, `compressed_batches` and `codec_throughput` for people's own tests, and the cells' way to
session fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from compress_guard.plugin.options import switched_on

if TYPE_CHECKING:
    from compress_guard.engine.prediction import Batch
    from compress_guard.plugin.facade import GuardFacade
    from compress_guard.plugin.timing import CodecThroughput


DECISIONS: Final = (pytest.skip.Exception, pytest.fail.Exception, pytest.exit.Exception)
"""What pytest's own functions raise; `pytest.xfail` is a kind of `fail`."""


def _needs_gate(request: pytest.FixtureRequest) -> None:
    if not switched_on(request.config):
        pytest.skip("needs --compress-guard")
    from compress_guard.plugin.run import run_of

    run_of(request.config).collected.note_use()


@pytest.fixture
def guard(request: pytest.FixtureRequest) -> GuardFacade:
    """Gate a model from a test of your own.

    ::

        def test_survives_jpeg(guard, my_model, my_data):
            guard.check(my_model, my_data, task="classification", codec="jpeg", bpp=0.5, max_drop=3)

    `guard.check` fails the test with both scores, the drop and its interval if more is lost than `max_drop` points, and
    records one result, which appears in the summary, JUnit and JSON beside the cells of the thresholds file.
    `guard.measure` takes the same arguments and returns the result instead. Calls with the same model and data share
    clean predictions. Without ``--compress-guard`` the test is skipped.
    """
    _needs_gate(request)
    from compress_guard.plugin.facade import GuardFacade

    return GuardFacade(request)


@pytest.fixture
def compressed_batches(request: pytest.FixtureRequest) -> Iterator[Batch]:
    """Batches of compressed images for a test of your own, one test per marked codec and rate.

    ::

        @pytest.mark.compress_guard(codecs=["jpeg", "webp"], bpp=[0.25, 0.5], guard="photos")
        def test_confidence_stays_calibrated(compressed_batches):
            for batch in compressed_batches:
                batch.images   # list of uint8 RGB tensors (3, H, W) on the guard's device
                batch.targets  # as the data set gives them
                batch.bpp      # bits per pixel of each image

    ``guard=`` takes the data, rate mode and limit of a guard of the thresholds file; ``data=`` takes a factory
    (``package.module:callable``), ``fixture:NAME`` or the data set itself. Without ``--compress-guard`` the test is
    skipped.
    """
    _needs_gate(request)
    from compress_guard.plugin.marker import batches

    return batches(request)


@pytest.fixture
def codec_throughput(request: pytest.FixtureRequest) -> CodecThroughput:
    """Time a codec from a test of your own, with pytest-benchmark.

    ::

        def test_avif_is_fast_enough(codec_throughput, photos):
            codec_throughput.check(photos, codec="avif", bpp=0.5, work="decode", min_ratio=0.3)

    The images (uint8 RGB tensors (3, H, W) or PIL images) are brought to the rate; then the codec and a reference,
    ``reference="jpeg"``, take turns. `check` fails the test if the codec is slower than `min_ratio` times the
    reference, or if memory grows by more than `max_growth` megabytes, and records one result, which appears in the
    summary, JUnit and JSON. `measure` takes the same arguments, asserts nothing and returns the result. `work` is
    ``encode``, ``decode`` or ``round_trip``. The test is a benchmark of pytest-benchmark, which times the first call.
    Without ``--compress-guard`` the test is skipped.
    """
    _needs_gate(request)
    from compress_guard.plugin.timing import CodecThroughput

    return CodecThroughput(request)


@pytest.fixture(scope="session")
def compress_guard_session_fixtures(request: pytest.FixtureRequest) -> Callable[[str, type[Exception]], Any]:
    """Looks up the ``fixture:NAME`` of a thresholds file; being of session scope, it refuses narrower ones."""
    from compress_guard.engine.trouble import decided, pass_on
    from compress_guard.errors import described

    def lookup(name: str, error: type[Exception]) -> Any:
        try:
            return request.getfixturevalue(name)
        except pytest.FixtureLookupError as problem:
            raise error(f"fixture:{name}: there is no fixture {name!r}; expected a session-scoped fixture") from problem
        except pytest.fail.Exception as problem:
            if "ScopeMismatch" not in str(problem):
                decided(problem)
                raise
            raise error(f"fixture:{name}: is not session-scoped; expected @pytest.fixture(scope='session')") from None
        except DECISIONS as problem:
            # To skip, to fail, to leave: that is for pytest, and says something of the test, not of the model.
            decided(problem)
            raise
        except BaseException as problem:
            pass_on(problem)
            raise error(f"fixture:{name}: raised {described(problem)}; expected it to return an object") from problem

    return lookup
