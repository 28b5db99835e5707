"""Random compression as a step of training: for torchvision's v2 pipelines, and for batches on a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from PIL import Image
from torch.utils._pytree import tree_flatten
from torchvision import tv_tensors
from torchvision.transforms import v2

from compress_guard.augment.roundtrip import RateRange, RoundTrip
from compress_guard.augment.settings import DrawnSettings
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.pictures.geometry import reshaping_of
from compress_guard.codecs.pixels import from_pil
from compress_guard.engine.coding.available import available_codec, codec_options
from compress_guard.engine.images.value_range import DarkWatch
from compress_guard.errors import DataError, OptionError
from compress_guard.registry import codec_named
from compress_guard.thresholds.keys.curve import RATES

__all__ = ["RandomBatchCompression", "RandomCompression"]

Codecs = str | Sequence[str] | Mapping[str, Mapping[str, Any]]
"""A name, several, or names with the options of each."""
Bpp = float | tuple[float, float] | Sequence[float]
Qualities = Bpp | Mapping[str, Bpp]
_BPP: Final = (0.1, 2.0)
"""The rates that are drawn by default: this very object, so that the same rates are seen to be stated."""


def _is_plain(value: object) -> bool:
    return type(value) is torch.Tensor


class RandomCompression(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """Code an image at a random rate and decode it again, with one encode and one decode.

    Args:
        codecs: a codec's name (``"jpeg"``), several, of which one is drawn for each sample, or names with options:
            ``{"jpeg": {"subsampling": "4:4:4"}, "webp": {}}``.
        bpp: bits per pixel, 0.02 to 8: a pair ``(low, high)``, drawn evenly in its logarithm over that part which the
            codec reaches with the image at hand, a number, or a list (not a tuple) to choose from.
        p: probability, 0 to 1, that a sample is coded at all.
        quality: in place of `bpp`, settings on the codec's own scale: a number, a pair ``(low, high)``, drawn evenly,
            or a list (not a tuple) to choose from; or these by the name of each codec, as in
            ``{"jpeg": (60, 90), "webp": 80}``.

    The input is that of transforms of torchvision's v2: PIL images of mode RGB, ``tv_tensors.Image`` and plain tensors,
    the last two uint8 of shape (3, H, W), alone or in samples with boxes, masks and labels, which pass through. The
    output has the type, size and dtype of the input; a pipeline gives the size that it delivers, and takes no samples
    with boxes or masks if it scales or crops. Put the transform before `ToDtype` and before resizing, where compression
    happens in practice too.

    The setting for the rate is predicted from a few blocks of the image, by a table that `python -m training.rates`
    learnt for the codecs of the package: nine of ten photographs are within 20 % of the drawn rate. Other codecs are
    learnt from the first images, separately in each process; their first eight images take up to six more encodes.

    Random numbers come from torch: `torch.manual_seed` and the seeds of a DataLoader's workers decide.

    Raises `OptionError` for arguments that make no sense and `CodecUnavailable` for a codec that cannot run here. In
    use it raises TypeError and ValueError for images of another kind, ValueError if the first 32 images are almost
    black (floats from 0 to 1 that were cast to uint8), and `CodecError` for an image that cannot be coded.
    """

    _transformed_types = (_is_plain, tv_tensors.Image, Image.Image)

    def __init__(
        self, codecs: Codecs = "jpeg", bpp: Bpp | None = _BPP, p: float = 1.0, *, quality: Qualities | None = None
    ) -> None:
        super().__init__()
        self.codecs: Final = tuple(_named(codecs))
        self.bpp: Final = _bpp_beside(bpp, quality)
        self.quality: Final = quality
        self.p: Final = _probability(p)
        rates = None if self.bpp is None else _rates(self.bpp)
        self._trips = [_round_trip(name, options) for name, options in _named(codecs).items()]
        _check_names(quality, self.codecs)
        self._drawn = [
            DrawnSettings.of(name, trip.codec, quality) if rates is None else _reached(trip.codec, rates)
            for name, trip in zip(self.codecs, self._trips, strict=True)
        ]
        self._dark = DarkWatch()

    def forward(self, *inputs: Any) -> Any:
        """Return the sample with its images coded."""
        if len(inputs) == 1 and isinstance(inputs[0], Image.Image):
            # Looking for images in a sample costs a hundredth of JPEG's round trip, and here there is no other.
            return self.transform(inputs[0], self.make_params(list(inputs)))
        self._check_targets(tree_flatten(inputs)[0])
        return super().forward(*inputs)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw for a sample: True if it is coded, the number of its codec, and a number that becomes the rate."""
        del flat_inputs
        coded, codec, chance = torch.rand(3).tolist()
        return {"coded": coded < self.p, "codec": int(codec * len(self._trips)), "chance": chance}

    def _check_targets(self, flat_inputs: list[Any]) -> None:
        """Raise ValueError for boxes and masks beside an image that a codec scales or crops: they would not fit."""
        placed = [item for item in flat_inputs if isinstance(item, tv_tensors.BoundingBoxes | tv_tensors.Mask)]
        for trip in self._trips if placed else ():
            if reshaping_of(trip.codec):
                what = f"{type(placed[0]).__name__} beside an image, and the {trip.codec.type} scales or crops images"
                remedy = "leave out its steps resize and crop, or train on images alone"
                raise ValueError(f"RandomCompression got {what}, not their targets; {remedy}")

    def transform(self, image: Any, params: dict[str, Any]) -> Any:
        """Return one image of the sample, coded if that was drawn."""
        # An image that cannot be coded is refused even if it is not drawn, or training would stop at a later epoch.
        if not isinstance(image, Image.Image):
            _check(image, "RandomCompression")
        elif image.mode != "RGB":
            raise ValueError(f"RandomCompression got a PIL image of mode {image.mode}; {_to_rgb(image.mode)}")
        _look(self._dark, image, "RandomCompression")
        if not params["coded"]:
            return image
        trip, drawn, chance = self._trips[params["codec"]], self._drawn[params["codec"]], params["chance"]
        if isinstance(image, Image.Image):
            return trip.picture(image, drawn, chance)
        return _like(image, trip.tensor(image.as_subclass(torch.Tensor), drawn, chance))

    # Names that torchvision used before 0.21.
    _get_params = make_params
    _transform = transform


