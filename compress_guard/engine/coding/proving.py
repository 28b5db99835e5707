"""Proofs of codecs with a forward pass: its estimates are compared with real streams of a few images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from compress_guard.codecs.contract import Codec, Proof
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.watch import NOT_JUDGED
from compress_guard.errors import CodecError
from compress_guard.records import EstimateCheck, RatePlan, seeded_fraction

PROVED: Final = 2
"""Images per guard and codec that are coded with real streams: autoregressive models take seconds for each."""

FORWARD_LEVELS: Final = 1
"""Largest difference, in levels, of a real stream from the forward reconstruction: rounding only."""
# An autoregressive model may round a latent near a boundary the other way, which shows in a few blocks and costs
# hundredths of a dB; an entropy coder out of step loses ten dB and more.
CODED_LOSS: Final = 0.1
"""Loss in dB that a real stream with a larger difference may have, if the codec measures it."""
ESTIMATED_LOSS: Final = 1.0
"""Such a loss if bits are estimated: the model gets the forward reconstruction then, not a decoded stream."""


@dataclass(frozen=True, slots=True)
class Proven:
    """A comparison of a codec's forward pass with real streams of some images."""

    images: int
    """Number of images compared; 0 for a codec without a forward pass."""
    bits_difference: float | None = None
    """Estimated bits / coded bits - 1 of the image with the largest such difference."""
    reconstruction_difference: int | None = None
    """Largest difference between a decoded stream and the forward reconstruction, in levels."""
    fault: str | None = None
    """Reason why no model can be judged with this codec."""

    def check(self) -> None:
        """Raise `CodecError` for a fault."""
        if self.fault is not None:
            raise CodecError(self.fault)

    def figures(self) -> EstimateCheck:
        """Return the part of a result that this makes."""
        return EstimateCheck(
            bits_checked=self.images or None,
            bits_difference=self.bits_difference,
            reconstruction_difference=self.reconstruction_difference,
        )


def prove(coder: Coder, plan: RatePlan, seed: int) -> Proven:
    """Code a few images with real streams at settings of the plan, whichever cells were selected, and compare.

    The images are a seeded choice; the first is coded as at the lowest rate, the last as at the highest.
    """
    ids = [info.id for info in coder.survey.infos]
    low, high = plan.rates[0].settings, plan.rates[-1].settings
    order = sorted(
        (at for at, ends in enumerate(zip(low, high, strict=True)) if None not in ends),
        key=lambda at: seeded_fraction(seed, f"proof: {ids[at]}"),
    )
    jobs = [
        (at, setting)
        for at, settings in zip(order[:PROVED], (low, high), strict=False)
        if (setting := settings[at]) is not None
    ]
    try:
        proofs = coder.proofs(jobs)
    except CodecError as problem:
        return Proven(len(jobs), fault=f"a real stream beside the forward pass: {problem}; {NOT_JUDGED}")
    if not proofs:
        return Proven(0)
    faults = [
        f"image {ids[at]} at setting {setting:g} of {coder.codec.type}, the decoded stream beside the forward "
        f"reconstruction: {what}; {NOT_JUDGED}"
        for (at, setting), proof in zip(jobs, proofs, strict=True)
        if (what := _mismatch(coder.codec, proof)) is not None
    ]
    return Proven(
        len(proofs),
        max((proof.estimated / proof.coded - 1 for proof in proofs), key=abs),
        max(proof.difference for proof in proofs),
        faults[0] if faults else None,
    )


def _mismatch(codec: Codec, proof: Proof) -> str | None:
    """Return the fault of a real stream; None without one."""
    if proof.difference <= FORWARD_LEVELS:
        return None
    what = f"they differ by up to {proof.difference} levels"
    if proof.loss is None:
        return f"{what}, allowed {FORWARD_LEVELS}"
    allowed = CODED_LOSS if codec.bits == "coded" else ESTIMATED_LOSS
    return f"{what}, and it is {proof.loss:.2f} dB worse, allowed {allowed:g}" if proof.loss > allowed else None
