"""Certainty that a model predicts as in an earlier run: its fingerprint, and the software and hardware under it."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from compress_guard import __version__, own_code
from compress_guard import store as keys
from compress_guard.engine.settings import RunSettings, device_name, processor
from compress_guard.errors import ModelError
from compress_guard.records import Fingerprint, Guard
from compress_guard.registry import TASKS, code_of
from compress_guard.store import Store

_LIBRARIES: Final = (
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "opencv-python-headless",
    "timm",
    "transformers",
)
"""Distributions that predictions and evidence may depend on, if they are installed."""

_PACKAGES: Final = ("codecs", "engine", "records", "tasks")
"""Parts of this package that evidence may depend on."""

_REDUCED: Final = (
    "cuda.matmul.allow_fp16_reduced_precision_reduction",
    "cuda.matmul.allow_bf16_reduced_precision_reduction",
    "cuda.matmul.allow_fp16_accumulation",
)
"""Flags of `torch.backends`, if this version has them."""
_OLDER_PRECISIONS: Final = ("cuda.matmul.allow_tf32", "cudnn.allow_tf32")
_PRECISIONS: Final = (
    "fp32_precision",
    "cuda.matmul.fp32_precision",
    "cudnn.fp32_precision",
    "cudnn.conv.fp32_precision",
    "cudnn.rnn.fp32_precision",
    "mkldnn.fp32_precision",
    "mkldnn.matmul.fp32_precision",
    "mkldnn.conv.fp32_precision",
    "mkldnn.rnn.fp32_precision",
)


@dataclass(frozen=True, slots=True)
class Certainty:
    """The fingerprint of a model, and the store that keeps its evidence."""

    store: Store
    run_folder: Path
    fingerprint: Fingerprint
    folder: Path
    """Folder that contains the fingerprint's files."""
    names: tuple[str, ...]
    """Task, with its code if it is a third party's, and factory: they distinguish models that share one fingerprint."""

    def identity(self, device: str, batch_size: int) -> str:
        """Return a key of the model and of everything except the images that its predictions depend on.

        Raises `ModelError` for a file of the fingerprint that cannot be read.
        """
        return keys.key(*self.names, *self._fingerprints(), *_surroundings(device), str(batch_size))

    def _fingerprints(self) -> Iterator[str]:
        yield self.fingerprint.stated
        for name in sorted(self.fingerprint.files):
            try:
                with (self.folder / name).open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as problem:
                raise ModelError(
                    f"fingerprint: the file {name} cannot be read ({problem.strerror}); expected a file that holds "
                    "(part of) the model, named from the folder of the thresholds file"
                ) from problem
            yield f"{name} {digest}"


def certainty(guard: Guard, folder: Path, settings: RunSettings) -> Certainty | None:
    """Return the certainty of a guard's model; None if it has no fingerprint, or if no store outlasts the run.

    `folder` is that of the thresholds file.
    """
    if guard.fingerprint is None or settings.store_folder == settings.run_folder:
        return None
    names = (guard.task + code_of(TASKS.resolve(guard.task)), guard.model)
    return Certainty(settings.store(), settings.run_folder, guard.fingerprint, folder, names)


def _surroundings(device: str) -> Iterator[str]:
    """Yield everything in software and hardware that may change the last bit of a prediction."""
    import torch

    yield f"compress_guard {__version__} {_code()}, Python {'.'.join(platform.python_version_tuple()[:2])}"
    for name in _LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    # The index of a GPU does not count: the next run may place its workers on other ones.
    yield device.partition(":")[0] + device_name(device).partition(" (")[2]
    yield f"{processor()} {platform.machine()} {torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()}"
    yield f"{torch.get_default_dtype()} {torch.backends.mkldnn.enabled} {torch.backends.mkldnn.deterministic}"
    yield f"{torch.are_deterministic_algorithms_enabled()}"
    if device.startswith("cuda"):
        cudnn = torch.backends.cudnn
        version = cudnn.version()  # type: ignore[no-untyped-call]  # of torch
        yield f"{torch.version.cuda} {version} {cudnn.enabled} {cudnn.benchmark} {cudnn.deterministic}"
    yield from _precisions()


def _precisions() -> Iterator[str]:
    """Yield the shortcuts that are allowed in products of single precision."""
    import torch

    # Since torch 2.9 the older names cannot be read once a newer one is set.
    newer = hasattr(torch.backends, "fp32_precision")
    if not newer:
        yield torch.get_float32_matmul_precision()
    for name in (*_REDUCED, *(_PRECISIONS if newer else _OLDER_PRECISIONS)):
        with contextlib.suppress(AttributeError):
            yield f"{name} {functools.reduce(getattr, name.split('.'), torch.backends)}"


def _code() -> str:
    """Return a hash of the code of this package that evidence may depend on."""
    return own_code.digest(*_PACKAGES)
