"""The pictures that count as clean: the sources, or the sources as a codec scales and crops them, without coding."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar, final

from compress_guard import own_code
from compress_guard import store as keys
from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.pictures.geometry import geometry_of, reshaping_of
from compress_guard.engine.images.sample import Pictures, Sample
from compress_guard.engine.images.survey.record import Survey
from compress_guard.errors import CodecError
from compress_guard.records import Geometry
from compress_guard.registry import code_of

T = TypeVar("T")

KEPT_BYTES: Final = 32 * 2**20
"""Bytes of reshaped pictures kept in memory: each is asked for several times in a row."""
_OWN: Final = "compress_guard."
_DIGEST_BYTES: Final = 16


class Shown(Protocol):
    """Pictures and what is known about each."""

    @property
    def samples(self) -> Pictures: ...

    @property
    def survey(self) -> Survey: ...


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The pictures of a subset as a codec scales and crops them, in the order of the subset."""

    samples: Pictures
    survey: Survey
    way: str
    """See `Shard.way`."""


def way_of(shown: Shown) -> str:
    """Return the way of clean shards of these pictures: sources have an empty one."""
    return shown.way if isinstance(shown, View) else ""


@dataclass(frozen=True, slots=True)
class Reference:
    """The pictures on the clean side of some cells. Equal ones have the same pictures."""

    name: str = ""
    """A key of how they were scaled and cropped; empty for the sources."""

    @classmethod
    def behind(cls, codec: Codec) -> Reference:
        """Return the reference with the geometry of a codec: the sources, for a codec that keeps their size."""
        how = reshaping_of(codec)
        if not how:
            return SOURCE
        made = type(codec)
        # The versions of the libraries under our own codecs are known to whatever keeps evidence.
        version = () if made.__module__.startswith(_OWN) else (codec.version,)
        return cls(keys.key("reshaped", how, own_code.digest("codecs"), code_of(made), *version))

    def view(self, shown: Shown, codec: Codec) -> Shown:
        """Return the pictures of a subset as this codec scales and crops them, or the subset for the sources.

        Images that the codec cannot scale or crop are left out.
        """
        if not self.name:
            return shown
        pictures = ReshapedPictures(self, shown.samples, codec)
        known = {}
        for at, size in enumerate(shown.survey.sizes):
            with contextlib.suppress(CodecError):  # such an image has failed in every cell of this codec
                known[at] = geometry_of(codec, size)
        survey, frames = shown.survey.only(list(known)), list(known.values())
        return View(
            pictures,
            replace(
                survey,
                digests=tuple(map(self.digest, survey.digests, frames)),
                sizes=tuple(geometry.delivered for geometry in frames),
            ),
            keys.key("clean", self.name),
        )

    def digest(self, pixels: bytes, geometry: Geometry) -> bytes:
        """Return the hash that stands for the reshaped pixels of a source with this hash."""
        text = f"{self.name} {geometry!r} ".encode()
        return hashlib.blake2b(text + pixels, digest_size=_DIGEST_BYTES).digest()


SOURCE: Final = Reference()
"""The sources themselves."""


@final
class ReshapedPictures:
    """Samples whose images a codec scales and crops when they are asked for. Two threads may use them."""

    def __init__(self, reference: Reference, samples: Pictures, codec: Codec) -> None:
        self._reference: Final = reference
        self._samples: Final = samples
        self._codec: Final = codec
        self._kept: Final[OrderedDict[int, Sample]] = OrderedDict()
        self._kept_bytes = 0
        self._lock: Final = threading.Lock()

    def __getitem__(self, index: int, /) -> Sample:
        """Return the sample with its reshaped image and the target of the whole source.

        Raises `CodecError`, and `DataError` as the source's sample does.
        """
        with self._lock:
            if index not in self._kept:
                self._keep(index, self._made(self._samples[index]))
            self._kept.move_to_end(index)
            return self._kept[index]

    def look(self, index: int, look: Callable[[Any, int], T], /) -> T:
        """Return what `look` makes of the data set at this index."""
        return self._samples.look(index, look)

    def _made(self, sample: Sample) -> Sample:
        geometry = geometry_of(self._codec, sample.size)
        (image,) = calls.reshaped(self._codec, [sample.image])
        digest = self._reference.digest(sample.digest, geometry)
        return replace(sample, image=image.cpu(), digest=digest, reshaped=geometry)

    def _keep(self, index: int, sample: Sample) -> None:
        self._kept[index] = sample
        self._kept_bytes += sample.memory
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.memory
