"""Any encoder and decoder on the PATH as a codec: VTM, vvenc, bpgenc, cjpeg or a private one."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.execution.exchange import Output, image_limit, read_image, stream_limit
from compress_guard.codecs.execution.pool import map_ordered
from compress_guard.codecs.execution.program import run_program
from compress_guard.codecs.ladder import check_ladder, parse_ladder
from compress_guard.codecs.options import require_choice, require_flag, require_positive, require_text
from compress_guard.codecs.pixels import to_pil
from compress_guard.errors import CodecError, CodecUnavailable, OptionError

if TYPE_CHECKING:
    import torch

_FORMATS: Final = ("ppm", "png")
_VERSION_SECONDS: Final = 60.0
_LONGEST_VERSION: Final = 200
"""Characters of a version; results print it."""


@dataclass(frozen=True, slots=True)
class Command(RealStreams):
    """A codec made of two command lines, e.g. Debian's cjpeg and djpeg in a thresholds file::

        cjpeg:
          type: command
          encoder: cjpeg -quality {setting} -outfile {output} {input}
          decoder: djpeg -outfile {output} {input}
          settings: 1..100
          install: apt-get install libjpeg-turbo-progs

    The encoder makes the stream {output} of the image {input}, the decoder an image of the stream; {width} and {height}
    of the source in pixels are known to the encoder too. No shell reads the lines: quotes group words, nothing else has
    a meaning. Each run has an empty folder of its own as current folder; a word that names a file, seen from the folder
    where the run was started, is passed with its full path. What does not fit in two lines goes into a script.
    """

    type: ClassVar[str] = "command"

    encoder: str
    decoder: str
    settings: str | Sequence[float | str]
    """Settings by ascending file size: a list, ``1..100``, ``51..0`` or ``25..0.5..0.5`` (`parse_ladder`)."""
    format: str = "ppm"
    """Format of the image files: ppm or png."""
    suffix: str = ".bin"
    """Suffix of the streams' file names, for programs that choose a format by it."""
    timeout: float = 300.0
    """Seconds that one image may take, coding or decoding."""
    version_command: str = ""
    """Command that prints a version, whose first line counts. Without it the files in the two lines are hashed."""
    install: str = ""
    """Command that installs the programs, for the message where one is missing."""
    generative: bool = False
    """See `Codec.generative`: for programs that invent what they do not code."""
    _folder: str = field(default="", repr=False, compare=False)
    """Folder that relative paths in the lines and in PATH are relative to; empty: the current folder."""

    def __post_init__(self) -> None:
        _require_line("encoder", self.encoder, ("{input}", "{output}", "{setting}"))
        _require_line("decoder", self.decoder, ("{input}", "{output}"))
        if isinstance(self.settings, list):  # Python code may give a list, but a codec has to be hashable
            object.__setattr__(self, "settings", tuple(self.settings))
        check_ladder(self.settings)
        require_choice("format", self.format, _FORMATS)
        require_text("suffix", self.suffix)
        require_positive("timeout", self.timeout)
        require_flag("generative", self.generative)
        if self.version_command:
            _require_line("version_command", self.version_command, ())

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings as numbers, in the order given."""
        return _ladder(self.settings)

    @property
    def version(self) -> str:
        """First line of the version command, else a digest of the programs, and a digest of the two lines."""
        self._require_available()
        lines = _digest("\0".join((self.encoder, self.decoder, self.format, self.suffix)).encode())
        if self.version_command:
            with tempfile.TemporaryDirectory() as folder:
                output = run_program(self._words(self.version_command), Path(folder), _VERSION_SECONDS)
            printed = output.strip().splitlines()
            return f"{printed[0].strip()[:_LONGEST_VERSION] if printed else 'nameless'} (lines {lines})"
        words = [*self._words(self.encoder), *self._words(self.decoder)]
        files = dict.fromkeys(word for word in words if Path(word).is_file())
        programs = _digest("".join(_digest_file((name, Path(name).stat().st_mtime_ns)) for name in files).encode())
        return f"{', '.join(dict.fromkeys(self._programs()))} {programs} (lines {lines})"

    def seen_from(self, folder: Path) -> Command:
        """See `Codec.seen_from`."""
        return replace(self, _folder=str(folder))

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        missing = [name for name in dict.fromkeys(self._programs()) if self._path_of(name) is None]
        if not missing:
            return None
        verb = "is" if len(missing) == 1 else "are"
        remedy = self.install or "install it, or correct the lines encoder and decoder"
        return f"{' and '.join(missing)} {verb} not on the PATH; {remedy}"

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`."""
        self._require_available()
        ladder, count = frozenset(self.ladder), len(images)

        def encode_job(job: tuple[int, torch.Tensor, float]) -> bytes:
            index, image, setting = job
            height, width = image.shape[-2:]
            with _blaming(f"command could not encode image {index + 1} of {count} ({width}x{height} pixels)"):
                if setting not in ladder:
                    raise CodecError(f"{setting!r} is not one of its settings")
                return self._encode_one(image, setting)

        return map_ordered(
            encode_job, [(i, *pair) for i, pair in enumerate(zip(images, settings, strict=True))], workers
        )

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        return self._decode(streams, [None] * len(streams), workers)

    def decode_sized(
        self, streams: Sequence[bytes], sizes: Sequence[tuple[int, int]], workers: int = 1
    ) -> list[torch.Tensor]:
        """See `SizedDecoder.decode_sized`."""
        return self._decode(streams, sizes, workers)

    def _decode(
        self, streams: Sequence[bytes], sizes: Sequence[tuple[int, int] | None], workers: int
    ) -> list[torch.Tensor]:
        self._require_available()

        def decode_job(job: tuple[int, bytes, tuple[int, int] | None]) -> torch.Tensor:
            index, stream, size = job
            with _blaming(f"command could not decode stream {index + 1} of {len(streams)} ({len(stream)} bytes)"):
                return self._decode_one(stream, size)

        return map_ordered(decode_job, [(i, *pair) for i, pair in enumerate(zip(streams, sizes, strict=True))], workers)

    def _encode_one(self, image: torch.Tensor, setting: float) -> bytes:
        with tempfile.TemporaryDirectory(prefix="compress_guard-", ignore_cleanup_errors=True) as folder:
            source, stream = Path(folder, f"image.{self.format}"), Path(folder, f"stream{self.suffix}")
            to_pil(image).save(source)
            height, width = image.shape[-2:]
            number = repr(int(setting)) if setting.is_integer() else repr(setting)
            output = Output(stream, stream_limit((height, width)), f"for an image of {width}x{height} pixels")
            return self._run(self.encoder, source, output, setting=number, width=str(width), height=str(height))

    def _decode_one(self, stream: bytes, size: tuple[int, int] | None) -> torch.Tensor:
        with tempfile.TemporaryDirectory(prefix="compress_guard-", ignore_cleanup_errors=True) as folder:
            source, image = Path(folder, f"stream{self.suffix}"), Path(folder, f"image.{self.format}")
            source.write_bytes(stream)
            what = "for any image" if size is None else f"for an image of {size[1]}x{size[0]} pixels"
            data = self._run(self.decoder, source, Output(image, image_limit(size), what))
            return read_image(self.format, data, size)

    def _run(self, line: str, source: Path, output: Output, **values: str) -> bytes:
        words = self._words(line)
        values |= {"input": str(source), "output": str(output.path)}
        for key, value in values.items():
            words = [word.replace(f"{{{key}}}", value) for word in words]
        name = Path(words[0]).name
        run_program(words, source.parent, self.timeout, lambda: output.check_size(name))
        return output.read(name)

    def _words(self, line: str) -> list[str]:
        """Return the words of a line with full paths, since programs run in another folder."""
        program, *words = shlex.split(line)
        full = (Path(self._folder, word).absolute() for word in words)
        named = [str(path) if path.is_file() else word for path, word in zip(full, words, strict=True)]
        return [str(Path(self._folder, self._path_of(program) or program).absolute()), *named]

    def _path_of(self, program: str) -> str | None:
        """Return the path of a program, None if there is none; folders of PATH may be relative, as other paths may."""
        if os.path.dirname(program):  # noqa: PTH120 - of the text: Path takes ./name for a bare name
            return shutil.which(Path(self._folder, program).absolute())
        folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
        return shutil.which(
            program, path=os.pathsep.join(str(Path(self._folder, folder).absolute()) for folder in folders)
        )

    def _programs(self) -> list[str]:
        lines = [self.encoder, self.decoder, *([self.version_command] if self.version_command else [])]
        return [shlex.split(line)[0] for line in lines]

    def _require_available(self) -> None:
        reason = self.unavailable()
        if reason is not None:
            raise CodecUnavailable(reason)


@contextmanager
def _blaming(what: str) -> Iterator[None]:
    """Raise every error of the body as a `CodecError` that begins with `what`."""
    try:
        yield
    except Exception as error:  # image readers raise any exception
        raise CodecError(f"{what}: {error}") from error


def _require_line(name: str, line: object, places: tuple[str, ...]) -> None:
    require_text(name, line)
    try:
        shlex.split(str(line))
    except ValueError as error:
        raise OptionError(f"{name} must be a command line, found {line!r} ({error})") from None
    missing = [place for place in places if place not in str(line)]
    if missing:
        raise OptionError(f"{name} must contain {', '.join(places)}, found {line!r} without {', '.join(missing)}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


@lru_cache(maxsize=64)
def _ladder(settings: str | Sequence[float | str]) -> tuple[float, ...]:
    return parse_ladder(settings)


@lru_cache(maxsize=64)
def _digest_file(file: tuple[str, int]) -> str:
    """Return the digest of a file's content.

    Its time of change is part of the key, so that no old digest is returned.
    """
    with Path(file[0]).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:12]
