"""The errors of compress_guard: what a person did, met or has to mend, each as one clear message."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from compress_guard.foreign import LONGEST_SENTENCE, shown


class CompressGuardError(Exception):
    """Base of every error that compress_guard raises on purpose.

    Its message is one line of printable characters, whatever names, texts and programs it repeats.
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(shown(one, LONGEST_SENTENCE) if isinstance(one, str) else one for one in arguments))


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


class RegistrationError(OptionError):
    """A name of a codec, task, model or data set that others register, and that cannot be used as they register it."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}; {remedy}")
        self.found: Final = found
        self.remedy: Final = remedy


class RunError(CompressGuardError):
    """Something that can only go wrong at run time; the cells that depend on it get its verdict."""

    verdict: ClassVar[Literal["error", "codec_error", "unavailable", "unreachable"]] = "error"


class ModelError(RunError):
    """A model factory that does not import, or a model that answers in the wrong shape."""


class DataError(RunError):
    """A data factory that does not import, data without images, or a sample that cannot be used."""


class CodecUnavailable(RunError):
    """A codec whose library or program is not installed. The message ends with the command that brings it."""

    verdict = "unavailable"


class CodecError(RunError):
    """A codec that failed on an image: it did not encode, did not decode, or gave back another size."""

    verdict = "codec_error"


class Unreachable(RunError):
    """A rate that the codec does not reach on these images."""

    verdict = "unreachable"


class Fault(RunError):
    """An exception that nobody expected, as its `__cause__`. The message says where it was raised."""


def said(problem: BaseException) -> str:
    """Return the text of an exception that somebody's code raised, as one printable line of bounded length.

    Never raises: the text of an exception is people's code too.
    """
    text = _text(problem)
    return "its text cannot be read" if text is None else shown(text)


def first_said(problem: BaseException) -> str:
    """Return the first line alone of the text of an exception, as `said` does."""
    text = _text(problem)
    return "its text cannot be read" if text is None else shown(text.partition("\n")[0])


def described(problem: BaseException) -> str:
    """Return ``ValueError: no weights here`` for an exception that somebody's code raised, or its bare name where it
    says nothing. Never raises.
    """
    name, text = shown(type(problem).__name__), said(problem)
    return f"{name}: {text}" if text else name


def _text(problem: BaseException) -> str | None:
    try:
        return str.__str__(str(problem))
    except BaseException:  # noqa: BLE001 -- this text is only beside the matter, and may be as broken as it likes
        return None
