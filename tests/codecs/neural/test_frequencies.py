"""Tables of the entropy coder: integers, the same on every machine and in every version of the library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.codecs.neural import frequencies as tables
from compress_guard.codecs.neural import model as models
from compress_guard.codecs.neural.codec import Neural
from compress_guard.errors import CodecError

SMALL = tables.from_cumulative([[0, 9, 65000, 65535, 65536], [0, 65535, 65536]], [5, 3], [-1, 7])
"""Symbols -1, 0 and 1 by row 0, symbol 7 by row 1; all others are escapes."""


@pytest.fixture(scope="module", params=["scales", "latents"])
def shipped(request) -> tables.Frequencies:
    if (reason := Neural().unavailable()) is not None:
        pytest.skip(reason)
    return getattr(models.model("cpu"), request.param)


def test_the_model_of_every_row_has_exactly_its_frequencies(shipped) -> None:
    """A coder in the state n decodes the symbol whose part of 2 ** 24 holds n: both ends of each part are looked at."""
    import constriction

    for row, model in zip(shipped.rows, tables.models(shipped), strict=True):
        ends = np.cumsum(row) * 256
        starts = ends - row * 256
        assert (row >= 1).all()
        assert ends[-1] == 2**24
        for symbol, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            for state in {start, end - 1}:
                words = np.asarray([state] if state else [], np.uint32)
                coder = constriction.stream.stack.AnsCoder(words)
                assert coder.decode(model) == symbol
                # What is left says the start of the part, and so its frequency.
                assert coder.pos() == (0, state - start)


def test_the_tables_are_those_of_the_weights() -> None:
    if (reason := Neural().unavailable()) is not None:
        pytest.skip(reason)
    from safetensors.numpy import load_file

    stored = load_file(models.WEIGHTS)
    for name, used in (("scale", models.model("cpu").scales), ("latent", models.model("cpu").latents)):
        cumulative, sizes = stored[f"table.{name}.cdf"], stored[f"table.{name}.size"]
        assert len(used.rows) == len(sizes) == 48
        for row, padded, size in zip(used.rows, cumulative, sizes.tolist(), strict=True):
            assert [0, *np.cumsum(row).tolist()] == padded[:size].tolist()
        assert used.offsets.tolist() == stored[f"table.{name}.offset"].tolist()


@given(st.lists(st.tuples(st.integers(-(2**22), 2**22), st.integers(0, 1)), min_size=1, max_size=40))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_symbols_come_back_from_their_places(drawn) -> None:
    symbols = np.asarray([symbol for symbol, _ in drawn], np.int32)
    rows = np.asarray([row for _, row in drawn])
    places, distances = tables.located(symbols, rows, SMALL)
    outside = tables.escaped(places, rows, SMALL)
    assert [not known for known in outside] == [symbol in ((-1, 0, 1) if row == 0 else (7,)) for symbol, row in drawn]
    assert len(distances) == outside.sum()
    assert (distances > 0).all()
    assert tables.symbols_at(places, rows, distances, SMALL).tolist() == symbols.tolist()


def test_neighbours_of_a_table_have_the_shortest_escapes() -> None:
    symbols = np.asarray([2, -2, 3, -3, 4], np.int32)
    places, distances = tables.located(symbols, np.zeros(5, np.int32), SMALL)
    assert places.tolist() == [3] * 5
    assert distances.tolist() == [1, 2, 3, 4, 5]
    assert tables.lengths(distances).tolist() == [1, 2, 2, 3, 3]


def test_a_symbol_that_no_escape_reaches_is_refused() -> None:
    with pytest.raises(CodecError) as caught:
        tables.located(np.asarray([2**23 + 100], np.int32), np.asarray([0]), SMALL)
    assert str(caught.value) == "a symbol is further from its table than 24 bits can say"


def test_symbols_are_grouped_by_row_in_their_own_order() -> None:
    order, parts = tables.groups(np.asarray([5, 0, 5, 2, 0, 5]))
    assert order.tolist() == [1, 4, 3, 0, 2, 5]
    assert parts == [(0, slice(0, 2)), (2, slice(2, 3)), (5, slice(3, 6))]
    order, parts = tables.groups(np.zeros(0, np.int32))
    assert (order.tolist(), parts) == ([], [])


def test_information_is_that_of_the_frequencies() -> None:
    symbols, rows = np.asarray([-1, 0, 7, 3], np.int32), np.asarray([0, 0, 1, 0])
    expected = sum(16 - np.log2(count) for count in (9, 64991, 65535, 1)) + np.log2(24) + 1
    assert tables.total_information(symbols, rows, SMALL) == pytest.approx(expected)
    assert tables.least_information(SMALL) == pytest.approx(32 - np.log2(64991) - np.log2(65535))
