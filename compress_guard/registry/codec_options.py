"""Options of registered codecs, and steps of pipelines as files and calls write them."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, Final

from compress_guard.errors import OptionError, StepError
from compress_guard.records import CROP, PIPELINE, RESIZE, SOURCE, CodecSpec, PipelineStep, Scalar
from compress_guard.registry.codec_names import codec_named
from compress_guard.registry.lazy_table import unknown
from compress_guard.registry.tables import CODECS

QUALITY: Final = "quality"
"""Option of a step that is a codec: its setting."""
_PLAIN: Final = (SOURCE, RESIZE, CROP)
_FORM: Final = "write a name, or one name with its options: {jpeg: {quality: 80}}"
_MOST_STEPS: Final = 100
_EXAMPLES: Final = {RESIZE: "{longest: 1600}", CROP: "{centre: 0.9}", SOURCE: "{}"}


def example_options(step: str) -> str:
    """Return options of a step of this name as files write them: ``{quality: 80}``."""
    return _EXAMPLES.get(step, "{quality: 80}")


def option_names(kind: str) -> tuple[str, ...]:
    """Return the options that a registered codec takes."""
    return tuple(parameter.name for parameter in _parameters(kind) if not parameter.name.startswith("_"))


def required_options(kind: str) -> tuple[str, ...]:
    """Return the options of a registered codec that have no default."""
    return tuple(parameter.name for parameter in _parameters(kind) if parameter.default is parameter.empty)


def _parameters(kind: str) -> list[inspect.Parameter]:
    """Return the named parameters by which a registered codec is made."""
    parameters = inspect.signature(CODECS.resolve(kind)).parameters.values()
    return [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def read_steps(given: object, aliases: Mapping[str, CodecSpec] | None = None) -> tuple[PipelineStep, ...]:
    """Return the steps of a list of names, of maps from one name to its options, and of steps.

    A name may be one of `aliases`, whose options the step then has. Only the form of steps is checked, and that codecs
    are known. Raises `OptionError`, for a single step `StepError`.
    """
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise OptionError(f"steps must be a list, found {given!r}; {_FORM}")
    if not given:
        raise OptionError(f"steps is an empty list; {_FORM}")
    if len(given) > _MOST_STEPS:
        raise OptionError(f"steps has {len(given)} elements; at most {_MOST_STEPS} are taken")
    known = aliases or {}
    return tuple(_step(number, element, known) for number, element in enumerate(given, start=1))


def _step(number: int, given: object, aliases: Mapping[str, CodecSpec]) -> PipelineStep:
    if isinstance(given, PipelineStep):
        return given
    if isinstance(given, str):
        return _named(number, given, {}, aliases)
    if not isinstance(given, Mapping) or len(given) != 1:
        found = f"a map of {len(given)} keys" if isinstance(given, Mapping) else repr(given)
        raise StepError(number, "", f"found {found}; {_FORM}")
    ((name, options),) = given.items()
    if not isinstance(name, str):
        raise StepError(number, "", f"found {name!r} as a name; {_FORM}")
    if options is None:
        options = {}
    if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
        raise StepError(
            number, name, f"its options are {options!r}; write a map of them, such as {example_options(name)}"
        )
    return _named(number, name, options, aliases)


def _named(number: int, name: str, options: Mapping[str, Any], aliases: Mapping[str, CodecSpec]) -> PipelineStep:
    quality = None
    if QUALITY in options and name not in _PLAIN:
        quality = _quality(number, name, options[QUALITY])
        options = {key: value for key, value in options.items() if key != QUALITY}
    kept = {key: _frozen(number, name, key, value) for key, value in options.items()}
    if name in _PLAIN:
        if name in aliases:
            raise StepError(number, name, "a codec of the file has the name of this step; give that codec another name")
        return PipelineStep(name, name, tuple(sorted(kept.items())))
    spec = aliases.get(name) or _registered(number, name, kept)
    if spec.type == PIPELINE:
        raise StepError(number, name, "a pipeline cannot be a step of another; write its steps here")
    if spec.type not in CODECS:
        own = [alias for alias, known in aliases.items() if known.type != PIPELINE]
        others = [each for each in CODECS if each != PIPELINE and each not in own]
        raise StepError(number, "", unknown("step", name, (*_PLAIN, *own, *others)))
    return PipelineStep(name, spec.type, tuple(sorted((dict(spec.options) | kept).items())), quality)


def _registered(number: int, name: str, options: Mapping[str, Scalar]) -> CodecSpec:
    """Return the codec of a name that may carry options, such as ``zoo:mbt2018-mean``."""
    try:
        return codec_named(name, options)
    except OptionError as problem:
        raise StepError(number, name, str(problem)) from None


def _quality(number: int, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or value != value:
        remedy = "; leave it out, which only the last step may do" if value is None else ""
        raise StepError(number, name, f"quality must be a number, found {value!r}{remedy}")
    return float(value)


def _plain(value: str | numbers.Real) -> str | int | float | bool:
    """Return a text or a number as Python's own type, also for a number of numpy."""
    if isinstance(value, str | int | float):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _frozen(number: int, name: str, key: str, value: object) -> Scalar:
    """Return the value of an option in the form that a specification keeps."""
    if isinstance(value, list | tuple) and all(isinstance(each, str | numbers.Real) for each in value):
        return tuple(_plain(each) for each in value)
    if isinstance(value, str | numbers.Real):
        return _plain(value)
    raise StepError(number, name, f"{key} must be text, a number, true, false or a list of these, found {value!r}")
