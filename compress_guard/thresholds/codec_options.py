"""Options of a codec in a file: texts, numbers, lists of these, and the steps of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compress_guard.errors import OptionError, StepError
from compress_guard.records import CodecSpec, Scalar
from compress_guard.registry import example_options, read_steps
from compress_guard.registry.codec_options import QUALITY
from compress_guard.thresholds.value import Entry, Value

_STEPS: Final = "steps"
_FORM: Final = "write a name, or one name with its options: {jpeg: {quality: 80}}"


def read_option(name: str, value: Value) -> Scalar:
    """Read an option that is a text, a number, true, false, or a list of texts and numbers."""
    scalar = value.scalar
    if value.is_list:
        parts = value.elements(name)
        plain = [part.scalar for part in parts if part.scalar is not None and not isinstance(part.scalar, bool)]
        if len(plain) == len(parts):
            return tuple(plain)
        raise value.error(f"the list {name} must hold texts or numbers", "write texts or numbers")
    if scalar is None:
        raise value.error(
            f"{name} must be text, a number, true, false or a list, found {value.described}", "give it a value"
        )
    return scalar


def read_pipeline(table: Mapping[str, Entry], aliases: Mapping[str, CodecSpec]) -> dict[str, Scalar]:
    """Read the options of a pipeline; its steps may name `aliases`, whose options they have.

    Only the form of the steps is checked, and that their codecs are known.
    """
    options = {name: read_option(name, entry.value) for name, entry in table.items() if name != _STEPS}
    if _STEPS in table:
        value = table[_STEPS].value
        elements = value.elements(_STEPS)
        try:
            options[_STEPS] = read_steps([_written(element) for element in elements], aliases)
        except StepError as problem:
            raise elements[problem.number - 1].error(str(problem), "correct the step") from None
        except OptionError as problem:
            raise value.error(str(problem), "correct the steps") from None
    return options


def _written(value: Value) -> object:
    """Return an element of the list as `read_steps` takes it."""
    if value.is_list or not value.is_map:
        if not isinstance(value.scalar, str):
            raise value.error(f"a step must be a name or a map with one name, found {value.described}", _FORM)
        return value.scalar
    return {entry.key.scalar: _options(str(entry.key.scalar), entry.value) for entry in value.entries()}


def _options(step: str, value: Value) -> dict[str, Scalar]:
    if value.empty:
        return {}
    if not value.is_map:
        raise value.error(
            f"the options of {step} must be a map, found {value.described}", f"write {step}: {example_options(step)}"
        )
    return {name: _given(step, name, entry.value) for name, entry in value.table().items()}


def _given(step: str, name: str, value: Value) -> Scalar:
    if value.empty:
        remedy = f"give it one, or leave {name} out"
        if name == QUALITY:
            remedy = "write a number such as quality: 80, or leave quality out, which only the last step may do"
        raise value.error(f"{name} of the step {step} has no value", remedy)
    return read_option(name, value)
