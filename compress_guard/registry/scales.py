"""Settings that a codec takes: asked of the codec itself, without the contract's module or what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from compress_guard.records import CodecSpec
from compress_guard.registry.tables import CODECS

_SHOWN: Final = 12
"""Most settings of a ladder that a message lists."""


class Settable(Protocol):
    """A codec, of which only the settings are asked."""

    @property
    def ladder(self) -> Sequence[float]:
        """See `Codec.ladder`."""


def setting_fault(codec: Settable, setting: float) -> str | None:
    """Return None for a setting that the codec takes, else the settings that it takes, as a phrase.

    A codec that is no `SettingRange` takes the settings of its ladder.
    """
    ask: Callable[[float], str | None] | None = getattr(codec, "setting_fault", None)
    if ask is not None:
        return ask(setting)
    ladder = tuple(codec.ladder)
    if setting in ladder or not ladder:  # a codec without settings is refused as such
        return None
    if len(ladder) <= _SHOWN:
        return f"only {', '.join(f'{each:g}' for each in ladder)}"
    return f"only the {len(ladder)} settings of its ladder, {ladder[0]:g} to {ladder[-1]:g}"


def setting_faults(spec: CodecSpec, settings: Sequence[float]) -> list[str | None]:
    """Return for each setting what `setting_fault` returns; None too where only a run can tell.

    Codecs are built, which needs no library. That of a third party may raise anything; the run then names its fault.
    """
    try:
        codec: Any = CODECS.resolve(spec.type)(**dict(spec.options))
        codec = codec if spec.folder is None else codec.seen_from(Path(spec.folder))
        return [setting_fault(codec, setting) for setting in settings]
    except Exception:  # noqa: BLE001 - see above
        return [None] * len(settings)
