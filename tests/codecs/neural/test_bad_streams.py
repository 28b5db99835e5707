"""Streams that were cut, changed or made by somebody else: one sentence each, and never a picture by chance."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.codecs.neural.codec import Neural
from compress_guard.codecs.neural.stream import HEADER_BYTES, Header
from compress_guard.engine.coding.available import build_codec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.errors import CodecError
from compress_guard.records import CodecSpec
from compress_guard.store import Store

UNCHECKED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
"""Fixtures that no example changes, and the speed of a machine that may be busy."""

pytestmark = pytest.mark.skipif(Neural().unavailable() is not None, reason="needs the extra neural")

EARLIER = Path(__file__).parent / "stored" / "format1.neural"
"""A stream of format 1, coded by CompressAI's range coder."""
ENDS_EARLY = "it ends before the last symbol of the image"
ENDS_LATE = "it does not end with the last symbol of the image"
NO_FIT = "its check byte does not fit; it was cut or changed, or is no {} stream of this codec"


@pytest.fixture(scope="module")
def neural() -> Neural:
    return Neural()


def sealed(payload: bytes, width: int = 32, height: int = 32, rung: int = 60) -> bytes:
    """Return a stream whose check byte fits, whatever its payload is."""
    return Header(rung, height, width).sealed(payload, "coded")


def refusal(codec: Neural, stream: bytes) -> str:
    with pytest.raises(CodecError) as caught:
        codec.decode([stream])
    return str(caught.value)


@pytest.mark.parametrize("change", ["cut", "flipped", "foreign", "other rung", "larger", "guessed"])
def test_a_damaged_stream_does_not_fit_its_check_byte(neural, natural, change) -> None:
    good, stream = neural.encode([natural(32, 32, 0), natural(32, 32, 1)], [80.0, 80.0])
    damaged = {
        "cut": stream[:-4],
        "flipped": stream[:20] + bytes([stream[20] ^ 1]) + stream[21:],
        "foreign": b"\xff\xd8\xff\xe0" + bytes(40),
        "other rung": bytes([stream[0] ^ 1]) + stream[1:],
        "larger": stream[:1] + b"\x02\x00\x02\x00" + stream[5:],
        "guessed": Neural(bits="estimated").encode([natural(32, 32, 1)], [80.0])[0],
    }[change]
    with pytest.raises(CodecError) as caught:
        neural.decode([good, damaged])
    place = f"neural could not decode stream 2 of 2 ({len(damaged)} bytes)"
    assert str(caught.value) == f"{place}: {NO_FIT.format('coded')}"


@pytest.mark.parametrize("length", [0, 3, HEADER_BYTES])
def test_a_stream_without_payload_is_refused(neural, length) -> None:
    assert refusal(neural, bytes(length)) == (
        f"neural could not decode stream 1 of 1 ({length} bytes): {length} bytes are fewer than a header and a coded "
        "image take"
    )


def test_a_cut_stream_with_a_check_byte_that_fits_is_refused(neural, natural) -> None:
    (stream,) = neural.encode([natural(32, 32)], [85.0])
    payload = stream[HEADER_BYTES:]
    for kept in range(8, len(payload), 7):
        assert refusal(neural, sealed(payload[:kept].rstrip(b"\0"))) in [
            f"neural could not decode a stream of 32x32 pixels: {reason}" for reason in (ENDS_EARLY, ENDS_LATE)
        ]


def test_a_stream_with_something_behind_it_is_refused(neural, natural) -> None:
    (stream,) = neural.encode([natural(32, 32)], [85.0])
    for more in (b"\1", b"abcd", b"0123456789"):
        assert refusal(neural, sealed(stream[HEADER_BYTES:] + more)).startswith("neural could not decode a stream of ")
    assert refusal(neural, sealed(stream[HEADER_BYTES:] + b"\0")) == (
        "neural could not decode a stream of 32x32 pixels: its last byte is zero, and no stream of this codec ends "
        "with one"
    )


def test_the_stream_of_another_size_or_setting_is_refused(neural, natural) -> None:
    """A check byte that fits, as it does by accident once in 256 times: the coder itself has to notice."""
    (stream,) = neural.encode([natural(40, 32)], [80.0])
    payload = stream[HEADER_BYTES:]
    for other in (
        sealed(payload, width=32, height=40),  # setting 85
        sealed(payload, width=40, height=32, rung=65),
        sealed(payload, width=16, height=16, rung=65),
        sealed(payload, width=65, height=33, rung=65),
    ):
        assert refusal(neural, other).split(": ")[1] in (ENDS_EARLY, ENDS_LATE)


