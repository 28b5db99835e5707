"""What a person should know beside the matrices: one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report import figure
from compress_guard.report.tally import ungated

if TYPE_CHECKING:
    from compress_guard.records import CellResult
    from compress_guard.report.markup import Line

ESTIMATE_TOLERANCE: Final = 0.01
"""Relative difference between estimated and coded bits from which on a person should know: half of what rates may miss
their targets by."""


def failures(results: Sequence[CellResult]) -> Iterator[Line]:
    """Every cell that failed, with its reason."""
    failed = [result for result in results if result.outcome == "failed"]
    if failed:
        yield ((f"{len(failed)} of {figure.count(len(results), 'cell')} failed:", "red bold"),)
    for result in failed:
        yield (("  ", ""), (result.id, "bold"), (f"  {result.reason}", ""))


def notes(results: Sequence[CellResult]) -> Iterator[Line]:
    """What stood in the way of a verdict, and what to do about it."""
    for name in ungated(results):
        cells = figure.count(sum(result.guard == name for result in results), "cell")
        yield ((f"{name} gates nothing: none of its {cells} was judged", "red bold"),)
    for told in (_inconclusive, _unreachable, _unavailable, _faulty, _unjudged, _left_out, _outliers, _misjudged_bits):
        for text in told(results):
            yield ((text, "yellow"),)
    for told in (_missed, _off_target, _mixed, _estimated, _remarks):
        for text in told(results):
            yield ((text, "light"),)


def _inconclusive(results: Sequence[CellResult]) -> Iterator[str]:
    found = [result for result in results if result.verdict == "inconclusive"]
    if found:
        ways = {
            ("passed", "policy"): "passed by on_inconclusive: pass",
            ("failed", "policy"): "failed by on_inconclusive: fail",
            ("passed", "point"): "passed by the point estimate",
            ("failed", "point"): "failed by the point estimate",
        }
        settled = [(result.outcome, result.settled_by) for result in found]
        how = ", ".join(f"{settled.count(way)} {text}" for way, text in ways.items() if way in settled)
        yield (
            f"{len(found)} inconclusive (?): the interval reaches to both sides of the limit, so these images cannot "
            f"tell and more are needed; {how}"
        )


def _unreachable(results: Sequence[CellResult]) -> Iterator[str]:
    for (guard, codec), found in _groups(results, "unreachable", lambda result: (result.guard, result.codec)):
        rates = ", ".join(
            f"{result.target_bpp:g}" + (f" (floor {figure.bpp(result.floor_bpp)})" if result.floor_bpp else "")
            for result in found
        )
        allow = ", or set on_unreachable: skip" if any(result.outcome == "failed" for result in found) else ""
        yield (
            f"{guard}: {codec} does not reach {rates} bpp on these images; "
            f"give it higher rates, bpp: {{{codec}: [...], default: [...]}}, use larger images{allow}"
        )


def _unavailable(results: Sequence[CellResult]) -> Iterator[str]:
    for (codec, reason), found in _groups(results, "unavailable", lambda result: (result.codec, result.reason)):
        yield f"{codec} is unavailable ({figure.count(len(found), 'cell')}): {reason}"


def _faulty(results: Sequence[CellResult]) -> Iterator[str]:
    for (guard, codec), found in _groups(results, "codec_error", lambda result: (result.guard, result.codec)):
        yield f"{guard}: {codec} itself failed in {figure.count(len(found), 'cell')}: no verdict on the model there"


def _unjudged(results: Sequence[CellResult]) -> Iterator[str]:
    for (guard, codec), found in _groups(results, "unjudged", lambda result: (result.guard, result.codec)):
        cells = figure.count(len(found), "cell")
        yield f"{guard}: {codec} was measured without a limit in {cells}; set max_drop or min_score to judge it"


def _left_out(results: Sequence[CellResult]) -> Iterator[str]:
    groups: dict[tuple[str, int, tuple[str, ...]], list[CellResult]] = {}
    for result in results:
        if result.errors and result.drop is not None:
            groups.setdefault((result.guard, result.errors, result.error_ids), []).append(result)
    for (guard, errors, ids), found in groups.items():
        share = f"{errors} of {figure.span(str(result.images) for result in found if result.images is not None)}"
        named = ", ".join(ids) + (", ..." if len(ids) < errors else "")
        cells = figure.count(len(found), "cell")
        yield f"{guard}: {share} images failed to load or code and were left out of {cells}: {named}"


def _outliers(results: Sequence[CellResult]) -> Iterator[str]:
    for result in results:
        if not result.outlier_count or result.psnr_median is None:
            continue
        named = ", ".join(f"{name} ({psnr:.1f} dB)" for name, psnr in result.outliers)
        more = ", ..." if len(result.outliers) < result.outlier_count else ""
        yield (
            f"{result.guard}: {result.codec} at {result.target_bpp:g} bpp: "
            f"{figure.count(result.outlier_count, 'image')} came back far worse than the others "
            f"(median {result.psnr_median:.1f} dB); look at what its decoder makes of: {named}{more}"
        )


def _misjudged_bits(results: Sequence[CellResult]) -> Iterator[str]:
    for (guard, codec), found in _checked_estimates(results).items():
        difference, images = found[0].bits_difference or 0.0, found[0].bits_checked or 0
        if abs(difference) > ESTIMATE_TOLERANCE:
            yield (
                f"{guard}: the estimated bits of {codec} are {100 * difference:+.1f} % off its real streams (checked "
                f"on {figure.count(images, 'image')}), so the rates of {figure.count(len(found), 'cell')} are too; set "
                "bits: coded"
            )


def _checked_estimates(results: Sequence[CellResult]) -> dict[tuple[str, str], list[CellResult]]:
    """The results whose bits are estimated and were held against real streams, by guard and codec."""
    groups: dict[tuple[str, str], list[CellResult]] = {}
    for result in results:
        if result.bits == "estimated" and result.bits_difference is not None:
            groups.setdefault((result.guard, result.codec), []).append(result)
    return groups


def _missed(results: Sequence[CellResult]) -> Iterator[str]:
    """Means beyond the tolerance, but for those that a floor or ceiling explains."""
    groups: dict[str, list[CellResult]] = {}
    for result in results:
        if result.rate == "dataset" and result.drop is not None and not result.off_target and _miss(result):
            groups.setdefault(result.guard, []).append(result)
    for guard, found in groups.items():
        cells = ", ".join(
            f"{result.codec} at {result.target_bpp:g} bpp has a mean of {figure.bpp(result.bpp_mean or 0.0)} "
            f"({100 * _miss(result):+.1f} %)"
            for result in found
        )
        tolerance = figure.span(f"{100 * (result.rate_tolerance or 0.0):g} %" for result in found)
        left_out = " or images were left out" if any(result.errors for result in found) else ""
        yield f"{guard}: {cells}, tolerance {tolerance}: too few images to mix two settings finely{left_out}"


def _miss(result: CellResult) -> float:
    """Relative distance of the mean rate from its target where that is more than the tolerance, else 0."""
    if result.bpp_mean is None or result.rate_tolerance is None:
        return 0.0
    miss = result.bpp_mean / result.target_bpp - 1
    # A mean at the very edge of the tolerance may lie beyond it by rounding.
    return miss if abs(miss) > result.rate_tolerance + 1e-9 else 0.0


def _off_target(results: Sequence[CellResult]) -> Iterator[str]:
    yield from _listed(
        results,
        lambda result: (
            f": {result.off_target} of {result.images}" if result.off_target and result.drop is not None else None
        ),
        "images coded at the codec's floor or ceiling, off their rate",
    )


def _mixed(results: Sequence[CellResult]) -> Iterator[str]:
    yield from _listed(
        results, lambda result: "" if result.mixed else None, "settings more than 15 % apart share the rate"
    )


def _estimated(results: Sequence[CellResult]) -> Iterator[str]:
    def told(result: CellResult) -> str | None:
        if result.bits != "estimated":
            return None
        return "" if result.bits_difference is None else f" ({100 * result.bits_difference:+.1f} % off real streams)"

    yield from _listed(results, told, "bits are estimated, not coded")


def _remarks(results: Sequence[CellResult]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], None] = {}
    for result in results:
        if result.codec_remark:
            groups[result.guard, result.codec, result.codec_remark] = None
    for guard, codec, remark in groups:
        yield f"{guard}: {codec}: {remark}"


def _listed(results: Sequence[CellResult], told: Callable[[CellResult], str | None], what: str) -> Iterator[str]:
    """One line per guard that names its cells for which there is something to tell, be it that they are meant."""
    groups: dict[str, list[str]] = {}
    for result in results:
        if (text := told(result)) is not None:
            groups.setdefault(result.guard, []).append(f"{result.codec} {result.target_bpp:g} bpp{text}")
    for guard, cells in groups.items():
        yield f"{guard}: {what}: {', '.join(cells)}"


def _groups(
    results: Sequence[CellResult], verdict: str, key: Callable[[CellResult], tuple[str, str]]
) -> list[tuple[tuple[str, str], list[CellResult]]]:
    """The results with a verdict, by key, in the order of their first."""
    groups: dict[tuple[str, str], list[CellResult]] = {}
    for result in results:
        if result.verdict == verdict:
            groups.setdefault(key(result), []).append(result)
    return list(groups.items())
