"""``compress-guard doctor``: which codecs, decoders and weights are here, and what brings the others."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from compress_guard import thresholds as thresholds_file
from compress_guard.cli.decoders import known_decoders, needed_decoders
from compress_guard.cli.findings import Finding, print_findings
from compress_guard.cli.terminal import put
from compress_guard.codecs.contract import Codec
from compress_guard.codecs.zoo import weights
from compress_guard.codecs.zoo.architectures import ARCHITECTURES, PUBLISHED
from compress_guard.codecs.zoo.learned import Learned
from compress_guard.codecs.zoo.library import compressai_library
from compress_guard.codecs.zoo.own import CompressAi
from compress_guard.codecs.zoo.published import Zoo
from compress_guard.engine.coding.available import build_codec
from compress_guard.errors import CodecUnavailable, OptionError, RegistrationError, UsageError, described
from compress_guard.foreign import shown_line
from compress_guard.records import CodecSpec, Guard
from compress_guard.registry import CODECS, SCHEMES, required_options

_GPU: Final = "cuda:0"
_HINT: Final = "weights: name a thresholds file to see those that its codecs need: compress-guard doctor FILE"


def doctor(options: argparse.Namespace) -> bool:
    """Print what is found; False if something that is needed is missing, or anything damaged. Raises `UsageError`."""
    if options.lock:
        _forget_junk(options.weights)
    device = _GPU if _has_gpu() else "cpu"
    if options.thresholds is None:
        asked_for = options.lock or bool(options.weights)
        codecs, zoo = _registered(), list(_all_published(options.weights)) if asked_for else []
        decoders = known_decoders(device)
    else:
        guards = _guards(options.thresholds)
        built = list(_named(guards, options.thresholds, options.weights))
        decoders = needed_decoders(guards, device)
        codecs = [_loaded(_examined(alias, codec), codec) for alias, codec in built]
        zoo = [codec for _, codec in built if isinstance(codec, Zoo)]
    files = list(_files(zoo))
    put(f"GPU: {_gpu()}")
    print_findings("codecs", codecs)
    if decoders:
        print_findings("decoders", decoders)
    if options.thresholds is None and not zoo:
        put("weights: name a thresholds file to see those that its codecs need: compress-guard doctor FILE")
    for shelf in dict.fromkeys(shelf for shelf, _, _ in files):
        of_shelf = [finding for place, finding, _ in files if place == shelf]
        print_findings(shown_line(f"weights in {shelf.folder} ({shelf.origin})"), of_shelf)
        if options.lock:
            _lock(shelf.folder, {finding.name: digest for place, finding, digest in files if place == shelf and digest})
    findings = [*codecs, *decoders, *(finding for _, finding, _ in files)]
    bad = {"damaged"} if options.thresholds is None else {"damaged", "missing"}
    return not any(finding.state in bad for finding in findings)


def _registered() -> list[Finding]:
    """Return a finding for every registered codec: with its default options, or with those that it needs."""
    findings = []
    for name in CODECS.look_all_up():
        if (owner := CODECS.owner(name)) is not None:
            findings.append(_of_others(name, owner))
            continue
        needed = required_options(name)
        if not needed:
            findings.append(_examined(name, build_codec(CodecSpec(name, name))))
            continue
        reason = _library_problem() if name in SCHEMES else None
        state, remark = ("missing", reason) if reason else ("ok", f"needs the options {', '.join(needed)}")
        findings.append(Finding(name, state, remark))
    findings += [Finding(name, "damaged", str(problem)) for name, problem in CODECS.claims().items()]
    return findings


def _of_others(name: str, owner: str) -> Finding:
    """Return the finding on a codec of a third party, whose code may raise anything."""
    try:
        if needed := required_options(name):
            return Finding(name, "ok", f"needs the options {', '.join(needed)}; {owner}")
        finding = _examined(name, build_codec(CodecSpec(name, name)))
    except RegistrationError as problem:
        return Finding(name, "damaged", str(problem))
    except Exception as problem:  # noqa: BLE001 -- see above
        return Finding(name, "damaged", f"raised {described(problem)}; {owner}")
    return dataclasses.replace(finding, remark=f"{finding.remark}; {owner}")


def _library_problem() -> str | None:
    try:
        compressai_library()
    except CodecUnavailable as problem:
        return str(problem)
    return None


def _guards(path: str) -> tuple[Guard, ...]:
    """Return the guards of a file; raises `UsageError`."""
    if not Path(path).exists():
        raise UsageError(path, "there is no such file", "name a thresholds file: compress-guard doctor FILE")
    return thresholds_file.load(Path(path), shown=path).guards


def _named(guards: Iterable[Guard], path: str, folder: str) -> Iterator[tuple[str, Codec]]:
    """Yield alias and codec of everything that the guards of a file use."""
    for spec in dict.fromkeys(spec for guard in guards for spec in guard.codecs):
        try:
            # Nothing of people's runs here that could change the current folder: paths are shown as they were given.
            codec = build_codec(dataclasses.replace(spec, folder=""))
        except OptionError as problem:
            raise UsageError(path, str(problem), "correct the codec") from problem
        if isinstance(codec, Zoo) and not codec.weights and folder:
            codec = dataclasses.replace(codec, weights=folder)
        yield spec.alias, codec


def _examined(name: str, codec: Codec) -> Finding:
    reason = codec.unavailable()
    if reason is not None:
        return Finding(name, "missing", reason)
    try:
        version = codec.version
    except (CodecUnavailable, OSError) as problem:
        return Finding(name, "damaged", str(problem))
    twin = codec.on(_GPU) if _has_gpu() else codec
    where = f"on {twin.device}" + (f": {twin.remark}" if twin.remark else "")
    pin = _broken_pin() if isinstance(codec, Learned) else None
    return Finding(name, "ok", f"{version}, {where}" + (f"; {pin}" if pin else ""))


def _broken_pin() -> str | None:
    """Return a message about a numpy that the installed compressai does not allow; None for one that it allows."""
    from packaging.requirements import Requirement  # comes with pytest

    try:
        asked = [Requirement(line) for line in metadata.requires("compressai") or ()]
        numpy, compressai = metadata.version("numpy"), metadata.version("compressai")
    except (metadata.PackageNotFoundError, ValueError):
        return None
    pins = [pin for pin in asked if pin.name == "numpy" and not pin.specifier.contains(numpy, prereleases=True)]
    if not pins:
        return None
    return (
        f"numpy {numpy} is against the pins of compressai {compressai} (numpy{pins[0].specifier}), which may fail with "
        f"it; pip install 'numpy{pins[0].specifier}'"
    )


def _loaded(finding: Finding, codec: Codec) -> Finding:
    """Return the finding on own networks after loading their files: a hash does not show whether they can be loaded."""
    if finding.state != "ok" or not isinstance(codec, CompressAi):
        return finding
    try:
        for checkpoint in codec.checkpoints():
            checkpoint.load()
    except CodecUnavailable as problem:
        return dataclasses.replace(finding, state="damaged", remark=str(problem))
    return finding


def _all_published(folder: str) -> Iterator[Zoo]:
    """Yield every model that the installed CompressAI publishes, with all its levels."""
    if _library_problem() is not None:
        return
    for name in PUBLISHED:
        for metric in ARCHITECTURES[name].metrics:
            if levels := tuple(weights.published(name, metric)):
                chosen = () if ARCHITECTURES[name].variable else levels
                yield Zoo(name, metric, levels=chosen, weights=folder)


def _files(codecs: Iterable[Zoo]) -> Iterator[tuple[weights.Shelf, Finding, str]]:
    """Yield each file of weights once: the shelf it belongs to, its finding, and its sha256 if it is intact."""
    seen = set()
    for codec in codecs:
        try:
            addresses = codec.addresses()
        except CodecUnavailable:
            continue  # said of the codec itself: CompressAI does not import
        shelf = codec.shelf()
        for address in addresses:
            path = shelf.folder / weights.name_in(address)
            if path in seen:
                continue
            seen.add(path)
            if not path.is_file():
                yield shelf, Finding(path.name, "missing", f"from {address.rpartition('/')[0]}/"), ""
                continue
            try:
                digest = weights.verified(path, address)
            except CodecUnavailable as problem:
                yield shelf, Finding(path.name, "damaged", str(problem)), ""
            else:
                yield shelf, Finding(path.name, "ok", f"sha256 {digest[:16]}"), digest


def _lock(folder: Path, digests: dict[str, str]) -> None:
    if not digests:
        put(shown_line(f"no lock file written: there are no intact weights in {folder}"))
        return
    known = weights.locked(folder)
    path = weights.write_lock(folder, known | digests)
    put(shown_line(f"locked: {len(known | digests)} files in {path}"))


def _forget_junk(folder: str) -> None:
    """Drop a lock file that cannot be read, as the message about it promises."""
    where = weights.shelf_of(folder).folder
    try:
        weights.locked(where)
    except CodecUnavailable:
        with contextlib.suppress(OSError):
            (where / weights.LOCK).unlink()


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _gpu() -> str:
    if not _has_gpu():
        return "none that torch can use; codecs work on the CPU"
    import torch

    return f"{torch.cuda.get_device_name(_GPU)}, {_GPU}"
