"""Decoders that are here: which library reads which streams, and what to install for the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compress_guard.cli.findings import Finding
from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.engine.coding.available import build_codec
from compress_guard.records import CodecSpec, Guard
from compress_guard.registry import DECODERS


def known_decoders(device: str) -> list[Finding]:
    """Return a finding for every decoder on a device: ``ok`` if it reads some of the streams that it knows."""
    return [_finding(name, known.reads, device, all_needed=False) for name, known in DECODERS.items()]


def needed_decoders(guards: Iterable[Guard], device: str) -> list[Finding]:
    """Return a finding for every decoder that guards name: ``ok`` if it reads all streams that they have for it."""
    needed: dict[str, dict[str, None]] = {}
    for cell in (cell for guard in guards for cell in guard.cells):
        if cell.decoder is not None:
            needed.setdefault(cell.decoder, {})[cell.codec.delivers] = None
    return [_finding(name, sorted(kinds), device, all_needed=True) for name, kinds in needed.items()]


def _finding(name: str, kinds: Sequence[str], device: str, *, all_needed: bool) -> Finding:
    library, read = "", []
    unread: dict[str, list[str]] = {}
    for kind in kinds:
        decoder: Decoder = DECODERS[name].load()(build_codec(CodecSpec(kind, kind)), device)
        reason = decoder.unavailable()
        if reason is None:
            library = decoder.library
            read.append(kind)
        else:
            unread.setdefault(reason, []).append(kind)
    if not read:
        return Finding(name, "missing", "; ".join(unread))
    remarks = [f"{library} reads {', '.join(read)}", *(f"not {', '.join(some)}: {why}" for why, some in unread.items())]
    return Finding(name, "missing" if unread and all_needed else "ok", "; ".join(remarks))
