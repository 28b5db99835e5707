"""A user's own checkpoints of CompressAI's architectures, as the codec `compressai`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from compress_guard.codecs.execution.batching import Device
from compress_guard.codecs.options import require_whole
from compress_guard.codecs.zoo.architectures import ARCHITECTURES
from compress_guard.codecs.zoo.checkpoint import Checkpoint
from compress_guard.codecs.zoo.learned import Learned, settle_bits
from compress_guard.codecs.zoo.weights import digest_of
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.records import Bits
from compress_guard.registry import unknown

_SUFFIXES = (".pth", ".pt", ".tar")


@dataclass(frozen=True, slots=True)
class CompressAi(Learned):
    """Checkpoints trained with CompressAI; the setting is the place of the file in the list, from 1."""

    type: ClassVar[str] = "compressai"

    # No stream depends on this: `version` holds the hashes of the files.
    path: str | Sequence[str] = field(repr=False)
    """Files from the lowest rate to the highest: a list, or one text with commas; or a folder of them, by name. Seen
    from the folder where the run was started."""
    arch: str
    """The architecture, by CompressAI's name."""
    N: int | None = None
    """Channels of the hidden layers that the files must have; read from the files where not given."""
    M: int | None = None
    """Channels of the latents that the files must have."""
    bits: Bits = "auto"  # type: ignore[assignment]  # settled in __post_init__
    """auto, coded or estimated; auto is estimated for autoregressive models only."""
    _folder: str = field(default="", repr=False, compare=False)
    """Folder that relative paths are relative to; empty: the current folder."""
    _place: Device = field(default_factory=Device, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", _named(self.path))
        if self.arch not in ARCHITECTURES:
            raise OptionError(unknown("arch", str(self.arch), tuple(ARCHITECTURES)))
        if self.architecture.variable and len(self.path) > 1:
            raise OptionError(f"path must name one file for {self.arch}, one network for all rates; found {self.path}")
        for name, channels in (("N", self.N), ("M", self.M)):
            if channels is not None:
                require_whole(name, channels, 1, 2**16)
        settle_bits(self)

    def seen_from(self, folder: Path) -> CompressAi:
        """See `Codec.seen_from`."""
        return replace(self, _folder=str(folder))

    @property
    def architecture_name(self) -> str:
        """See `Learned.architecture_name`."""
        return self.arch

    @property
    def label(self) -> str:
        """See `Learned.label`."""
        return f"own {self.arch}"

    def setting_fault(self, setting: float) -> str | None:
        """See `SettingRange.setting_fault`; while the files are not there, any level may be."""
        if not all(path.exists() for path in self._paths()) or setting in self.ladder:
            return None
        return f"levels 1 to {len(self.ladder)}" if not self.architecture.variable else "the gains of its ladder"

    def _levels(self) -> tuple[float, ...]:
        return tuple(float(number + 1) for number in range(len(self._paths())))

    def _paths(self) -> list[Path]:
        paths = [Path(self._folder, Path(name).expanduser()) for name in self.path]
        if len(paths) == 1 and paths[0].is_dir():
            return sorted(path for path in paths[0].iterdir() if path.suffix in _SUFFIXES)
        return paths

    def checkpoints(self) -> list[Checkpoint]:
        """See `Learned.checkpoints`."""
        paths = self._paths()
        if not paths:
            raise CodecUnavailable(f"{self.path[0]} holds no {', '.join(_SUFFIXES)} files; put the checkpoints there")
        found = []
        base = Path(self._folder).absolute()
        for path in paths:
            if not path.is_file():
                shown = path.relative_to(base) if path.is_relative_to(base) else path
                raise CodecUnavailable(
                    f"there is no file {shown}, seen from {base}; correct path, or put the checkpoint there"
                )
            checkpoint = Checkpoint(path, digest_of(path), self.arch, self.N, self.M)
            checkpoint.check()
            found.append(checkpoint)
        if self.architecture.variable and len(found) > 1:
            raise CodecUnavailable(f"{self.path[0]} holds {len(found)} checkpoints; {self.arch} is one for all rates")
        return found


def _named(path: object) -> tuple[str, ...]:
    names = path.split(",") if isinstance(path, str) else path
    if (
        not isinstance(names, list | tuple)
        or not names
        or not all(isinstance(name, str) and name.strip() for name in names)
    ):
        raise OptionError(f"path must name files or one folder, found {path!r}")
    return tuple(name.strip() for name in names)
