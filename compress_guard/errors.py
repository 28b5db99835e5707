"""The errors of compress_guard: what a person did, met or has to mend, each as one clear message."""

from __future__ import annotations

from typing import Final


class CompressGuardError(Exception):
    """Base of every error that compress_guard raises on purpose."""


class UsageError(CompressGuardError):
    """A thresholds file or an option that makes no sense: found before anything runs, exit code 4.

    The message reads ``where: found; remedy``, e.g. ``thresholds.yaml:14: photos: rate 20 bpp is outside 0.02 to 8;
    use a rate in that range``.
    """

    def __init__(self, where: str, found: str, remedy: str) -> None:
        super().__init__(f"{where}: {found}; {remedy}")
        self.where: Final = where
        self.found: Final = found
        self.remedy: Final = remedy


class ThresholdsError(UsageError):
    """A thresholds file that cannot be understood; `where` is ``file:line`` and, inside a guard, its name."""


class OptionError(CompressGuardError):
    """A codec option with a value that the codec does not know. The message says found and expected, not where."""


class RunError(CompressGuardError):
    """Something that can only go wrong at run time: the cells that depend on it get verdict `error`."""


class ModelError(RunError):
    """A model factory that does not import, or a model that answers in the wrong shape."""


class DataError(RunError):
    """A data factory that does not import, data without images, or a sample that cannot be used."""


class CodecUnavailable(RunError):
    """A codec whose library or program is not installed. The message ends with the command that brings it."""


class CodecError(RunError):
    """A codec that failed on an image: it did not encode, did not decode, or gave back another size."""
