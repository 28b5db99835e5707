"""Images and streams on their way through networks, in batches of one setting and one padded size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from compress_guard.codecs.execution.batching import Device, in_batches, out_of_memory
from compress_guard.codecs.zoo.network import Size, padded
from compress_guard.errors import CodecError, error_text, first_error_line

Item = TypeVar("Item")
Result = TypeVar("Result")

BATCH_PIXELS: Final = 2**20
"""Most pixels of a batch, padding included: activations of 192 channels at half the size, a few at a time, come to
2 to 6 GB in float64."""


@dataclass(frozen=True, slots=True)
class Job(Generic[Item]):
    """An image or a stream, with the properties that must agree within a batch."""

    what: str
    """The action and the place of the item, for errors."""
    at: int
    """Position of the setting on the ladder."""
    size: Size
    item: Item

    @property
    def key(self) -> tuple[int, Size]:
        """Key: jobs with equal keys can share a batch."""
        return self.at, padded(self.size)


def run(
    jobs: Sequence[Job[Item]], work: Callable[[list[Job[Item]]], Sequence[Result]], place: Device, label: str
) -> list[Result]:
    """Return one result for each job, in their order, from calls of `work` on jobs of equal keys.

    On the CPU each call gets a single job.


    A batch that does not fit in memory is halved (see `in_batches`). One that fails otherwise is tried again one by
    one, so that the `CodecError` names the job at fault; `place` remarks on it where none is.
    """

    def attempt(batch: list[Job[Item]]) -> Sequence[Result]:
        try:
            return work(batch)
        except (CodecError, RuntimeError, ValueError, TypeError, IndexError, MemoryError) as problem:
            if len(batch) == 1:
                raise blamed(label, batch[0].what, problem, place) from problem
            if out_of_memory(problem):
                raise
            why = first_error_line(problem)
        found = [result for job in batch for result in attempt([job])]
        place.note(f"a batch failed on {place.name} ({why}); its images went one by one", "failed batch")
        return found

    def limit(key: tuple[int, Size]) -> int:
        height, width = key[1]
        return 1 if place.name == "cpu" else max(1, BATCH_PIXELS // (height * width))

    # Settings in order, so that each network is loaded once, for any number of networks.
    order = sorted(range(len(jobs)), key=lambda number: jobs[number].key)
    ordered = [jobs[number] for number in order]
    results = dict(zip(order, in_batches(ordered, [job.key for job in ordered], attempt, place, limit), strict=True))
    return [results[number] for number in range(len(jobs))]


def blamed(label: str, what: str, problem: BaseException, place: Device) -> CodecError:
    """Return the error of a network, with the job that it had."""
    reason = error_text(problem)
    if out_of_memory(problem):
        place.free()
        reason = f"memory ran out on {place.name}; free memory there, use smaller images, or choose another device"
    return CodecError(f"{label} could not {what}: {reason}")
