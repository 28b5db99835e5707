"""The entropy coder alone: symbols come back, and bytes that are not its own are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.codecs.neural import model as models
from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.neural.coder import CODER_BYTES, AnsReader, AnsWriter
from compress_guard.codecs.neural.estimates import EstimateReader, EstimateWriter
from compress_guard.codecs.neural.frequencies import Frequencies, from_cumulative, total_information
from compress_guard.codecs.neural.stream import HEADER_BYTES
from compress_guard.errors import CodecError

pytestmark = pytest.mark.skipif(Neural().unavailable() is not None, reason="needs the extra neural")

TABLES = from_cumulative([[0, 9, 65000, 65535, 65536], [0, 65535, 65536]], [5, 3], [-1, 7])
KINDS = [(AnsWriter, AnsReader), (EstimateWriter, EstimateReader)]

symbols_and_rows = st.lists(
    st.tuples(st.integers(-4, 9) | st.integers(-(2**22), 2**22), st.integers(0, 1)), max_size=30
)


def typical(count: int, frequencies: Frequencies, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return symbols as frequent as the tables say, and their rows; an escape is a neighbour of the table."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, len(frequencies.rows), count)
    at = [generator.choice(len(frequencies.rows[row]), p=frequencies.rows[row] / 65536) for row in rows]
    return (np.asarray(at) + frequencies.offsets[rows]).astype(np.int32), rows


@pytest.mark.parametrize(("writer", "reader"), KINDS)
@given(puts=st.lists(symbols_and_rows, max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_symbols_come_back_in_the_order_in_which_they_were_put(writer, reader, puts) -> None:
    coding = writer()
    parts = [(np.asarray([s for s, _ in put], np.int32), np.asarray([r for _, r in put], np.int32)) for put in puts]
    for symbols, rows in parts:
        coding.put(symbols, rows, TABLES)
    reading = reader(coding.finish())
    for symbols, rows in parts:
        assert reading.get(rows, TABLES).tolist() == symbols.tolist()
    reading.finish()


@pytest.mark.parametrize(("writer", "reader"), KINDS)
def test_symbols_that_were_left_are_noticed(writer, reader) -> None:
    coding = writer()
    coding.put(np.asarray([-1, 1, 1, -1], np.int32), np.zeros(4, np.int32), TABLES)
    reading = reader(coding.finish())
    reading.get(np.zeros(3, np.int32), TABLES)
    with pytest.raises(CodecError) as caught:
        reading.finish()
    assert str(caught.value) == "it does not end with the last symbol of the image"


@pytest.mark.parametrize(("writer", "reader"), KINDS)
def test_nothing_is_read_past_the_end(writer, reader) -> None:
    coding = writer()
    coding.put(np.asarray([-1, 1, 1, -1], np.int32), np.zeros(4, np.int32), TABLES)
    reading = reader(coding.finish())

    def read_on() -> None:
        for _ in range(100):
            reading.get(np.zeros(4, np.int32), TABLES)

    with pytest.raises(CodecError) as caught:
        read_on()
    assert str(caught.value) == "it ends before the last symbol of the image"


@given(payload=st.binary(max_size=80), asked=st.lists(st.integers(0, 200), min_size=1, max_size=6))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_bytes_that_nobody_coded_are_refused(payload, asked) -> None:
    """A reader accepts only the bytes that a writer makes of the same symbols."""
    rows = [np.arange(count) % 2 for count in asked]
    try:
        reading = AnsReader(payload)
        read = [reading.get(part, TABLES) for part in rows]
        reading.finish()
    except CodecError:
        return
    coding = AnsWriter()
    for symbols, part in zip(read, rows, strict=True):
        coding.put(symbols, part, TABLES)
    assert coding.finish() == payload


@pytest.mark.parametrize("payload", [b"\0", b"1234\0", b"12345678\0\0"])
def test_a_stream_never_ends_with_a_zero(payload) -> None:
    with pytest.raises(CodecError) as caught:
        AnsReader(payload)
    assert str(caught.value) == "its last byte is zero, and no stream of this codec ends with one"


def test_an_estimate_is_what_coding_takes() -> None:
    for frequencies in (models.model("cpu").scales, models.model("cpu").latents):
        differences = []
        for seed in range(40):
            symbols, rows = typical(100, frequencies, seed)
            estimating, coding = EstimateWriter(), AnsWriter()
            for writer in (estimating, coding):
                writer.put(symbols, rows, frequencies)
            differences.append(HEADER_BYTES + len(coding.finish()) - estimating.size)
        assert abs(np.mean(differences)) < 0.3
        assert np.abs(differences).max() < 1.5


@pytest.mark.parametrize("table", ["scales", "latents"])
@pytest.mark.parametrize("count", [1, 30, 3000])
def test_no_stream_is_shorter_than_the_bound_that_is_told_of_its_size(table, count) -> None:
    """The cheapest symbols of all, and as many of each row."""
    frequencies = getattr(models.model("cpu"), table)
    best = np.asarray([int(row.argmax()) for row in frequencies.rows]) + frequencies.offsets
    rows = np.repeat(np.arange(len(frequencies.rows)), count)
    for writer, reader in KINDS:
        coding = writer()
        coding.put(best[rows].astype(np.int32), rows, frequencies)
        fewest, length = reader.fewest_bytes(frequencies, count), len(coding.finish())
        assert fewest <= length
        if writer is AnsWriter and count == 3000:
            assert length - CODER_BYTES < 1.02 * fewest
            assert length == pytest.approx(CODER_BYTES + total_information(best[rows], rows, frequencies) / 8, abs=2)


def test_a_stream_that_unpacks_to_far_more_is_not_unpacked() -> None:
    coding = EstimateWriter()
    coding.put(np.zeros(10_000_000, np.int32), np.zeros(10_000_000, np.uint8), TABLES)
    reading = EstimateReader(coding.finish())
    assert reading.get(np.zeros(4, np.int32), TABLES).tolist() == [0] * 4
    with pytest.raises(CodecError, match="it does not end with the last symbol of the image"):
        reading.finish()
