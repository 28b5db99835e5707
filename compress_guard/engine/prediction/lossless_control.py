"""The lossless control: images that pass through a lossless codec must get the predictions of the clean ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from compress_guard import store as keys
from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.pillow import PillowCodec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.fidelity import NOTHING, Seen
from compress_guard.engine.models.device_noise import beyond_noise
from compress_guard.engine.prediction.batches import clean_batch, coded_batch
from compress_guard.engine.prediction.clean.reference import Shown, way_of
from compress_guard.engine.prediction.mixed_batches import SCORE_SHARE, mixed, moved_scores
from compress_guard.engine.prediction.shards import Shard
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.progress import CountProgress
from compress_guard.errors import CodecError, ModelError
from compress_guard.records import ControlFigures, Evidence, Fixed, PlannedRate
from compress_guard.records.evidence import same
from compress_guard.store import Store

_SETTING: Final = 1.0
_NEIGHBOURS: Final = (
    "mixed batches: {what} when the clean images came among other neighbours, the first: {first}; expected an image's "
    "prediction to be the same whatever else is in its batch; batch statistics are left on (BatchNorm in train mode), "
    "or the model mixes the images of a batch in another way; call eval() on the model"
)
"""The fault of a model whose predictions depend on an image's neighbours."""


@dataclass(frozen=True, slots=True)
class Ppm(PillowCodec):
    """PPM as a codec: lossless, with one setting. It is not registered, since no cell uses it.

    It shows what PNG would show, since the control is about the way of the pixels. Coding and decoding 576x576 pixels
    takes 0.4 ms, where PNG at its fastest takes 28 ms, more than a JPEG cell with its search.
    """

    type: ClassVar[str] = "ppm"
    format: ClassVar[str] = "PPM"
    feature: ClassVar[str] = "pil"
    library: ClassVar[str] = "Pillow's PPM"
    max_side: ClassVar[int] = 2**31 - 1

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return Scale(_SETTING, _SETTING)

    @property
    def ladder(self) -> tuple[float, ...]:
        """The single setting."""
        return (_SETTING,)


@dataclass(frozen=True, slots=True)
class Control:
    """The outcome for images that were coded without loss and predicted again, then among other neighbours."""

    images: int
    changed: int
    """Number of images whose evidence changed in any bit."""
    fault: str | None = None
    """Reason why no drop of this model can be trusted."""
    mixed: int | None = None
    """Number of predictions among other neighbours; None if no batch could be mixed."""
    mixed_changed: int | None = None
    """Number of these that changed."""

    def check(self) -> None:
        """Raise `ModelError` for a fault."""
        if self.fault is not None:
            raise ModelError(self.fault)

    def figures(self) -> ControlFigures:
        """Return the part of a result that this makes."""
        return ControlFigures(
            control_images=self.images,
            control_changed=self.changed,
            control_mixed=self.mixed,
            control_mixed_changed=self.mixed_changed,
        )


def control(subject: Subject, subset: Shown, clean: Evidence, progress: CountProgress) -> Control:
    """Send up to three batches of the subset through PPM, by the path of every codec, and predict them again.

    Then the clean images of these batches are predicted among other neighbours: see `mixed_batches`.

    The batches are part of `clean`, with the same boundaries. On the CPU their evidence has to be equal to the last
    bit; on a GPU a few predictions may change (`GPU_SHARE`), or the score may change a little (`GPU_POINTS`) if the
    metric has no flags. Among other neighbours that much may change on any device. Raises `CodecError` if the pixels do
    not come back, and what the data and the model raise.
    """
    survey, known = subset.survey, frozenset(clean.ids)
    cuts = [cut for cut in subject.batches(subset) if known.issuperset(survey.infos[at].id for at in cut)]
    chosen = _spread(cuts)
    # Coding again is faster than keeping the files.
    coder = Coder(Ppm(), subset.samples, survey, Store(Path(os.devnull)), 1)
    planned = _plan(len(survey.infos))
    shards = [
        Shard(
            partial(coded_batch, coder, planned, cut, subject.device, _require_source),
            tuple(survey.infos[at].id for at in cut),
            keys.key("lossless", coder.identity, *(part for at in cut for part in survey.content(at))),
            keys.key("lossless", coder.identity),
        )
        for cut in chosen
    ]
    subject.verify(shards)
    again = subject.evidence(shards, progress).evidence
    for at, why in coder.lost(planned).items():
        raise CodecError(f"lossless control: image {survey.infos[at].id} was lost on the way through PPM: {why}")
    outcome = _compared(subject, clean.select(again.ids), again)
    return outcome if outcome.fault is not None else _among_others(outcome, subject, subset, clean, chosen)


