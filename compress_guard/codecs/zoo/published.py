"""The models that CompressAI publishes, as the codec `zoo`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from compress_guard.codecs.execution.batching import Device
from compress_guard.codecs.ladder import parse_ladder
from compress_guard.codecs.options import require_choice, require_flag
from compress_guard.codecs.zoo import weights as files
from compress_guard.codecs.zoo.architectures import ARCHITECTURES, PUBLISHED
from compress_guard.codecs.zoo.checkpoint import Checkpoint
from compress_guard.codecs.zoo.learned import Learned, settle_bits
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.records import Bits
from compress_guard.registry import unknown


@dataclass(frozen=True, slots=True)
class Zoo(Learned):
    """A published model of CompressAI; the setting is its level, or the gain of a variable-rate model."""

    type: ClassVar[str] = "zoo"

    model: str
    metric: str = "mse"
    """Metric of the training: mse or ms-ssim."""
    levels: str | int | Sequence[float | str] = ()
    """Levels to use, ``1..4`` or a list; all of the model's by default. Each is a file of weights."""
    bits: Bits = "auto"  # type: ignore[assignment]  # settled in __post_init__
    """auto, coded or estimated; auto is estimated for autoregressive models only."""
    # The next options do not change a stream: `version` holds the hashes of the weights.
    weights: str = field(default="", repr=False)
    """Folder of the weights, or the base address of a mirror."""
    download: bool = field(default=False, repr=False)
    """True if missing weights may be fetched from CompressAI's address."""
    _folder: str = field(default="", repr=False, compare=False)
    """Folder that a relative folder of weights is relative to; empty: the current folder."""
    _place: Device = field(default_factory=Device, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.model not in PUBLISHED:
            raise OptionError(unknown("model", str(self.model), PUBLISHED))
        one = ARCHITECTURES[self.model]
        require_choice("metric", self.metric, one.metrics)
        settle_bits(self)
        if not isinstance(self.weights, str):
            raise OptionError(f"weights must be a folder or the address of a mirror, found {self.weights!r}")
        require_flag("download", self.download)
        object.__setattr__(self, "levels", self._chosen())

    def seen_from(self, folder: Path) -> Zoo:
        """See `Codec.seen_from`; the folder that the environment names counts too."""
        return replace(self, _folder=str(folder))

    def _chosen(self) -> tuple[float, ...]:
        """Return the levels in use; none for a variable-rate model."""
        levels, variable = self.architecture.levels, self.architecture.variable
        given = (self.levels,) if isinstance(self.levels, int) else self.levels
        if given in ((), ""):
            return () if variable else tuple(float(number + 1) for number in range(levels))
        if variable:
            raise OptionError(f"levels has no place with {self.model}, which is one network for all rates")
        try:
            chosen = parse_ladder(given)
        except OptionError:
            chosen = ()
        if not chosen or list(chosen) != sorted(chosen) or not all(level in range(1, levels + 1) for level in chosen):
            raise OptionError(f"levels must be of 1 to {levels}, ascending, found {self.levels!r}")
        return chosen

    @property
    def architecture_name(self) -> str:
        """See `Learned.architecture_name`."""
        return self.model

    @property
    def label(self) -> str:
        """See `Learned.label`."""
        return f"{self.model} {self.metric}"

    def _levels(self) -> tuple[float, ...]:
        return self._chosen()

    def addresses(self) -> list[str]:
        """Return CompressAI's addresses of the weights, one for each level in use; raise `CodecUnavailable`."""
        known = files.published(self.model, self.metric)
        wanted = [int(level) for level in self._chosen() or (1,)]
        if absent := [level for level in wanted if level not in known]:
            raise CodecUnavailable(
                f"the installed compressai publishes no level {absent[0]} of {self.label}; "
                "pip install --upgrade 'compress-guard[zoo]'"
            )
        return [known[level] for level in wanted]

    def shelf(self) -> files.Shelf:
        """Return the folder that the weights are looked for in, with its sources."""
        return files.shelf_of(self.weights, download=self.download, base=Path(self._folder))

    def checkpoints(self) -> list[Checkpoint]:
        """See `Learned.checkpoints`."""
        return [Checkpoint(path, sha256, self.model) for path, sha256 in files.find(self.shelf(), self.addresses())]
