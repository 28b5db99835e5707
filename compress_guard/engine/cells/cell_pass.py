"""The images of one cell through the model: all of them, or in random order until the verdict is certain."""

from __future__ import annotations

import bisect
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from compress_guard import store as keys
from compress_guard.codecs.decoding.second import SecondDecoder, no_second_decoder, second_decoder
from compress_guard.codecs.decoding.streams import decoder_version, writer
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.decoded_image import DecodedImage
from compress_guard.engine.coding.decoders_apart import DecoderPair
from compress_guard.engine.coding.fidelity import NOTHING, Seen
from compress_guard.engine.coding.watch import CodecWatch
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.prediction.batches import Batch, coded_batch
from compress_guard.engine.prediction.clean.side import CleanSide
from compress_guard.engine.prediction.decoder_swap import swapped_batch
from compress_guard.engine.prediction.earlier_evidence import Verdict
from compress_guard.engine.prediction.shards import Predicted, Shard
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.progress import CountProgress, Progress
from compress_guard.errors import CodecError, error_text
from compress_guard.records import DecoderSwap, Evidence, Judgement, PlannedRate
from compress_guard.tasks.scorer import Scorer
from compress_guard.verdict import EarlyStop

if TYPE_CHECKING:
    import torch

Watch = Callable[[Sequence[DecodedImage]], Seen]
Score = Callable[[Evidence], Scorer]
"""Function that makes the scorer of a cell's metric."""


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """Evidence that a cell's verdict rests on."""

    clean: Evidence
    """Clean evidence of the same images, in the same order as `evidence`."""
    evidence: Evidence
    reached: int
    """Number of images that the model had been through, in their order, when the pass stopped."""
    seen: Seen
    """Checks of the same images before the model saw them."""
    judgement: Judgement | None = None
    """Judgement of a pass that stopped because the verdict was certain; None after all images."""
    first: Evidence | None = None
    """Evidence of the same images by the first decoder, in a cell that compares decoders."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Images of one cell as its plan codes them, ready to be predicted."""

    subject: Subject
    subset: Subset
    limit: int | None
    clean: CleanSide
    coder: Coder
    planned: PlannedRate
    watch: CodecWatch
    names: tuple[str, str]
    """Names of the guard and the cell in progress messages."""
    max_error_share: float
    decoder: str = ""
    """Name of the decoder in messages, if the guard names decoders."""
    swaps: bool = False
    """True if the guard asks for a second decoder."""
    first: Trial | None = None
    """Trial of these images by the first decoder, in a cell that compares decoders; None in others."""
    kept: list[Predicted] = field(default_factory=list)
    """Evidence of the batches so far, the first ones; it serves the cells that are compared with this one too."""

    @property
    def encoded_pixels(self) -> int:
        """Pixels of all images that an encoder was called with for these images, by either decoder's coder."""
        return self.coder.encoded_pixels + (self.first.encoded_pixels if self.first is not None else 0)

    def lost(self) -> dict[int, str]:
        """Return the errors, by position, of images that were lost in coding, or by the first decoder."""
        first = {} if self.first is None else self.first.lost()
        return first | self.coder.lost(self.planned)

    def verify(self) -> Verdict:
        """Look again at the first batch of this cell, and of its second decoder, before older evidence is used.

        Returns the first difference, or `SAME`. Raises `CodecError`, and what the model and the data raise.
        """
        verdicts = [self.subject.verify(self._shards())]
        if self.first is not None:
            verdicts.append(self.first.verify())
        if self.swaps and (second := second_decoder(writer(self.coder.codec))) is not None:
            with contextlib.suppress(CodecError):  # no verdict depends on the second decoder
                verdicts.append(self.subject.verify(self._swapped_shards(second, len(self.subset.survey.usable))))
        return next((verdict for verdict in verdicts if verdict is not Verdict.SAME), Verdict.SAME)

    def whole(self, progress: Progress) -> Passed:
        """Predict all images."""
        guard, cell = self.names
        images = len(self.subset.survey.usable)
        clean = self.clean.evidence(self.limit, partial(progress, f"predicting {guard} clean"))
        return self._passed(clean, self._predicted(images, partial(progress, f"predicting {cell}")), images, progress)

    def until_certain(self, stop: EarlyStop, score: Score, progress: Progress) -> Passed:
        """Predict batch after batch until `stop` is certain of the verdict, or all images."""
        guard, cell = self.names
        total = len(self.subset.survey.usable)
        cuts = list(self.subject.batches(self.subset))
        tell = partial(progress, f"predicting {guard} clean")
        survey = self.subset.survey
        starts = survey.group_starts
        parts = self.kept
        with contextlib.closing(self.subject.each(self._shards())) as arriving:
            for cut, part in zip(cuts, arriving, strict=False):
                parts.append(part)
                progress(f"predicting {cell}", cut.stop, total)
                whole_groups = bisect.bisect_right(starts, cut.stop) - 1
                if cut.stop == total or not stop.due(whole_groups):
                    continue
                reached = starts[whole_groups]
                so_far = Predicted.merge(parts).only({info.id for info in survey.infos[:reached]})
                if not self._due(stop, reached, so_far.evidence.ids):
                    continue
                clean = self.clean.evidence(self.limit, tell, reached)
                passed = self._passed(clean, so_far, reached, progress)
                ids = passed.evidence.ids
                before = passed.clean if passed.first is None else passed.first
                if not self._due(stop, reached, ids):
                    continue
                judgement = stop.look(score(before), score(passed.evidence), len(ids), survey.groups_of(ids))
                if judgement is not None:
                    return replace(passed, judgement=judgement)
        clean = self.clean.evidence(self.limit, tell, total)
        return self._passed(clean, Predicted.merge(parts), total, progress)

    def _passed(self, clean: Evidence, predicted: Predicted, reached: int, progress: Progress) -> Passed:
        """Return the evidence of the images that are there clean, decoded and, if asked for, by the first decoder."""
        evidence = predicted.evidence
        if self.first is None:
            return Passed(clean.select(evidence.ids), evidence, reached, predicted.seen)
        by_first = self.first._predicted(reached, partial(progress, f"predicting {self.first.names[1]}"))
        self.first.watch.check_median(by_first.seen)
        there = set(by_first.evidence.ids)
        ids = tuple(name for name in evidence.ids if name in there)
        first = by_first.evidence.select(ids)
        return Passed(clean.select(ids), evidence.select(ids), reached, predicted.seen, first=first)

    def _predicted(self, reached: int, progress: CountProgress) -> Predicted:
        """Return the evidence of the batches that begin before this number of images; kept ones are not made again."""
        cuts = [cut for cut in self.subject.batches(self.subset) if cut.start < reached]
        shards = self._shards()[len(self.kept) : len(cuts)]
        with contextlib.closing(self.subject.each(shards)) as arriving:
            for part in arriving:
                self.kept.append(part)
                progress(min(cuts[len(self.kept) - 1].stop, reached), reached)
        return Predicted.merge(self.kept[: len(cuts)])

    def _due(self, stop: EarlyStop, reached: int, ids: Sequence[str]) -> bool:
        """Return True if a look is due at these of the first images, and they can stand for all."""
        groups = self.subset.survey.groups_of(ids)
        used = len(ids) if groups is None else groups.count
        return bool(ids) and self._fair(reached, len(ids)) and stop.due(used)

    def _fair(self, reached: int, used: int) -> bool:
        """Return True if the images so far can stand for all: no class is missing, and not too many were lost."""
        return reached >= self.subset.survey.classes_seen and (reached - used) / reached <= self.max_error_share

    def swapped(self, passed: Passed, score: Score, progress: Progress) -> DecoderSwap:
        """Return the score of the images that `passed` used, decoded by another decoder where one is at hand."""
        codec = writer(self.coder.codec)
        second = second_decoder(codec)
        if second is None:
            return DecoderSwap(swap_remark=no_second_decoder(codec))
        shards = self._swapped_shards(second, passed.reached)
        tell = partial(progress, f"predicting {self.names[1]} with {second.name}")
        try:
            evidence = self.subject.evidence(shards, tell).evidence.select(passed.evidence.ids)
        except CodecError as problem:  # no verdict depends on the second decoder
            return DecoderSwap(swap_decoder=second.name, swap_remark=f"{second.name} failed: {error_text(problem)}")
        points = float(score(evidence)(np.ones((1, len(evidence.ids))))[0])
        return DecoderSwap(swap_decoder=second.name, swap_score=None if isnan(points) else points)

    def _swapped_shards(self, second: SecondDecoder, reached: int) -> list[Shard]:
        device = self.subject.device
        return [
            self._shard(cut, partial(swapped_batch, self.coder, second, self.planned, cut, device), second.name)
            for cut in self.subject.batches(self.subset)
            if cut.start < reached
        ]

    def _shards(self) -> list[Shard]:
        device, settings = self.subject.device, self.planned.settings
        shards = []
        for cut in self.subject.batches(self.subset):
            made = partial(coded_batch, self.coder, self.planned, cut, device)
            if self.first is not None:
                shard = self._shard(cut, partial(self._compared, made, self.first, compare=True), self._decoders)
                shards.append(replace(shard, look=partial(self._compared, made, self.first, compare=False)))
                continue
            requests = [(at, setting) for at in cut if (setting := settings[at]) is not None]
            keep = partial(self._keep_decoded, requests)
            shard = self._shard(cut, partial(made, self.watch.see), self._decoders)
            shards.append(replace(shard, look=partial(made, None), keep=keep))
        return shards

    @property
    def _decoders(self) -> str:
        """The decoder of the images, and the one that they are compared with, as part of keys."""
        codec = self.coder.codec
        own = "its own" if writer(codec) is codec else decoder_version(codec)
        return own if self.first is None else f"{own}, compared with {decoder_version(self.first.coder.codec)}"

    def _compared(self, make: Callable[[Watch], Batch], first: Trial, *, compare: bool) -> Batch:
        """Return the batch of `make`, checked and compared with what the first decoder makes of its streams.

        Without `compare` the images are only decoded, by both, for a second look.
        """
        pair = DecoderPair(first.coder, (first.decoder, self.decoder))
        beside: list[torch.Tensor] = []

        def see(decoded: Sequence[DecodedImage]) -> Seen:
            seen = self.watch.see(decoded) if compare else NOTHING
            firsts = pair.decode(decoded)
            beside.extend(image for image in firsts if image is not None)
            return replace(seen, apart=pair.compare(decoded, firsts)) if compare else seen

        return replace(make(see), beside=beside)

    def _keep_decoded(self, requests: Sequence[tuple[int, float]], batch: Batch) -> None:
        self.coder.keep_decoded(requests, batch.images)

    def _shard(self, cut: range, make: Callable[[], Batch], decoder: str = "its own") -> Shard:
        """Return the images at these positions as the plan codes them, decoded by the decoder with this name."""
        survey, settings = self.subset.survey, self.planned.settings
        coded = [at for at in cut if settings[at] is not None]
        parts = [
            part for at in coded for part in (*survey.content(at), str(settings[at]), str(at in self.watch.sample))
        ]
        parts += [repr(geometry) for at in coded if not (geometry := self.coder.geometry(at)).same]
        ids = tuple(survey.infos[at].id for at in coded)
        way = keys.key("coded", self.coder.identity, decoder)
        return Shard(make, ids, keys.key(way, *parts), way)
