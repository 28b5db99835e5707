"""The environment of a run: platform, versions and settings."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from compress_guard import __version__
from compress_guard.installed import installed_version
from compress_guard.report.notes.provenance import provenance

if TYPE_CHECKING:
    from compress_guard.engine.settings import RunSettings
    from compress_guard.records import Thresholds

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
    "constriction",
)
"""Distributions that a score, a rate or a test may depend on."""


def environment(settings: RunSettings, thresholds: Thresholds | None = None) -> dict[str, Any]:
    """Return when and of what the results are, versions of what is installed, and the settings of the run.

    Nothing is imported for the versions, of Python, the platform and packages. `device`, `workers`, `limit`, `seed`,
    `early_stop` and `strict` are as requested; each cell names its device.
    """
    return {
        **provenance(thresholds, settings.run_folder),
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
            versions[name] = installed_version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
