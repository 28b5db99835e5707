"""The lossless control: images that lose nothing on the way through a codec are predicted as the clean ones were."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final

from compress_guard import store as keys
from compress_guard.codecs.pillow import PillowCodec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.fidelity import NOTHING, Seen
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.models.device_noise import beyond_noise
from compress_guard.engine.prediction.batches import clean_batch, coded_batch
from compress_guard.engine.prediction.mixed_batches import SCORE_SHARE, mixed, moved_scores
from compress_guard.engine.prediction.shards import Shard
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.progress import CountProgress
from compress_guard.errors import CodecError, ModelError
from compress_guard.records import ControlFigures, Evidence, PlannedRate
from compress_guard.records.evidence import same
from compress_guard.store import Store

_SETTING: Final = 1.0
_NEIGHBOURS: Final = (
    "mixed batches: {what} when the clean images came among other neighbours, the first: {first}; expected an image's "
    "prediction to be the same whatever else is in its batch; batch statistics are left on (BatchNorm in train mode), "
    "or the model mixes the images of a batch in another way; call eval() on the model"
)
"""What is wrong with a model whose predictions depend on an image's neighbours."""


@dataclass(frozen=True, slots=True)
class Png(PillowCodec):
    """PNG as a codec: lossless, with one setting. Registered nowhere, since it gates nothing."""

    type: ClassVar[str] = "png"
    format: ClassVar[str] = "PNG"
    feature: ClassVar[str] = "zlib"
    library: ClassVar[str] = "zlib"
    max_side: ClassVar[int] = 2**31 - 1

    @property
    def ladder(self) -> tuple[float, ...]:
        """The one setting."""
        return (_SETTING,)

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        return {"compress_level": 1}


@dataclass(frozen=True, slots=True)
class Control:
    """The outcome for images that were coded without loss and predicted again, and then among other neighbours."""

    images: int
    changed: int
    """How many of them were predicted otherwise than before, by any bit of their evidence."""
    fault: str | None = None
    """Why no drop of this model can be believed."""
    mixed: int | None = None
    """Predictions among other neighbours; None where no batch could be mixed."""
    mixed_changed: int | None = None
    """How many of these were others than before."""

    def check(self) -> None:
        """Raises `ModelError` for a fault."""
        if self.fault is not None:
            raise ModelError(self.fault)

    def figures(self) -> ControlFigures:
        """Return the part of a result that this makes."""
        return ControlFigures(self.images, self.changed, self.mixed, self.mixed_changed)


def control(subject: Subject, subset: Subset, clean: Evidence, progress: CountProgress) -> Control:
    """Send up to three batches of the subset through PNG, on the path of every codec, and predict them again.

    Then the clean images of these batches are predicted among other neighbours: see `mixed_batches`.

    The batches are ones that `clean` holds, cut as they were for it. On the CPU their evidence has to be equal to the
    last bit; on a GPU a few predictions may change (`GPU_SHARE`), or the score may hardly move (`GPU_POINTS`) where the
    metric has no flags. Among other neighbours that much may change anywhere. Raises `CodecError` where the pixels
    themselves do not come back, and what the data and the model raise.
    """
    survey, known = subset.survey, frozenset(clean.ids)
    cuts = [cut for cut in subject.batches(subset) if known.issuperset(survey.infos[at].id for at in cut)]
    chosen = _spread(cuts)
    with _passing() as store:
        coder = Coder(Png(), subset.samples, survey, store, 1)
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
        raise CodecError(f"lossless control: image {survey.infos[at].id} was lost on the way through PNG: {why}")
    found = _compared(subject, clean.select(again.ids), again)
    return found if found.fault is not None else _among_others(found, subject, subset, clean, chosen)


def _among_others(
    found: Control, subject: Subject, subset: Subset, clean: Evidence, chosen: Sequence[range]
) -> Control:
    """Return the control with what became of its clean images in batches of other neighbours."""
    samples, survey = subset.samples, subset.survey
    shards = [
        Shard(
            partial(clean_batch, samples, survey, batch, subject.device),
            tuple(survey.infos[at].id for at in batch),
            keys.key("mixed", *(part for at in batch for part in survey.content(at))),
        )
        for batch in mixed(chosen, survey.sizes, survey.levels)
    ]
    if not shards:
        return found
    parts = [(shard, *subject.answered(shard)) for shard in shards]
    after = Evidence.merge(predicted.evidence for _, predicted, _ in parts)
    before = clean.select(after.ids)
    pairs = zip(after.ids, before.items, after.items, strict=True)
    changed = [name for name, *items in pairs if not same(*items)]
    answers = {
        name: answer["scores"]
        for shard, _, answered in parts
        for name, answer in zip(shard.ids, answered or (), strict=False)
        if name in subject.model.first_scores
    }
    moved, compared, allowed = moved_scores(subject.model.first_scores, answers)
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
        # Answers that move from call to call would be blamed on the neighbours otherwise.
        fault = subject.model.moved_answers() or fault
    for shard, predicted, answered in parts if fault is None else ():
        if answered is not None:
            subject.keep(shard, predicted)
    return replace(found, fault=fault, mixed=len(after.ids), mixed_changed=len(changed))


@contextmanager
def _passing() -> Iterator[Store]:
    """A store for as long as the control takes; on a disk without room for its folder it keeps nothing."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="compress-guard-control-"))
    except OSError:
        yield Store(Path(os.devnull))
        return
    try:
        yield Store(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _spread(cuts: Sequence[range]) -> list[range]:
    """Up to three of them: the first, one in the middle, the last."""
    return [cuts[at] for at in sorted({0, len(cuts) // 2, len(cuts) - 1})] if cuts else []


def _plan(count: int) -> PlannedRate:
    """Every image at the one setting; nothing is known of a rate."""
    nothing = (None,) * count
    return PlannedRate(math.inf, (_SETTING,) * count, nothing, nothing, True, None, 0, False, 0.0)


def _require_source(decoded: Sequence[DecodedImage]) -> Seen:
    import torch

    for one in decoded:
        if not torch.equal(one.image.cpu(), one.sample.image):
            raise CodecError(
                f"lossless control: image {one.sample.id} came back from PNG with other pixels; what brings images to "
                "codecs and back is at fault, so the model was not judged"
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
