"""The profile of a sample: counts and distributions of what the headers of its files tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from compress_guard.traffic.distribution import PERCENTILES, Distribution
from compress_guard.traffic.formats import read_header
from compress_guard.traffic.headers import FileHeader, LeftOut
from compress_guard.traffic.jpeg import TRACES
from compress_guard.traffic.sample import DrawnFiles

_NAMES: Final = {
    ("webp", False): "webp lossless",
    ("tiff", True): "tiff lossy",
    ("jxl", False): "jxl lossless",
    ("jxl", None): "jxl perhaps lossless",
    ("jp2", None): "jp2 perhaps lossless",
}
"""Names of formats that may lose something or nothing, apart from the usual ones of each."""
SCHEMA: Final = "compress-guard-traffic/1"


@dataclass(frozen=True, slots=True)
class FormatProfile:
    """Files of one format: at least one. Lossless WebP, lossy TIFF and such are formats of their own here."""

    name: str
    """Format as a person reads it, such as ``jpeg`` or ``webp lossless``."""
    headers: tuple[FileHeader, ...]

    @property
    def files(self) -> int:
        return len(self.headers)

    @property
    def codec(self) -> str | None:
        """The codec of the gate that writes such files; None for TIFF, and unless something is certainly lost."""
        return self.headers[0].format if self.headers[0].lossy and self.headers[0].format != "tiff" else None

    @property
    def lossless(self) -> bool:
        """True for files from which nothing is lost, as far as the header tells."""
        return self.headers[0].lossy is False

    def distribution(self, number: Callable[[FileHeader], float]) -> Distribution:
        """Return the distribution of a number that every file has."""
        return Distribution(tuple(sorted(map(number, self.headers))))

    @property
    def qualities(self) -> Distribution | None:
        """The JPEG qualities by the quantisation tables; None where no file tells one."""
        return Distribution.of([header.quality.value for header in self.headers if header.quality is not None])

    @property
    def exact_qualities(self) -> int:
        """Number of files whose tables are libjpeg's own."""
        return sum(header.quality is not None and header.quality.exact for header in self.headers)

    @property
    def chroma(self) -> dict[str, int]:
        """Number of files by their chroma resolution, the most frequent first; ``unknown`` where it is not told."""
        return dict(Counter(header.chroma or "unknown" for header in self.headers).most_common())

    @property
    def progressive(self) -> int | None:
        """Number of progressive files; None for formats whose header does not tell."""
        told = [header.progressive for header in self.headers if header.progressive is not None]
        return sum(told) if told else None

    @property
    def turned(self) -> int:
        return sum(header.turned for header in self.headers)

    @property
    def profiles(self) -> Distribution | None:
        """The sizes of the ICC profiles in bytes, of those files that have one."""
        return Distribution.of([header.icc for header in self.headers if header.icc])

    @property
    def metadata(self) -> Distribution:
        """The bytes beside the coded image: metadata and what follows the image."""
        return self.distribution(lambda header: header.size - header.coded_size)

    @property
    def traces(self) -> dict[str, int]:
        """Number of files with each mark that a program left, in the order of `TRACES`."""
        counts = Counter(trace for header in self.headers for trace in header.traces)
        return {trace: counts[trace] for trace in TRACES if counts[trace]}

    def as_dict(self) -> dict[str, object]:
        """Return the figures as plain JSON values."""
        qualities = self.qualities
        values: dict[str, object] = {
            "format": self.name,
            "files": self.files,
            "width": _figures(self.distribution(lambda header: header.width)),
            "height": _figures(self.distribution(lambda header: header.height)),
            "bytes": _figures(self.distribution(lambda header: header.size)),
            "bpp": _figures(self.distribution(lambda header: header.bpp)),
            "coded_bpp": _figures(self.distribution(lambda header: header.coded_bpp)),
            "quality": None if qualities is None else _figures(qualities),
            "quality_known": 0 if qualities is None else len(qualities.values),
            "quality_exact": self.exact_qualities,
            "quality_counts": {}
            if qualities is None
            else {str(round(value)): count for value, count in sorted(Counter(qualities.values).items())},
            "chroma": self.chroma,
            "progressive": self.progressive,
            "turned": self.turned,
            "icc_files": 0 if self.profiles is None else len(self.profiles.values),
            "icc_bytes": None if self.profiles is None else _figures(self.profiles),
            "metadata_bytes": _figures(self.metadata),
            "traces": self.traces,
        }
        return values


@dataclass(frozen=True, slots=True)
class TrafficProfile:
    """Distribution of a sample of files. It holds no name of a file and no text from within one."""

    found: int
    """Number of files among which the sample was drawn."""
    drawn: int
    seed: int
    formats: tuple[FormatProfile, ...]
    """Formats of the images, the most frequent first."""
    left_out: Mapping[str, int]
    """Number of files by the reason why they tell nothing, the most frequent first."""

    @property
    def images(self) -> int:
        return sum(part.files for part in self.formats)

    def share(self, part: FormatProfile) -> float:
        """Return the share of the images that are in a format."""
        return part.files / self.images

    def as_dict(self) -> dict[str, object]:
        """Return the profile as plain JSON values."""
        return {
            "schema": SCHEMA,
            "files_found": self.found,
            "files_drawn": self.drawn,
            "seed": self.seed,
            "images": self.images,
            "left_out": dict(self.left_out),
            "formats": [{"share": self.share(part), **part.as_dict()} for part in self.formats],
        }


def _figures(distribution: Distribution) -> dict[str, float]:
    """Return the percentiles by their names: ``p5``, ``p25``, ``p50``, ``p75``, ``p95``."""
    values = distribution.percentiles()
    return {f"p{percent}": value for percent, value in zip(PERCENTILES, values, strict=True)}


def profile_of(sample: DrawnFiles, seed: int, progress: Callable[[str, int, int], None]) -> TrafficProfile:
    """Read the headers of a sample; files that tell nothing are counted."""
    headers: list[FileHeader] = []
    left_out: Counter[str] = Counter()
    for number, path in enumerate(sample.paths, start=1):
        try:
            headers.append(read_header(path))
        except LeftOut as reason:
            left_out[reason.reason] += 1
        progress("reading the header of file", number, len(sample.paths))
    return TrafficProfile(
        found=sample.found,
        drawn=len(sample.paths),
        seed=seed,
        formats=_by_format(headers),
        left_out=dict(sorted(left_out.items(), key=lambda entry: (-entry[1], entry[0]))),
    )


def _by_format(headers: Iterable[FileHeader]) -> tuple[FormatProfile, ...]:
    groups: dict[str, list[FileHeader]] = {}
    for header in headers:
        name = _NAMES.get((header.format, header.lossy), header.format)
        groups.setdefault(name, []).append(header)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(FormatProfile(name, tuple(files)) for name, files in ordered)
