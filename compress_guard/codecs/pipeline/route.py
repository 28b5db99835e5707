"""The way of an image through the steps of a pipeline, built and checked once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from compress_guard.codecs.contract import Codec, kept_parts
from compress_guard.codecs.pictures.geometry import Geometry
from compress_guard.codecs.pipeline.cropping import Crop
from compress_guard.codecs.pipeline.scaling import Resize
from compress_guard.errors import CompressGuardError, OptionError, StepError, described
from compress_guard.records import CROP, RESIZE, SOURCE, PipelineStep, format_setting
from compress_guard.registry import CODECS, option_names, required_options, setting_fault, unknown

if TYPE_CHECKING:
    import torch

Reshape: TypeAlias = Resize | Crop
_RESHAPES: Final[dict[str, type[Reshape]]] = {RESIZE: Resize, CROP: Crop}


@dataclass(frozen=True, slots=True)
class Coding:
    """A step that encodes and decodes."""

    number: int
    """Number among all steps, counted from 1."""
    name: str
    codec: Codec
    quality: float | None
    """Setting of the codec; None where it is open."""

    @property
    def title(self) -> str:
        """``step 2 (jpeg)``, as messages call it."""
        return f"step {self.number} ({self.name})"


@dataclass(frozen=True, slots=True)
class Route:
    """The steps, parted at the last codec."""

    from_files: bool
    """True if the first step is the file of the source."""
    before: tuple[Reshape | Coding, ...]
    """Steps in front of the last codec, without the source."""
    last: Coding
    after: tuple[Reshape, ...]
    """Steps behind the last codec."""

    @property
    def codings(self) -> tuple[Coding, ...]:
        """The steps that are codecs, in their order."""
        return (*(step for step in self.before if isinstance(step, Coding)), self.last)

    @property
    def keeps(self) -> frozenset[str]:
        """Parts of a source's metadata that reach the last stream: what one step strips, no later step has."""
        return frozenset.intersection(*(kept_parts(step.codec) for step in self.codings))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the steps that bytes are counted for: the source's file, if it is the first, and each codec."""
        names = [step.name for step in self.codings]
        numbers = [f" (step {step.number})" if names.count(step.name) > 1 else "" for step in self.codings]
        coded = (name + number for name, number in zip(names, numbers, strict=True))
        return (SOURCE, *coded) if self.from_files else tuple(coded)

    @property
    def reshapes(self) -> tuple[Reshape, ...]:
        """The steps that scale or crop, in their order."""
        return (*(step for step in self.before if not isinstance(step, Coding)), *self.after)

    def moved(self, how: Callable[[Codec], Codec]) -> Route:
        """Return the route with each codec replaced by what a function makes of it."""

        def coding(step: Coding) -> Coding:
            return replace(step, codec=how(step.codec))

        before = tuple(coding(step) if isinstance(step, Coding) else step for step in self.before)
        return replace(self, before=before, last=coding(self.last))

    def read_by(self, reader: Codec) -> Route:
        """Return the route with this codec in place of the last one."""
        return replace(self, last=replace(self.last, codec=reader))

    def geometry(self, size: tuple[int, int]) -> Geometry:
        """Return the geometry of a source of this size (H, W) behind all steps."""
        return _followed(Geometry.unchanged(size), self.reshapes)

    def before_last(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (H, W) of the pictures that the last codec gets."""
        steps = [step for step in self.before if not isinstance(step, Coding)]
        return _followed(Geometry.unchanged(size), steps).delivered


def _followed(geometry: Geometry, steps: Sequence[Reshape]) -> Geometry:
    for step in steps:
        geometry = step.geometry(geometry)
    return geometry


def reshaped(image: torch.Tensor, steps: Sequence[Reshape]) -> torch.Tensor:
    """Return a uint8 RGB image (3, H, W) after these steps."""
    for step in steps:
        image = step.applied(image)
    return image


def route_of(steps: Sequence[PipelineStep]) -> Route:
    """Build the steps; raises `StepError` for one that makes no sense, and `OptionError` where no codec is among them.

    No codec library is imported.
    """
    coded = [number for number, step in enumerate(steps, start=1) if step.codes]
    if not coded:
        raise OptionError("steps holds no codec; add one, such as jpeg: {quality: 80}")
    last = coded[-1]
    _check_order(steps, last)
    built = list(_built(steps))
    before = [step for step in built[: last - 1] if step is not None]
    coding = built[last - 1]
    after = [step for step in built[last:] if step is not None and not isinstance(step, Coding)]
    assert isinstance(coding, Coding)
    route = Route(steps[0].type == SOURCE, tuple(before), coding, tuple(after))
    if route.from_files and (keeping := [step for step in route.codings if kept_parts(step.codec)]):
        raise StepError(
            keeping[0].number,
            keeping[0].name,
            "it keeps metadata, which a pipeline that begins with the file of its source does not hand on; leave out "
            "metadata: keep, or the step source",
        )
    return route


def _check_order(steps: Sequence[PipelineStep], last: int) -> None:
    for number, step in enumerate(steps, start=1):
        if step.type == SOURCE and number > 1:
            raise StepError(number, step.name, "the file of the source can only be the first step; put it there")
    for number, step in enumerate(steps, start=1):
        if not step.codes or step.quality is not None:
            continue
        if number < last:
            raise StepError(
                number, step.name, f"its quality is open, which only the last step may be; add it: {_example(step)}"
            )
        if number < len(steps):
            behind = steps[number]
            raise StepError(
                number + 1,
                behind.name,
                f"no step may follow {step.name}, whose quality is open; add it there: {_example(step)}",
            )


def _example(step: PipelineStep) -> str:
    return f"{step.name}: {{quality: 80}}"


def _built(steps: Sequence[PipelineStep]) -> Iterator[Reshape | Coding | None]:
    """Yield what each step does; None for the file of the source."""
    last = max(number for number, step in enumerate(steps, start=1) if step.codes)
    for number, step in enumerate(steps, start=1):
        if step.type == SOURCE:
            _check_names(number, step, ())
            yield None
        elif step.type in _RESHAPES:
            made = _RESHAPES[step.type]
            _check_names(number, step, tuple(made.__dataclass_fields__))
            yield _attempted(number, step, partial(made.of, dict(step.options)))
        else:
            yield Coding(number, step.name, _codec(number, step, is_last=number == last), step.quality)


def _codec(number: int, step: PipelineStep, *, is_last: bool) -> Codec:
    _check_names(number, step, option_names(step.type), "quality")
    options = dict(step.options)
    if missing := [name for name in required_options(step.type) if name not in options]:
        raise StepError(number, step.name, f"{step.type} needs the options {', '.join(missing)}; add them")
    codec: Codec = _attempted(number, step, lambda: CODECS.resolve(step.type)(**options))
    if not is_last and codec.bits == "estimated":
        found = "its bits are estimated, and only those of the last codec are checked against real streams"
        raise StepError(number, step.name, f"{found}; set bits: coded")
    if step.quality is not None and (taken := setting_fault(codec, step.quality)) is not None:
        setting = format_setting(step.quality)
        raise StepError(number, step.name, f"quality {setting} is no setting of {step.type}, which takes {taken}")
    return codec


def _check_names(number: int, step: PipelineStep, known: tuple[str, ...], *others: str) -> None:
    for name, _ in step.options:
        if name not in known:
            listed = (*others, *known)
            found = unknown("option", name, listed) if listed else f"it takes no options, found {name}"
            raise StepError(number, step.name, found)


def _attempted(number: int, step: PipelineStep, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except CompressGuardError as problem:
        raise StepError(number, step.name, str(problem)) from None
    except Exception as problem:  # of a third party, whose codec may raise anything
        raise StepError(number, step.name, f"{step.type} raised {described(problem)} for these options") from problem
