"""Batches of items that go together, on a device whose memory may run out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Sequence
from typing import Final, Self, TypeVar, final

from compress_guard.codecs.contract import RealStreams
from compress_guard.errors import CodecError

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

# What torch says where it raises a bare RuntimeError: the driver, cuBLAS, and the CPU's allocator.
_OUT_OF_MEMORY: Final = ("out of memory", "ALLOC_FAILED", "DefaultCPUAllocator: can't allocate memory")


@final
class Device:
    """Where a codec works, and what it has met there that a reader of the results should know.

    Codecs are frozen; this is the one thing of them that changes, from whatever thread they are used.
    """

    __slots__ = ("_fits", "_notes", "name")

    def __init__(self, name: str = "cpu") -> None:
        self.name: Final = name
        """``cpu`` or ``cuda:N``. Tests without a GPU say ``cpu:0``, which torch takes and which is not ``cpu``."""
        self._fits: Final[dict[Hashable, int]] = {}
        self._notes: Final[dict[str, str]] = {}

    @property
    def remark(self) -> str | None:
        """All that was noted, in order, and to what size batches were cut; None if nothing was."""
        notes = [*self._notes.values()]
        if self._fits:
            notes.append(f"batches cut to {min(self._fits.values())} after memory ran out on {self.name}")
        return "; ".join(notes) or None

    def note(self, remark: str, about: str | None = None) -> None:
        """Remember a remark, the first one about a subject; a remark is its own subject if none is named."""
        self._notes.setdefault(about or remark, remark)

    def limit(self, key: Hashable, limit: int) -> int:
        """How many items of a key go in one batch: `limit`, or what was left of it when memory ran out."""
        return min(limit, self._fits.get(key, limit))

    def cut(self, key: Hashable, limit: int) -> None:
        """Remember that no more than `limit` items of a key fit, and give back what memory is only cached."""
        self._fits[key] = limit
        self.free()

    def free(self) -> None:
        """Give back the memory that torch holds on a CUDA device without using it."""
        if self.name.startswith("cuda"):
            import torch

            torch.cuda.empty_cache()


class Placed(RealStreams):
    """What a codec is that can work on a GPU: a frozen dataclass that derives from this and has one field more::

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
    """The result of each item, in the order of the items, from calls of `run` on items with equal keys.

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
    """What `run` returns, None if memory ran out; the error is dropped, since it holds the frames and their tensors."""
    try:
        return run(batch)
    except (MemoryError, RuntimeError) as problem:
        if not out_of_memory(problem):
            raise
        return None


def out_of_memory(problem: BaseException) -> bool:
    """Whether an error says that the memory of a device, or of the machine, ran out."""
    import torch

    if isinstance(problem, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(problem, RuntimeError) and any(sign in str(problem) for sign in _OUT_OF_MEMORY)
