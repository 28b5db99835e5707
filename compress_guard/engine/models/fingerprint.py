"""What makes a model certain to predict as it did in an earlier run: its fingerprint, and all that it runs on."""

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
"""Distributions that predictions and evidence may depend on, as far as they are installed."""

_PACKAGES: Final = ("codecs", "engine", "records", "tasks")
"""Parts of this package that evidence may depend on."""

_REDUCED: Final = (
    "cuda.matmul.allow_fp16_reduced_precision_reduction",
    "cuda.matmul.allow_bf16_reduced_precision_reduction",
    "cuda.matmul.allow_fp16_accumulation",
)
"""Flags of `torch.backends`, as far as its version has them."""
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
    """What vouches for a model, and where what it predicted is kept."""

    store: Store
    run_folder: Path
    fingerprint: Fingerprint
    folder: Path
    """Where the fingerprint's files are looked for."""
    names: tuple[str, ...]
    """What tells apart the models that one fingerprint may stand for: task (with its code, if not ours), factory."""

    def identity(self, device: str, batch_size: int) -> str:
        """A key of the model and of all that its predictions depend on beside the images.

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
    """What vouches for a guard's model; None where nothing does, or where nothing outlasts the run.

    `folder` is that of the thresholds file.
    """
    if guard.fingerprint is None or settings.store_folder == settings.run_folder:
        return None
    names = (guard.task + code_of(TASKS.resolve(guard.task)), guard.model)
    return Certainty(settings.store(), settings.run_folder, guard.fingerprint, folder, names)


def _surroundings(device: str) -> Iterator[str]:
    """Other sums, other roundings: whatever may change the last bit of a prediction."""
    import torch

    yield f"compress_guard {__version__} {_code()}, Python {'.'.join(platform.python_version_tuple()[:2])}"
    for name in _LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
    # Not which of several GPUs it is: the next run may have its workers on others.
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
    """By what shortcuts single precision is multiplied."""
    import torch

    # Since torch 2.9 the older names may not be read once somebody has set a newer one.
    newer = hasattr(torch.backends, "fp32_precision")
    if not newer:
        yield torch.get_float32_matmul_precision()
    for name in (*_REDUCED, *(_PRECISIONS if newer else _OLDER_PRECISIONS)):
        with contextlib.suppress(AttributeError):
            yield f"{name} {functools.reduce(getattr, name.split('.'), torch.backends)}"


def _code() -> str:
    """Return what changes with any line here that evidence may depend on."""
    return own_code.digest(*_PACKAGES)