class RandomBatchCompression(torch.nn.Module):
    """Code whole batches at random rates on the device where they are; for learned codecs.

    Args:
        codec: its name, such as ``"neural"``.
        bpp: see `RandomCompression`; a rate is drawn for each image.
        p: probability, 0 to 1, that an image is coded.
        quality: settings in place of rates, see `RandomCompression`; one is drawn for each image.
        options: options of the codec.

    Call it with a uint8 tensor (B, 3, H, W) or a list of (3, H, W), on any device; it returns the decoded images in the
    same form. The codec works on the device of the batch; `neural` computes the pixels that its streams decode to,
    without writing streams. No gradient passes.
    """

    def __init__(
        self,
        codec: str = "neural",
        bpp: Bpp | None = _BPP,
        p: float = 1.0,
        quality: Qualities | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.codec: Final = codec
        self.bpp: Final = _bpp_beside(bpp, quality)
        self.quality: Final = quality
        self.p: Final = _probability(p)
        self._options = options
        self._dark = DarkWatch()
        self._trips = {"cpu": _round_trip(codec, options)}
        _check_names(quality, (codec,))
        self._drawn = (
            DrawnSettings.of(codec, self._trips["cpu"].codec, quality)
            if self.bpp is None
            else _reached(self._trips["cpu"].codec, _rates(self.bpp))
        )

    @torch.no_grad()
    def forward(self, images: torch.Tensor | list[torch.Tensor]) -> torch.Tensor | list[torch.Tensor]:
        """Return the batch with each drawn image coded at a rate of its own."""
        batch = list(images)
        for image in batch:
            _check(image, "RandomBatchCompression")
            _look(self._dark, image, "RandomBatchCompression")
        draws = torch.rand(len(batch), 2).tolist()
        chosen = [at for at, (coded, _) in enumerate(draws) if coded < self.p]
        if not chosen:
            return images
        trip = self._trip(str(batch[chosen[0]].device))
        plain = [batch[at].as_subclass(torch.Tensor) for at in chosen]
        for at, image in zip(chosen, trip.batch(plain, self._drawn, [draws[at][1] for at in chosen]), strict=True):
            batch[at] = _like(batch[at], image)
        return _like(images, torch.stack(batch)) if isinstance(images, torch.Tensor) else batch

    def _trip(self, device: str) -> RoundTrip:
        if device not in self._trips:
            self._trips[device] = _round_trip(self.codec, self._options, device)
        return self._trips[device]


def _named(codecs: Codecs) -> dict[str, Mapping[str, Any]]:
    if isinstance(codecs, str):
        return {codecs: {}}
    named = dict(codecs) if isinstance(codecs, Mapping) else {name: {} for name in codecs}
    if not named:
        raise OptionError("codecs is empty; name at least one, e.g. codecs='jpeg'")
    return named


def _round_trip(name: str, options: Mapping[str, Any], device: str = "cpu") -> RoundTrip:
    return RoundTrip(available_codec(codec_named(name, dict(codec_options(options))), device))


def _rates(bpp: Bpp | None) -> RateRange:
    expected = f"expected a rate of {RATES}, a pair (low, high) or a list of rates"
    numbers: list[Any] = list(bpp) if isinstance(bpp, Sequence) else [bpp]
    if not numbers or not all(type(number) in (int, float) for number in numbers):
        raise OptionError(f"bpp is {bpp!r}; {expected}")
    if outside := [number for number in numbers if number not in RATES]:
        raise OptionError(f"bpp {outside[0]:g} is outside {RATES}; {expected}")
    if not isinstance(bpp, tuple):
        return RateRange(min(numbers), max(numbers), [float(number) for number in numbers])
    if len(bpp) != 2 or bpp[0] > bpp[1]:
        raise OptionError(f"bpp is {bpp!r}; {expected}: a tuple is a pair, its lower end first")
    return RateRange(float(bpp[0]), float(bpp[1]))


def _reached(codec: Codec, rates: RateRange) -> RateRange | DrawnSettings:
    """Return the rates to draw from; for a codec with a single setting, such as a fixed pipeline, that setting."""
    if len(codec.ladder) != 1:
        return rates
    (setting,) = codec.ladder
    return DrawnSettings(setting, setting, [setting])


def _bpp_beside(bpp: Bpp | None, quality: Qualities | None) -> Bpp | None:
    """Return the rates to draw, None beside qualities; raise `OptionError` where both are given."""
    if quality is None:
        _rates(bpp)
        return bpp
    if bpp is not None and bpp is not _BPP:
        raise OptionError(f"bpp is {bpp!r} and quality is {quality!r}; give one of them")
    return None


def _check_names(quality: object, codecs: Sequence[str]) -> None:
    """Refuse a map of qualities that does not name just these codecs."""
    if not isinstance(quality, Mapping) or set(quality) == set(codecs):
        return
    raise OptionError(f"quality names {', '.join(map(str, quality)) or 'no codec'}; expected {', '.join(codecs)}")


def _probability(p: float) -> float:
    if type(p) not in (int, float) or not 0 <= p <= 1:
        raise OptionError(f"p is {p!r}; expected a probability from 0 to 1")
    return float(p)


def _like(source: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """Return a coded image as `tv_tensors.Image` if its source was one."""
    wrapped: torch.Tensor = tv_tensors.wrap(made, like=source) if isinstance(source, tv_tensors.TVTensor) else made
    return wrapped


def _to_rgb(mode: str) -> str:
    """Return what to do with a PIL image of a mode that is not RGB."""
    if mode == "F" or mode.startswith("I"):
        return "scale its levels to 0 to 255 and make it 8-bit RGB before: v2.RGB() would cut them off"
    return "put v2.RGB() before it"


def _look(dark: DarkWatch, image: Image.Image | torch.Tensor, who: str) -> None:
    """Refuse data whose first images are all almost black."""
    if dark.done:
        return
    try:
        if isinstance(image, Image.Image):
            dark.look(from_pil(image), "RGB")
        else:
            dark.look(image.as_subclass(torch.Tensor))
    except DataError as problem:
        raise ValueError(f"{who}: {problem}") from problem


def _check(image: object, who: str) -> None:
    if not isinstance(image, torch.Tensor):
        raise TypeError(f"{who} got {type(image).__module__}.{type(image).__qualname__}; expected tensors")
    if image.dtype != torch.uint8:
        raise TypeError(f"{who} got a tensor of {image.dtype}; codecs take uint8: put it before v2.ToDtype")
    if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise ValueError(f"{who} got a tensor of shape {tuple(image.shape)}; expected (3, H, W)")
