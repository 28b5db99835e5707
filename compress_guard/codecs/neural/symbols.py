"""The symbols of images of one size, in the order of their streams: latents, then coefficients step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from compress_guard.codecs.neural.coder import AnsReader, AnsWriter
from compress_guard.codecs.neural.estimates import EstimateReader, EstimateWriter
from compress_guard.codecs.neural.frequencies import Integers
from compress_guard.codecs.neural.model import Answer, Coded, Model
from compress_guard.codecs.neural.stream import Header, Writer
from compress_guard.errors import CodecError
from compress_guard.records import Bits

if TYPE_CHECKING:
    import torch

W = TypeVar("W", bound=Writer)


def payloads(model: Model, size: tuple[int, int], coded: Coded, bits: Bits) -> list[bytes]:
    """Return what stands behind the header of each image's stream, for a batch of one size."""
    writers: Sequence[Writer]
    if bits == "estimated":
        writers = _written(model, size, coded, EstimateWriter)
    else:
        writers = _written(model, size, coded, AnsWriter)
    return [writer.finish() for writer in writers]


def estimated_sizes(model: Model, size: tuple[int, int], coded: Coded) -> list[float]:
    """Return the estimated bytes of the stream of each image, for a batch of one size."""
    return [writer.size for writer in _written(model, size, coded, EstimateWriter)]


def _written(model: Model, size: tuple[int, int], coded: Coded, writer: Callable[[], W]) -> list[W]:
    """Return a writer for each image of a batch of one size, with its symbols."""
    latents = coded.latent.int().cpu()
    channels = _channels(latents.shape[1:])
    steps = [(symbols.int().cpu(), rows.int().cpu()) for symbols, rows in zip(coded.symbols, coded.rows, strict=True)]
    squares = [model.squares(number, model.blocks(size)).cpu() for number in range(len(steps))]
    writers = []
    for at, latent in enumerate(latents):
        one = writer()
        one.put(latent.flatten().numpy(), channels, model.latents)
        for (symbols, rows), within in zip(steps, squares, strict=True):
            used = (rows[at] > 0) & within
            one.put(symbols[at][used].numpy(), rows[at][used].numpy(), model.scales)
        writers.append(one)
    return writers


def images_of(model: Model, headers: Sequence[Header], coded: Sequence[bytes], bits: Bits) -> list[torch.Tensor]:
    """Return the images of headers of one size and of their payloads.

    Raises `CodecError` for a payload that is not, to its last byte, the symbols of such an image.
    """
    import torch

    readers = [_reader(bits)(payload) for payload in coded]
    size = headers[0].height, headers[0].width
    shape = model.latent_shape(size)
    channels = _channels(shape)
    latents = [torch.from_numpy(reader.get(channels, model.latents)).reshape(shape) for reader in readers]

    def symbols(number: int, answer: Answer) -> torch.Tensor:
        rows = answer.row.cpu()
        used = (rows > 0) & model.squares(number, model.blocks(size)).cpu()
        values = torch.zeros(rows.shape, dtype=torch.float64)
        for at, reader in enumerate(readers):
            read = reader.get(rows[at][used[at]].numpy(), model.scales)
            values[at][used[at]] = torch.from_numpy(read).double()
        return values.to(model.device)

    latent = torch.stack(latents).to(model.device, torch.float64)
    images = model.decoded(latent, [header.rung for header in headers], size, symbols)
    for reader in readers:
        reader.finish()
    return list(images)


def require_plausible(model: Model, header: Header, payload: bytes, bits: Bits) -> None:
    """Raise `CodecError` for fewer bytes than any image of the header's size takes, before memory is taken for one."""
    _, height, width = model.latent_shape((header.height, header.width))
    if len(payload) < (fewest := _reader(bits).fewest_bytes(model.latents, height * width)):
        size = f"{header.width}x{header.height}"
        raise CodecError(f"an image of {size} pixels, as its header says, takes at least {fewest} bytes; it was cut")


def _reader(bits: Bits) -> type[AnsReader | EstimateReader]:
    return EstimateReader if bits == "estimated" else AnsReader


def _channels(shape: Sequence[int]) -> Integers:
    """Return the row of frequencies of each latent, which is its channel."""
    channels, height, width = shape
    return np.repeat(np.arange(channels, dtype=np.uint16), height * width)
