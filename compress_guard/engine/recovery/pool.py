"""Arrays in a file: images of training steps are decoded once, and memory does not grow with their number."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, final

from compress_guard.errors import RunError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@final
class Pool:
    """Arrays of one dtype and of any shapes, end to end in a file that is mapped into memory."""

    def __init__(self, path: Path, shapes: tuple[tuple[int, ...], ...], dtype: np.dtype[Any]) -> None:
        self._path: Final = path
        self._shapes: Final = shapes
        self._dtype: Final = dtype
        self._starts: Final = [0]
        for shape in shapes:
            self._starts.append(self._starts[-1] + math.prod(shape))
        self._mapped: NDArray[Any] | None = None

    @classmethod
    def of(cls, path: Path, arrays: Iterable[NDArray[Any]]) -> Pool:
        """Write arrays to a file, one after the other as they come.

        Raises ValueError for two dtypes in one pool, `RunError` where the file cannot be written.
        """
        import numpy as np

        shapes: list[tuple[int, ...]] = []
        dtypes: set[np.dtype[Any]] = set()
        with _written(path) as file:
            for array in arrays:
                shapes.append(array.shape)
                dtypes.add(array.dtype)
                file.write(np.ascontiguousarray(array).data)
        if len(dtypes) > 1:
            raise ValueError(f"arrays of {sorted(map(str, dtypes))} in one pool; expected one dtype")
        return cls(path, tuple(shapes), dtypes.pop() if dtypes else np.dtype(np.uint8))

    def __len__(self) -> int:
        return len(self._shapes)

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Return a copy of the array at this index."""
        import numpy as np

        if not 0 <= index < len(self._shapes):
            raise IndexError(f"array {index} of a pool of {len(self._shapes)}")
        start, stop = self._starts[index], self._starts[index + 1]
        if start == stop:
            return np.empty(self._shapes[index], self._dtype)
        if self._mapped is None:
            self._mapped = np.memmap(self._path, self._dtype, mode="r")
        return np.array(self._mapped[start:stop]).reshape(self._shapes[index])


@contextlib.contextmanager
def _written(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file to write; errors of the disk become a `RunError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            yield file
    except OSError as problem:
        raise RunError(
            f"the decoded images of a study cannot be written to {path.parent} ({problem.strerror}); make room there, "
            "or name another folder for temporary files: TMPDIR=DIR"
        ) from problem
