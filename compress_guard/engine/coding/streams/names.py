"""Names in the store of the streams, plans and proofs of a guard's images, coded by one codec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, final

from compress_guard import own_code
from compress_guard import store as keys
from compress_guard.codecs.contract import Codec, Stepped, kept_parts
from compress_guard.engine.coding.source_files import SourceFiles
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.settings import processor
from compress_guard.installed import installed_version
from compress_guard.rate import search_identity
from compress_guard.records import Guard, OperatingPoint
from compress_guard.registry import code_of


@final
class StreamNames:
    """Names of what a codec makes of the images of a survey; each name depends on all that its content depends on."""

    def __init__(self, source: Codec, survey: Survey, files: SourceFiles | None) -> None:
        self.identity: Final = _identity(source)
        """Key of the codec that writes the streams, whatever reads them."""
        self._survey: Final = survey
        self._files: Final = files
        self._keeps: Final = kept_parts(source)

    def streams(self, requests: Sequence[tuple[int, float]]) -> list[str]:
        """Return the names of streams; requests are (position among the usable images, setting)."""
        return [
            keys.key(self.identity, self._survey.digests[at], float(setting), *self._carried(at))
            for at, setting in requests
        ]

    def plan(self, guard: Guard, points: Sequence[OperatingPoint], seed: int) -> str:
        """Return the name of the plan for these points of a guard."""
        how = (search_identity(), self.identity, guard.rate, guard.rate_tolerance, seed)
        return keys.key("plan", *how, len(points), *map(repr, points), *self._images())

    def proofs(self, requests: Sequence[tuple[int, float]]) -> str:
        """Return the name of the proofs of these images, which depend on the processor and on torch too."""
        parts = [part for at, setting in requests for part in (self._survey.digests[at], str(setting))]
        return keys.key("proofs", self.identity, processor(), installed_version("torch"), *parts)

    def _images(self) -> Iterator[str | bytes]:
        for at, (info, digest) in enumerate(zip(self._survey.infos, self._survey.digests, strict=True)):
            yield info.id
            yield digest
            yield from self._carried(at)

    def _carried(self, at: int) -> tuple[bytes, ...]:
        """Return hashes of what a stream depends on beside the pixels: metadata that it keeps, its source's file."""
        digests = [self._survey.metadata[at].digest] if self._keeps else []
        digests += [self._files.digest(at)] if self._files is not None else []
        return tuple(filter(None, digests))


def _identity(source: Codec) -> str:
    """Return the key of a codec that writes streams."""
    # A GPU writes other streams than the CPU, and an estimate is no stream. CPU streams keep their established name.
    kind = source.device.partition(":")[0]
    special = (() if kind == "cpu" else (f"on {kind}",)) + (() if source.bits == "coded" else (source.bits,))
    parts = (source, *source.parts) if isinstance(source, Stepped) else (source,)
    code = own_code.digest("codecs") + "".join(code_of(type(part)) for part in parts)
    return keys.key(source.type, source.version, repr(source), *special, code)
