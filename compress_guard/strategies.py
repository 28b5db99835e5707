"""Strategies of hypothesis for tests of codecs and models of your own; hypothesis is imported when one is called."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from compress_guard.codecs.contract import Codec
from compress_guard.engine.coding.available import build_codec, missing_options
from compress_guard.errors import OptionError
from compress_guard.registry import CODECS, codec_named
from compress_guard.thresholds.keys.curve import RATES

if TYPE_CHECKING:
    import torch
    from hypothesis.strategies import SearchStrategy

__all__ = ["codecs", "images", "rates", "settings"]

Look: TypeAlias = Literal["flat", "gradient", "smooth", "edges", "noise"]
_LOOKS: Final[tuple[Look, ...]] = get_args(Look)
"""Looks of images, the simplest first: hypothesis shrinks towards it."""
_LONGEST: Final = 4096
_SEEDS: Final = 2**16
_COARSE: Final = 8
"""Pixels between the random values that a smooth image goes through."""


def images(shortest: int = 1, longest: int = 64, looks: tuple[Look, ...] = _LOOKS) -> SearchStrategy[torch.Tensor]:
    """Return a strategy of uint8 RGB images (3, H, W), both sides from `shortest` to `longest` pixels.

    `looks` are ``flat``, ``gradient``, ``smooth`` (as photographs are), ``edges`` and ``noise``. A failing image
    shrinks to a small one, and to the first of its looks. Raises `OptionError` for sides or looks that make no sense.
    """
    _check_installed()
    from hypothesis import strategies as st

    if not all(type(side) is int for side in (shortest, longest)) or not 1 <= shortest <= longest <= _LONGEST:
        raise OptionError(f"sides are {shortest!r} to {longest!r} pixels; expected whole numbers from 1 to {_LONGEST}")
    if not looks or not set(looks) <= set(_LOOKS):
        raise OptionError(f"looks are {looks!r}; expected some of {', '.join(_LOOKS)}")
    side = st.integers(shortest, longest)
    return st.builds(_image, st.sampled_from(looks), side, side, st.integers(0, _SEEDS - 1))


def rates(low: float = 0.1, high: float = 2.0) -> SearchStrategy[float]:
    """Return a strategy of rates in bits per pixel; raises `OptionError` for one outside of 0.02 to 8."""
    _check_installed()
    from hypothesis import strategies as st

    if low not in RATES or high not in RATES or low > high:
        raise OptionError(f"rates are {low!r} to {high!r} bpp; expected a range within {RATES}")
    return st.floats(low, high)


def codecs() -> SearchStrategy[str]:
    """Return a strategy of the names of all registered codecs that work here and need no options, yours included."""
    _check_installed()
    from hypothesis import strategies as st

    return st.deferred(lambda: st.sampled_from(_working()))


def settings(codec: str | Codec) -> SearchStrategy[float]:
    """Return a strategy of settings on the ladder of a codec or of the one with this name, the smallest file first.

    Raises `OptionError` for a name that is not known, or a codec that needs options: build that one and pass it.
    """
    _check_installed()
    from hypothesis import strategies as st

    built = build_codec(codec_named(codec, {})) if isinstance(codec, str) else codec
    return st.sampled_from([float(setting) for setting in built.ladder])


def _check_installed() -> None:
    if importlib.util.find_spec("hypothesis") is None:
        raise ModuleNotFoundError(
            "compress_guard.strategies needs hypothesis, which is not installed; pip install "
            "'compress-guard[strategies]'"
        )


def _working() -> list[str]:
    """Return the names of codecs that work here without options, in alphabetic order."""
    specs = [codec_named(name, {}) for name in sorted(CODECS)]
    return [spec.alias for spec in specs if not missing_options(spec) and build_codec(spec).unavailable() is None]


def _image(look: Look, height: int, width: int, seed: int) -> torch.Tensor:
    """Return an image of this look and size, which depends on nothing else but the seed."""
    import torch

    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(3, *shape, generator=generator)

    if look == "noise":
        pixels = random(height, width)
    elif look == "flat":
        pixels = random(1, 1).expand(3, height, width)
    elif look == "gradient":
        across, down = torch.linspace(0, 1, width), torch.linspace(0, 1, height)[:, None]
        pixels = (random(1, 1) + random(1, 1) * across + random(1, 1) * down) / 3
    elif look == "edges":
        corner = random(1, 1)[0, 0, 0]
        inside = (torch.arange(height)[:, None] >= corner * height) & (torch.arange(width) >= corner * width)
        pixels = torch.where(inside, random(1, 1), random(1, 1))
    else:
        coarse = random(2 + height // _COARSE, 2 + width // _COARSE)[None]
        pixels = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=True)[0]
    return (pixels * 255).round().to(torch.uint8)
