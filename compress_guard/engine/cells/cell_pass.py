"""The images of one cell through the model: all of them, or in random order until the verdict is certain."""

from __future__ import annotations

import bisect
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan

import numpy as np

from compress_guard import store as keys
from compress_guard.codecs.decoding.second import SecondDecoder, second_decoder
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.fidelity import Seen
from compress_guard.engine.coding.watch import CodecWatch
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.prediction.batches import Batch, coded_batch
from compress_guard.engine.prediction.decoder_swap import swapped_batch
from compress_guard.engine.prediction.earlier_evidence import Verdict
from compress_guard.engine.prediction.shards import Predicted, Shard
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.progress import Progress
from compress_guard.errors import CodecError
from compress_guard.records import DecoderSwap, Evidence, Judgement, PlannedRate
from compress_guard.tasks.contract import Scorer
from compress_guard.verdict import EarlyStop

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


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Images of one cell as its plan codes them, ready to be predicted."""

    subject: Subject
    subset: Subset
    limit: int | None
    coder: Coder
    planned: PlannedRate
    watch: CodecWatch
    names: tuple[str, str]
    """Names of the guard and the cell in progress messages."""
    max_error_share: float
    swaps: bool = False
    """True if the guard asks for a second decoder."""

    def verify(self) -> Verdict:
        """Look again at the first batch of this cell, and of its second decoder, before older evidence is used.

        Returns the first difference, or `SAME`. Raises `CodecError`, and what the model and the data raise.
        """
        verdicts = [self.subject.verify(self._shards())]
        if self.swaps and (second := second_decoder(self.coder.codec)) is not None:
            with contextlib.suppress(CodecError):  # no verdict depends on the second decoder
                verdicts.append(self.subject.verify(self._swapped_shards(second, len(self.subset.survey.usable))))
        return next((verdict for verdict in verdicts if verdict is not Verdict.SAME), Verdict.SAME)

    def whole(self, progress: Progress) -> Passed:
        """Predict all images."""
        guard, cell = self.names
        clean = self.subject.clean_evidence(self.limit, partial(progress, f"predicting {guard} clean"))
        predicted = self.subject.evidence(self._shards(), partial(progress, f"predicting {cell}"))
        evidence, images = predicted.evidence, len(self.subset.survey.usable)
        return Passed(clean.select(evidence.ids), evidence, images, predicted.seen)

    def until_certain(self, stop: EarlyStop, score: Score, progress: Progress) -> Passed:
        """Predict batch after batch until `stop` is certain of the verdict, or all images."""
        guard, cell = self.names
        total = len(self.subset.survey.usable)
        cuts = list(self.subject.batches(self.subset))
        tell = partial(progress, f"predicting {guard} clean")
        survey = self.subset.survey
        starts = survey.group_starts
        parts: list[Predicted] = []
        with contextlib.closing(self.subject.each(self._shards())) as arriving:
            for cut, part in zip(cuts, arriving, strict=False):
                parts.append(part)
                progress(f"predicting {cell}", cut.stop, total)
                whole_groups = bisect.bisect_right(starts, cut.stop) - 1
                if cut.stop == total or not stop.due(whole_groups):
                    continue
                reached = starts[whole_groups]
                first = Predicted.merge(parts).only({info.id for info in survey.infos[:reached]})
                ids = first.evidence.ids
                groups = survey.groups_of(ids)
                used = len(ids) if groups is None else groups.count
                if not ids or not self._fair(reached, len(ids)) or not stop.due(used):
                    continue
                clean = self.subject.clean_evidence(self.limit, tell, reached).select(ids)
                judgement = stop.look(score(clean), score(first.evidence), len(ids), groups)
                if judgement is not None:
                    return Passed(clean, first.evidence, reached, first.seen, judgement)
        whole = Predicted.merge(parts)
        clean = self.subject.clean_evidence(self.limit, tell, total).select(whole.evidence.ids)
        return Passed(clean, whole.evidence, total, whole.seen)

    def _fair(self, reached: int, used: int) -> bool:
        """Return True if the images so far can stand for all: no class is missing, and not too many were lost."""
        return reached >= self.subset.survey.classes_seen and (reached - used) / reached <= self.max_error_share

    def swapped(self, passed: Passed, score: Score, progress: Progress) -> DecoderSwap:
        """Return the score of the images that `passed` used, decoded by another decoder where one is at hand."""
        second = second_decoder(self.coder.codec)
        if second is None:
            return DecoderSwap()
        shards = self._swapped_shards(second, passed.reached)
        tell = partial(progress, f"predicting {self.names[1]} with {second.name}")
        try:
            evidence = self.subject.evidence(shards, tell).evidence.select(passed.evidence.ids)
        except CodecError:  # no verdict depends on the second decoder
            return DecoderSwap(swap_decoder=second.name)
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
            requests = [(at, setting) for at in cut if (setting := settings[at]) is not None]
            keep = partial(self._keep_decoded, requests)
            shards.append(replace(self._shard(cut, partial(made, self.watch.see)), look=partial(made, None), keep=keep))
        return shards

    def _keep_decoded(self, requests: Sequence[tuple[int, float]], batch: Batch) -> None:
        self.coder.keep_decoded(requests, batch.images)

    def _shard(self, cut: range, make: Callable[[], Batch], decoder: str = "its own") -> Shard:
        """Return the images at these positions as the plan codes them, decoded by the decoder with this name."""
        survey, settings = self.subset.survey, self.planned.settings
        coded = [at for at in cut if settings[at] is not None]
        parts = [
            part for at in coded for part in (*survey.content(at), str(settings[at]), str(at in self.watch.sample))
        ]
        ids = tuple(survey.infos[at].id for at in coded)
        way = keys.key("coded", self.coder.identity, decoder)
        return Shard(make, ids, keys.key(way, *parts), way)