def _among_others(
    outcome: Control, subject: Subject, subset: Shown, clean: Evidence, chosen: Sequence[range]
) -> Control:
    """Predict the control's clean images again, in batches with other images; return `outcome` with what changed."""
    samples, survey = subset.samples, subset.survey
    shards = [
        Shard(
            partial(clean_batch, samples, survey, batch, subject.device),
            tuple(survey.infos[at].id for at in batch),
            keys.key("mixed", *(part for at in batch for part in survey.content(at))),
            way_of(subset),
        )
        for batch in mixed(chosen, survey.sizes, survey.levels)
    ]
    if not shards:
        return outcome
    parts = [(shard, *subject.answered(shard)) for shard in shards]
    after = Evidence.merge(predicted.evidence for _, predicted, _ in parts)
    before = clean.select(after.ids)
    pairs = zip(after.ids, before.items, after.items, strict=True)
    changed = [name for name, *items in pairs if not same(*items)]
    scores = subject.model.first_scores(way_of(subset))
    answers = {
        name: answer["scores"]
        for shard, _, answered in parts
        for name, answer in zip(shard.ids, answered or (), strict=False)
        if name in scores
    }
    moved, compared, allowed = moved_scores(scores, answers)
    fault = None
    if changed and (excess := beyond_noise(subject.task, before, after, len(changed), "")) is not None:
        what = f"{len(changed)} of {len(after.ids)} predictions changed ({excess})"
        fault = _NEIGHBOURS.format(what=what, first=changed[0])
    elif len(moved) > allowed:
        what = (
            f"the scores of {len(moved)} of {compared} images moved by more than {100 * SCORE_SHARE:g} % of their "
            f"range (allowed {allowed})"
        )
        fault = _NEIGHBOURS.format(what=what, first=moved[0])
    if fault is not None:
        # Otherwise the neighbours would be blamed for answers that change from call to call.
        fault = subject.model.moved_answers() or fault
    for shard, predicted, answered in parts if fault is None else ():
        if answered is not None:
            subject.keep(shard, predicted)
    return replace(outcome, fault=fault, mixed=len(after.ids), mixed_changed=len(changed))


def _spread(cuts: Sequence[range]) -> list[range]:
    """Return up to three of the batches: the first, one in the middle, the last."""
    return [cuts[at] for at in sorted({0, len(cuts) // 2, len(cuts) - 1})] if cuts else []


def _plan(count: int) -> PlannedRate:
    """Return a plan with every image at the single setting, and without any known rate."""
    nothing = (None,) * count
    return PlannedRate(Fixed(), (_SETTING,) * count, nothing, nothing, True, None, None, False, 0.0)


def _require_source(decoded: Sequence[DecodedImage]) -> Seen:
    import torch

    for image in decoded:
        if not torch.equal(image.image.cpu(), image.sample.image):
            raise CodecError(
                f"lossless control: image {image.sample.id} came back from PPM with other pixels; the code that takes "
                "images to codecs and back is at fault, so the model was not judged"
            )
    return NOTHING


def _compared(subject: Subject, before: Evidence, after: Evidence) -> Control:
    pairs = zip(before.ids, before.items, after.items, strict=True)
    changed = [name for name, *items in pairs if not same(*items)]
    images = len(before.ids)
    if not changed:
        return Control(images, 0)
    allowed = ""
    if subject.device != "cpu":
        if (excess := beyond_noise(subject.task, before, after, len(changed))) is None:
            return Control(images, len(changed))
        allowed = f" ({excess})"
    fault = (
        f"lossless control: {len(changed)} of {images} predictions changed{allowed}, the first: {changed[0]}; expected "
        "the clean predictions again, since nothing was lost; either the model is not deterministic (dropout or batch "
        "statistics left on, unseeded augmentation in its preprocessing), or the images are changed on the way to it; "
        "call eval() on the model and seed or drop what is random"
    )
    return Control(images, len(changed), fault)
