"""Streams say all that a decoder needs in a few bytes, and what cannot be one is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.codecs.zoo import streams
from compress_guard.errors import CodecError

SIZES = st.tuples(st.integers(1, 2**16), st.integers(1, 2**16))
STRINGS = st.lists(st.binary(min_size=1, max_size=40).map(lambda word: word * 4), min_size=1, max_size=3)


@settings(deadline=None)
@given(position=st.integers(0, 200), size=SIZES, strings=STRINGS)
def test_a_coded_stream_comes_back(position: int, size: tuple[int, int], strings: list[bytes]) -> None:
    stream = streams.pack_coded(position, size, strings)
    assert streams.unpack_coded(stream, len(strings)) == (
        streams.LearnedHeader(position, size, estimated=False),
        strings,
    )
    assert streams.cost_of(stream) == len(stream)
    assert streams.header_of(stream) == streams.LearnedHeader(position, size, estimated=False)
    payload = sum(map(len, strings))
    assert len(stream) - payload <= streams.overhead(position, size, len(strings))


def test_the_header_of_a_photograph_takes_eight_bytes() -> None:
    assert len(streams.pack_coded(7, (512, 768), [b"abcd" * 3000, b"abcd" * 30])) - 3030 * 4 == 8


@settings(deadline=None)
@given(data=st.data(), strings=STRINGS)
def test_a_stream_that_was_cut_is_refused(data: st.DataObject, strings: list[bytes]) -> None:
    stream = streams.pack_coded(3, (20, 30), strings)
    cut = stream[: data.draw(st.integers(0, len(stream) - 1))]
    try:
        header, found = streams.unpack_coded(cut, len(strings))
    except CodecError:
        return
    # One check byte lets one in 256 through, never to a decoder that would read past its end.
    assert header.size == (20, 30)
    assert all(len(one) >= 4 and len(one) % 4 == 0 for one in found)


@settings(max_examples=300, deadline=None)
@given(junk=st.binary(max_size=60), strings=st.integers(1, 2))
def test_junk_is_refused_or_read_never_a_crash(junk: bytes, strings: int) -> None:
    for read in (lambda: streams.unpack_coded(junk, strings), lambda: streams.unpack_estimated(junk)):
        try:
            header, _ = read()
        except CodecError:
            continue
        assert min(header.size) >= 1


@settings(deadline=None)
@given(
    whole=st.booleans(), shape=st.tuples(*[st.integers(1, 5)] * 3), cost=st.integers(0, 10**7), seed=st.integers(0, 99)
)
def test_latents_come_back_bit_by_bit(whole: bool, shape: tuple[int, int, int], cost: int, seed: int) -> None:
    latents = 300 * torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))
    latents = latents.round() if whole else latents
    stream = streams.pack_estimated(5, (33, 44), cost, latents)
    header, found = streams.unpack_estimated(stream)
    assert header == streams.LearnedHeader(5, (33, 44), estimated=True)
    assert torch.equal(found, latents)
    assert streams.cost_of(stream) == cost


@pytest.mark.parametrize("values", [[1e6], [float("inf")], [0.5], [-32768.0], [32767.0, -3.0]])
def test_latents_of_any_size_come_back(values: list[float]) -> None:
    latents = torch.tensor(values).reshape(1, -1, 1, 1)
    assert torch.equal(streams.unpack_estimated(streams.pack_estimated(0, (1, 1), 9, latents))[1], latents)


def test_whole_latents_take_half_the_room() -> None:
    latents = (100 * torch.randn(1, 32, 8, 8, generator=torch.Generator().manual_seed(0))).round()
    whole, others = (len(streams.pack_estimated(0, (9, 9), 1, one)) for one in (latents, latents + 0.1))
    assert 1.8 * whole < others


def test_the_two_kinds_are_told_apart() -> None:
    latents = torch.zeros(1, 2, 1, 1)
    for read, stream in (
        (lambda one: streams.unpack_coded(one, 1), streams.pack_estimated(0, (4, 4), 5, latents)),
        (streams.unpack_estimated, streams.pack_coded(0, (4, 4), [b"abcd"])),
    ):
        with pytest.raises(CodecError, match="not an estimated stream|not a coded stream"):
            read(stream)
