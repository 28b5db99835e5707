"""Versions of the codecs and models of a run, so that the next run can report a change."""

from __future__ import annotations

from collections.abc import Iterable

from compress_guard import store as keys
from compress_guard.codecs.contract import Codec
from compress_guard.engine.prediction.earlier_evidence import left_answers
from compress_guard.engine.settings import RunSettings
from compress_guard.foreign import LONGEST_SENTENCE, shown
from compress_guard.records import CellResult, CodecSpec
from compress_guard.store import Store


def moved_from(store: Store, spec: CodecSpec, codec: Codec) -> str | None:
    """Return the version of the codec in the run before; None if it is the same or unknown."""
    data = store.get(_name(spec.alias, codec.device), "versions")
    before = None if data is None else data.decode(errors="replace")
    return None if before == shown(codec.version, LONGEST_SENTENCE) else before


def remember_run(settings: RunSettings, results: Iterable[CellResult]) -> None:
    """Keep the versions of codecs and the answers of models when a run has ended.

    During the run they do not change, so that all its cells report the same.
    """
    store = settings.store()
    for name, answers in left_answers(settings.run_folder):
        store.put(name, answers, "versions")
    for result in results:
        if result.codec_version is not None and result.codec_device is not None:
            store.put(_name(result.codec, result.codec_device), result.codec_version.encode(), "versions")


def _name(alias: str, device: str) -> str:
    """Return the name of a version: CPU and GPU may use different libraries, but which GPU it is does not matter."""
    return keys.key("version", alias, device.partition(":")[0].partition(" ")[0])
