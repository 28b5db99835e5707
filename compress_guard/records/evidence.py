"""Evidence: the contribution of each image of a pass to a score, and its form in bytes."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays: TypeAlias = Mapping[str, NDArray[Any]]

_LARGEST: Final = 2**32
"""Largest archive in bytes, unpacked; the evidence of a million images takes a part of that."""


SOURCE_HASHES: Final = ("pixels", "target")
"""Names of the hashes, uint8 arrays, in a record of source images that has the form of evidence."""


def same(first: Arrays, second: Arrays) -> bool:
    """Return True if the evidence of two predictions of an image is equal to the last bit."""
    import numpy as np

    return first.keys() == second.keys() and all(np.array_equal(values, second[name]) for name, values in first.items())


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Per-image evidence of one pass over (part of) a data set: named numpy arrays for each image id."""

    ids: tuple[str, ...]
    items: tuple[Arrays, ...]

    @classmethod
    def merge(cls, parts: Iterable[Evidence]) -> Evidence:
        """Return the evidence of all parts, in the order given; merging is exact."""
        parts = list(parts)
        return cls(
            tuple(name for part in parts for name in part.ids), tuple(item for part in parts for item in part.items)
        )

    def select(self, ids: Sequence[str]) -> Evidence:
        """Return the evidence of these images, in this order; raises KeyError for an id that is not there."""
        where = {name: index for index, name in enumerate(self.ids)}
        return Evidence(tuple(ids), tuple(self.items[where[name]] for name in ids))

    def to_bytes(self) -> bytes:
        """Return one compressed npz: for each array name the values of all images end to end, and each image's shape.

        Raises ValueError for arrays of objects, which could only be pickled.
        """
        import numpy as np

        names = tuple(self.items[0]) if self.items else ()
        arrays: dict[str, NDArray[Any]] = {"ids": np.array(self.ids, dtype=np.str_)}
        # An archive has checksums of its contents, not of its directory: a name could get lost unseen.
        arrays["names"] = np.array(names, dtype=np.str_)
        for name in names:
            values = [np.asarray(item[name]) for item in self.items]
            arrays[f"values.{name}"] = np.concatenate([value.reshape(-1) for value in values])
            arrays[f"shapes.{name}"] = np.array([value.shape for value in values], dtype=np.int64).reshape(
                len(values), values[0].ndim
            )
            if arrays[f"values.{name}"].dtype.hasobject:
                # Checked here: the parameter allow_pickle of savez_compressed is not known to numpy 1.26.
                raise ValueError(f"Object arrays cannot be saved: {name}")
        buffer = io.BytesIO()
        named: dict[str, Any] = dict(arrays)  # the stubs of numpy 2 see allow_pickle in any keyword
        np.savez_compressed(buffer, **named)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Evidence:
        """Return the evidence in bytes of `to_bytes`; nothing is unpickled. Raises ValueError for damaged bytes."""
        try:
            return cls._read(data)
        except Exception as problem:  # a damaged archive fails in a dozen ways, NotImplementedError among them
            raise ValueError(f"these bytes are not evidence: {problem}") from problem

    @classmethod
    def _read(cls, data: bytes) -> Evidence:
        import numpy as np

        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _LARGEST:
            raise ValueError(f"an archive that unpacks to {size} bytes")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            ids = tuple(str(name) for name in arrays["ids"])
            items: list[dict[str, NDArray[Any]]] = [{} for _ in ids]
            for name in (str(name) for name in arrays["names"]):
                values, shapes = arrays[f"values.{name}"], arrays[f"shapes.{name}"]
                start = 0
                for item, shape in zip(items, shapes.tolist(), strict=True):
                    end = start + math.prod(shape)
                    item[name] = values[start:end].reshape(shape)
                    start = end
        return cls(ids, tuple(items))
