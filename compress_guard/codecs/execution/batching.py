"""Batches of items with equal keys, on a device whose memory may run out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Self, TypeVar, final

from compress_guard.codecs.contract import RealStreams
from compress_guard.errors import CodecError

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

# Texts of a bare RuntimeError of torch: from the driver, from cuBLAS, and from the CPU's allocator.
_OUT_OF_MEMORY: Final = ("out of memory", "ALLOC_FAILED", "DefaultCPUAllocator: can't allocate memory")


@final
class Device:
    """The device that a codec works on, with remarks for readers of the results.

    Codecs are frozen; this is their only part that changes, on any thread.
    """

    __slots__ = ("_fits", "_notes", "name")

    def __init__(self, name: str = "cpu") -> None:
        self.name: Final = name
        """``cpu`` or ``cuda:N``. Tests without a GPU say ``cpu:0``, which torch takes and which is not ``cpu``."""
        self._fits: Final[dict[Hashable, int]] = {}
        self._notes: Final[dict[str, str]] = {}

    @property
    def remark(self) -> str | None:
        """All notes, in order, and the size that batches were cut to; None if there is neither."""
        notes = [*self._notes.values()]
        if self._fits:
            notes.append(f"batches cut to {min(self._fits.values())} after memory ran out on {self.name}")
        return "; ".join(notes) or None

    def note(self, remark: str, about: str | None = None) -> None:
        """Remember a remark, the first one about a subject; a remark is its own subject if none is named."""
        self._notes.setdefault(about or remark, remark)

    def limit(self, key: Hashable, limit: int) -> int:
        """Return the number of items of a key in one batch: `limit`, or less after memory ran out."""
        return min(limit, self._fits.get(key, limit))

    def cut(self, key: Hashable, limit: int) -> None:
        """Remember that at most `limit` items of a key fit, and free cached memory."""
        self._fits[key] = limit
        self.free()

    def free(self) -> None:
        """Free the memory that torch holds on a CUDA device without using it."""
        if self.name.startswith("cuda"):
            import torch

            torch.cuda.empty_cache()


class Placed(RealStreams):
    """A base for codecs that can work on a GPU: frozen dataclasses that derive from it and have one more field::

        _place: Device = field(default_factory=Device, init=False, repr=False, compare=False)

    The field is no option and no part of the codec's identity; `on` gives a copy of the codec a device of its own.
    """

    __slots__ = ()

    _place: Device

    @property
    def device(self) -> str:
        """See `Codec.device`."""
        return self._place.name

    @property
    def remark(self) -> str | None:
        """See `Codec.remark`."""
        return self._place.remark

    def on(self, device: str) -> Self:
        """See `Codec.on`; the codec itself where it is there already."""
        return self if device == self._place.name else self._at(Device(device))

    def _at(self, place: Device) -> Self:
        twin: Self = dataclasses.replace(self)  # type: ignore[type-var]  # whoever derives from this is a dataclass
        object.__setattr__(twin, "_place", place)
        return twin


def in_batches(
    items: Sequence[Item],
    keys: Sequence[Key],
    run: Callable[[list[Item]], Sequence[Result]],
    device: Device,
    limit: int | Callable[[Key], int],
) -> list[Result]:
    """Return the result of each item, in the order of the items, from calls of `run` on items with equal keys.

    Args:
        items, keys: What to run and what must agree within a batch, such as its size and level.
        run: Takes a list of items, returns one result each. It is called again with fewer items if memory runs out.
        device: Remembers per key how many items fitted, for later calls too; see `Device.remark`.
        limit: Most items in a batch, at least 1; or a function of the key that says it.

    Raises `CodecError` where the memory does not hold a single item.
    """
    groups: dict[Key, list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    results: dict[int, Result] = {}
    for key, numbers in groups.items():
        done = 0
        while done < len(numbers):
            batch = numbers[done : done + device.limit(key, limit(key) if callable(limit) else limit)]
            found = _attempt(run, [items[number] for number in batch])
            if found is not None:
                results.update(zip(batch, found, strict=True))
                done += len(batch)
            elif len(batch) > 1:
                device.cut(key, len(batch) // 2)
            else:
                device.free()
                raise CodecError(
                    f"memory ran out on {device.name} with item {batch[0] + 1} of {len(items)} alone; "
                    "free memory there, use smaller images, or choose another device"
                )
    return [results[number] for number in range(len(items))]


def _attempt(run: Callable[[list[Item]], Sequence[Result]], batch: list[Item]) -> Sequence[Result] | None:
    """Return the result of `run`, None if memory ran out.

    The error is dropped, since it holds the frames and their tensors.
    """
    try:
        return run(batch)
    except (MemoryError, RuntimeError) as problem:
        if not out_of_memory(problem):
            raise
        return None


def out_of_memory(problem: BaseException) -> bool:
    """Return True if an error says that the memory of a device, or of the machine, ran out."""
    import torch

    if isinstance(problem, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(problem, RuntimeError) and any(sign in str(problem) for sign in _OUT_OF_MEMORY)
