"""The errors of compress_guard, each with one message that says what is wrong and what to do."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from compress_guard.foreign import LONGEST_SENTENCE, shown


class CompressGuardError(Exception):
    """Base of every error that compress_guard raises on purpose.

    The message is one line of printable characters, even if it repeats foreign text.
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(shown(text, LONGEST_SENTENCE) if isinstance(text, str) else text for text in arguments))


class UsageError(CompressGuardError):
    """A thresholds file or an option that makes no sense; it is reported before anything runs, with exit code 4.

    The message reads ``where: found; remedy``, e.g. ``thresholds.yaml:14: photos: rate 20 bpp is outside 0.02 to 8;
    use a rate in that range``.
    """

    def __init__(self, where: str, found: str, remedy: str) -> None:
        super().__init__(f"{where}: {found}; {remedy}")
        self.where: Final = where
        self.found: Final = found
        self.remedy: Final = remedy


class IncomparableError(UsageError):
    """Results that cannot be compared with one another; the command ends with exit code 2."""


class ThresholdsError(UsageError):
    """A thresholds file that cannot be understood; `where` is ``file:line`` and, inside a guard, its name."""


class OptionError(CompressGuardError):
    """An unknown or unusable option or argument; the message says what was found and expected, not where."""


class StepError(OptionError):
    """A step of a pipeline that makes no sense; the message begins with its number and name."""

    def __init__(self, number: int, name: str, found: str) -> None:
        super().__init__(f"step {number} ({name}): {found}" if name else f"step {number}: {found}")
        self.number: Final = number
        """Number of the step, counted from 1."""


class RegistrationError(OptionError):
    """A name that third parties register for a codec, task, model or data set, and that cannot be used."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}; {remedy}")
        self.found: Final = found
        self.remedy: Final = remedy


class RunError(CompressGuardError):
    """Base of errors that only a run can show; the cells that depend on the failing part get its `verdict`."""

    verdict: ClassVar[Literal["error", "codec_error", "unavailable", "unreachable"]] = "error"


class ModelError(RunError):
    """A model that cannot be used: it does not import, answers in the wrong shape, or knows nothing of the task."""


class DataError(RunError):
    """A data factory that does not import, data without images, or a sample that cannot be used."""


class CodecUnavailable(RunError):
    """A codec whose library or program is missing; the message ends with the command that installs it."""

    verdict = "unavailable"


class CodecError(RunError):
    """A codec that failed on an image: it did not encode, did not decode, or gave back another size."""

    verdict = "codec_error"


class Unreachable(RunError):
    """A rate that the codec does not reach on these images."""

    verdict = "unreachable"


class Fault(RunError):
    """An unexpected exception, kept as `__cause__`; the message says where it was raised."""


def error_text(problem: BaseException) -> str:
    """Return the text of an exception from foreign code, as one printable line of bounded length.

    Never raises, although computing the text may run foreign code.
    """
    text = _text(problem)
    return "its text cannot be read" if text is None else shown(text)


def first_error_line(problem: BaseException) -> str:
    """Return only the first line of the text of an exception, in the form that `error_text` gives."""
    text = _text(problem)
    return "its text cannot be read" if text is None else shown(text.partition("\n")[0])


def described(problem: BaseException) -> str:
    """Return name and text of an exception, ``ValueError: no weights here``, or its name if it has no text.

    Never raises.
    """
    name, text = shown(type(problem).__name__), error_text(problem)
    return f"{name}: {text}" if text else name


def _text(problem: BaseException) -> str | None:
    try:
        return str.__str__(str(problem))
    except BaseException:  # noqa: BLE001 -- an exception whose text fails must not hide the first one
        return None
