"""Decoders of a guard, and the cells that compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from compress_guard.errors import OptionError
from compress_guard.records import Cell, CodecSpec, Guard, phrased
from compress_guard.registry import DECODERS, unknown
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.curve import Curve, line_of, places_of, read_drops
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.keys.shares import doubts_of, looks_like_share
from compress_guard.thresholds.value import Value

LIMIT: Final = "max_decoder_drop"


@dataclass(frozen=True, slots=True)
class Decoders:
    """Names of decoders, the first one first; `line` is where the file gives them."""

    names: tuple[str, ...]
    line: int

    @property
    def others(self) -> tuple[str, ...]:
        """The decoders that are compared with the first one."""
        return self.names[1:]


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """Allowed drops between decoders, and where the file gives them."""

    drops: PerCodec[Curve]
    at: Value


def read_decoders(value: Value, what: str, catalogue: Catalogue) -> Decoders | None:
    """Read a list of decoders, each once; null stands for the codecs' own."""
    del catalogue
    if value.empty:
        return None
    names: list[str] = []
    for element in value.elements(what):
        name = element.text("a decoder")
        if name not in DECODERS:
            raise element.error(unknown("decoder", name, tuple(DECODERS)), "use one of these")
        if name in names:
            raise element.error(f"the decoder {name!r} is given twice", "keep one of them")
        names.append(name)
    return Decoders(tuple(names), value.line)


def read_limits(value: Value, what: str, catalogue: Catalogue) -> DecoderLimits | None:
    """Read the allowed drops between decoders, in any form of a max_drop."""
    return None if value.empty else DecoderLimits(read_drops(value, what, catalogue), value)


def check_reads(at: Value, decoders: Decoders, specs: Iterable[CodecSpec]) -> None:
    """Raise `ThresholdsError` for a codec whose streams one of the decoders never reads."""
    for spec, name in product(specs, decoders.names):
        reads = DECODERS[name].reads
        if spec.delivers not in reads:
            raise at.error(
                f"the decoder {name} of line {decoders.line} does not decode {_files(spec)}, only {', '.join(reads)}",
                f"leave one of them out, or put {spec.alias} into a guard without this decoder",
            )


def with_decoders(
    at: Value, cells: tuple[Cell, ...], decoders: Decoders | None, limits: DecoderLimits | None, *, own: bool
) -> tuple[Cell, ...]:
    """Return cells that are decoded by the first decoder, each with a cell behind it for every further one.

    `own` says that the guard gives the limits itself: then they have to apply to one of its cells.
    """
    if limits is not None and own and not (decoders is not None and decoders.others):
        found = f"{LIMIT} is given, and decoders names {'one' if decoders else 'none'}"
        raise limits.at.error(found, "give decoders: [FIRST, OTHER], or remove the limit")
    if decoders is None:
        return cells
    check_reads(at, decoders, dict.fromkeys(cell.codec for cell in cells))
    made: list[Cell] = []
    for cell in cells:
        made.append(replace(cell, decoder=decoders.names[0]))
        made.extend(_compared(at, cell, decoders, limits))
    if limits is not None and own and not any(cell.max_decoder_drop is not None for cell in made):
        raise limits.at.error(f"{LIMIT} applies to no cell of this guard", "give it for a codec that the guard uses")
    return tuple(made)


def cell_by(cell: Cell, names: Sequence[str] | None, limit: float | None) -> Cell:
    """Return a cell by one decoder, or the cell that compares two, as keyword arguments ask for them.

    Raises `OptionError` for names and limits that make no sense.
    """
    if names is not None and (isinstance(names, str) or not 1 <= len(names) <= 2):
        raise OptionError(f"decoders is {names!r}; expected a list of one decoder, or of two that are compared")
    for name in names or ():
        if name not in DECODERS:
            raise OptionError(unknown("decoder", str(name), tuple(DECODERS)))
        if (delivers := cell.codec.delivers) not in (reads := DECODERS[name].reads):
            raise OptionError(f"the decoder {name} does not decode {delivers}, only {', '.join(reads)}")
    if names is None or len(names) == 1:
        if limit is not None:
            raise OptionError(f"{LIMIT} compares two decoders; give decoders=[FIRST, OTHER] too, or leave it out")
        return cell if names is None else replace(cell, decoder=names[0])
    first, other = names
    if first == other:
        raise OptionError(f"the decoder {first!r} is given twice; give two that differ")
    if cell.judged:
        raise OptionError(f"a comparison of decoders is judged by {LIMIT} alone; leave the other limits out")
    doubt = None if limit is None else looks_like_share(LIMIT, limit)
    return _between(cell, (first, other), limit, () if doubt is None else (doubt,))


def check_limits_used(limits: DecoderLimits | None, guards: Iterable[Guard]) -> None:
    """Raise `ThresholdsError` for limits of the defaults that no guard of the file can miss."""
    if limits is not None and not any(cell.first_decoder is not None for guard in guards for cell in guard.cells):
        found = f"{LIMIT} is given, and no guard compares decoders"
        raise limits.at.error(found, "give decoders: [FIRST, OTHER], or remove the limit")


def _files(spec: CodecSpec) -> str:
    """Return words for the files of a codec: ``jpeg``, ``small (avif)``, ``the webp files that upload delivers``."""
    if spec.steps:
        return f"the {spec.delivers} files that {spec.alias} delivers"
    return spec.alias if spec.alias == spec.type else f"{spec.alias} ({spec.type})"


def _compared(at: Value, cell: Cell, decoders: Decoders, limits: DecoderLimits | None) -> Iterator[Cell]:
    curve = None if limits is None else limits.drops.at(cell.codec.alias)
    allowed = None if curve is None else curve.holding(cell.point)
    if curve is not None and allowed is None:
        point = phrased(cell.codec.alias, cell.point)
        found = f"{point} is outside the {LIMIT} of line {curve.line}, which is given at {curve.reach}"
        raise at.error(found, f"give {LIMIT} there too, or remove this cell")
    doubts = tuple(doubts_of(LIMIT, curve, cell.point))
    cell = replace(cell, limit_line=line_of([curve], cell.point) or cell.line)
    for name in decoders.others:
        compared = _between(cell, (decoders.names[0], name), allowed, doubts)
        yield replace(compared, places=places_of(LIMIT, curve, cell.point))


def _between(cell: Cell, names: tuple[str, str], limit: float | None, doubts: tuple[str, ...]) -> Cell:
    """Return the cell beside this one that compares the second decoder with the first."""
    first, other = names
    return replace(
        cell,
        max_drop=None,
        min_score=None,
        max_regression=None,
        slice_limits=(),
        # A floor is judged in the cell beside it; whether the model knows anything is asked in every cell.
        min_clean=0.0 if cell.min_clean == 0 else None,
        doubts=doubts,
        places=(),
        decoder=other,
        first_decoder=first,
        max_decoder_drop=limit,
    )