@given(payload=st.binary(min_size=1, max_size=300), width=st.integers(1, 40), height=st.integers(1, 40))
@settings(max_examples=60, deadline=None, suppress_health_check=UNCHECKED)
def test_random_bytes_with_a_check_byte_that_fits_are_refused(neural, payload, width, height) -> None:
    refused = refusal(neural, sealed(payload, width, height))
    assert refused == refusal(neural, sealed(payload, width, height))
    assert refused.partition(": ")[2].startswith(("it ", "its last byte is zero", "an image of "))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=UNCHECKED)
def test_changed_bits_with_a_check_byte_that_fits_are_refused(neural, natural, data) -> None:
    (stream,) = neural.encode([natural(24, 40)], [70.0])
    payload = bytearray(stream[HEADER_BYTES:])
    for place in data.draw(st.sets(st.integers(0, 8 * len(payload) - 1), min_size=1, max_size=6)):
        payload[place // 8] ^= 1 << (place % 8)
    refused = refusal(neural, sealed(bytes(payload), 40, 24, rung=75))
    assert refused.startswith("neural could not decode a stream of 40x24 pixels: it")


@given(st.binary(max_size=80))
@settings(max_examples=200, deadline=None, suppress_health_check=UNCHECKED)
def test_foreign_bytes_are_refused(neural, stream) -> None:
    for codec in (neural, Neural(bits="estimated")):
        assert refusal(codec, stream).startswith("neural could not decode ")


def test_a_size_that_the_bytes_cannot_code_is_refused_before_memory_is_taken(neural, natural, monkeypatch) -> None:
    def read(*_: object) -> None:
        raise AssertionError("a picture of 65535x65535 pixels takes terabytes")

    (stream,) = neural.encode([natural(32, 32)], [80.0])
    monkeypatch.setattr("compress_guard.codecs.neural.symbols.images_of", read)
    for kind, fewest in (("coded", 2619995), ("estimated", 780339)):
        huge = Header(60, 65535, 65535).sealed(stream[HEADER_BYTES:], kind)
        assert refusal(Neural(bits=kind), huge) == (
            f"neural could not decode stream 1 of 1 ({len(huge)} bytes): an image of 65535x65535 pixels, as its header "
            f"says, takes at least {fewest} bytes; it was cut"
        )


def test_an_estimating_decoder_refuses_what_it_did_not_pack(neural, natural) -> None:
    guessing = Neural(bits="estimated")
    real, guess = neural.encode([natural(32, 32)], [80.0])[0], guessing.encode([natural(32, 32)], [80.0])[0]
    for damaged in (real, guess[:-9], guess[:20]):
        assert refusal(guessing, damaged).endswith(NO_FIT.format("estimated"))
    payload = guess[HEADER_BYTES:]
    for changed, reason in (
        (payload[:-9], ENDS_EARLY),
        (payload[:60], ENDS_EARLY),
        (payload + b"more", ENDS_LATE),
        (payload[:4] + zlib.compress(zlib.decompress(payload[4:]) + b"more"), ENDS_LATE),
        (payload[:4] + b"no zlib" * 9, "its symbols cannot be unpacked: Error -3 while decompressing data: "),
    ):
        stream = Header(65, 32, 32).sealed(changed, "estimated")
        assert refusal(guessing, stream).startswith(f"neural could not decode a stream of 32x32 pixels: {reason}")


def test_a_stream_of_the_earlier_format_is_told_apart(neural) -> None:
    stream = EARLIER.read_bytes()
    assert refusal(neural, stream) == (
        f"neural could not decode stream 1 of 1 ({len(stream)} bytes): its check byte is that of format 1, which an "
        "earlier version of the codec wrote, and this one reads format 2; code the image again"
    )


def test_the_store_codes_streams_of_another_format_again(natural, tmp_path, monkeypatch) -> None:
    samples = Samples(SampleReader([(natural(24, 24), 0, "a")], lambda raw, size: raw))
    store = Store(tmp_path)
    store.prepare()
    encodes = []

    def streams(written: int) -> list[bytes]:
        monkeypatch.setattr("compress_guard.codecs.neural.codec.FORMAT", written)
        monkeypatch.setattr("compress_guard.codecs.neural.stream.FORMAT", written)
        coder = Coder(build_codec(CodecSpec("neural", "neural")), samples, survey(samples), store, 1)
        made = coder.streams([(0, 60.0)])
        encodes.append(coder.encoded_images)
        return list(made)

    earlier, later = streams(1), streams(2)
    assert earlier != later
    assert streams(2) == later
    assert encodes == [1, 1, 0]
