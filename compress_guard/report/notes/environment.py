"""The environment of a run: platform, versions and settings."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from compress_guard import __version__

if TYPE_CHECKING:
    from compress_guard.engine.settings import RunSettings

_PACKAGES: Final = (
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "pytest",
    "pillow-heif",
    "pillow-jxl-plugin",
    "pyvips",
    "pyvips-binary",
    "compressai",
)
"""Distributions that a score, a rate or a test may depend on."""


def environment(settings: RunSettings) -> dict[str, Any]:
    """Return Python, platform, installed versions (nothing is imported for them) and the settings of the run.

    `device`, `workers`, `limit`, `seed`, `early_stop` and `strict` are as requested; each cell names its device.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "packages": {"compress-guard": __version__, **_installed()},
        "device": settings.device,
        "workers": settings.workers,
        "limit": settings.limit,
        "seed": settings.seed,
        "early_stop": settings.early_stop,
        "strict": settings.strict,
    }


def _installed() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
