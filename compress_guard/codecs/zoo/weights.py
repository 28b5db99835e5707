"""The weights of published models: their folders, their checks, and their download.

Nothing goes to the network unless somebody said so, and no file is loaded whose hash is not the one expected.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from compress_guard.codecs.zoo.library import compressai_library
from compress_guard.errors import CodecUnavailable

WEIGHTS_VARIABLE: Final = "COMPRESS_GUARD_WEIGHTS"
DOWNLOAD_VARIABLE: Final = "COMPRESS_GUARD_DOWNLOAD"
LOCK: Final = "compress-guard.lock"
"""Lock file beside the weights: lines ``sha256  name``, as ``sha256sum --check`` reads them."""
# Names of torch.hub (HASH_REGEX there): the first hexadecimal digits of the content's sha256.
_IN_NAME: Final = re.compile(r"-([0-9a-f]{8,64})\.")
_SECONDS: Final = 60.0
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of weights, and the sources of files that are not in it."""

    folder: Path
    origin: str
    """Reason for the choice of the folder, for messages."""
    mirror: str | None = None
    """Base address that holds the files by their names."""
    publisher: bool = False
    """True if CompressAI's own address may be used."""

    def addresses(self, address: str) -> list[str]:
        """Return the addresses from which a file, published at `address`, may be fetched."""
        from_mirror = [f"{self.mirror}/{name_in(address)}"] if self.mirror else []
        return [*from_mirror, *([address] if self.publisher else [])]


def shelf_of(weights: str = "", *, download: bool = False, base: Path = Path()) -> Shelf:
    """Return the shelf of `weights` (a folder or the base address of a mirror), else the environment, else torch's
    cache.

    A relative folder is seen from `base`.
    """
    allowed = download or os.environ.get(DOWNLOAD_VARIABLE, "") not in ("", "0")
    origin = "the option weights"
    if not weights:
        weights, origin = os.environ.get(WEIGHTS_VARIABLE, ""), WEIGHTS_VARIABLE
    if weights and not re.match(r"https?://", weights):
        return Shelf(base / Path(weights).expanduser(), origin, publisher=allowed)
    import torch

    cache = base / torch.hub.get_dir() / "checkpoints"
    return Shelf(cache, "torch's cache", mirror=weights.rstrip("/") or None, publisher=allowed)


def published(model: str, metric: str) -> dict[int, str]:
    """Return the addresses of a model's levels, as CompressAI names them.

    Raises `CodecUnavailable` without CompressAI.
    """
    zoo = compressai_library().zoo
    tables = {**zoo.image.model_urls, **zoo.image_vbr.model_urls}
    found = tables.get(model, {}).get(metric, {})
    return {1: found} if isinstance(found, str) else dict(found)


def name_in(address: str) -> str:
    """Return the name of the file that an address ends with."""
    return address.rpartition("/")[2]


def find(shelf: Shelf, addresses: Iterable[str]) -> list[tuple[Path, str]]:
    """Return path and sha256 of each file, fetched where that is allowed.

    Raises `CodecUnavailable`: which file, where, what to do.


    A file of which one byte is wrong is refused.
    """
    wanted = list(addresses)
    missing = [address for address in wanted if not (shelf.folder / name_in(address)).is_file()]
    for address in missing:
        if not shelf.addresses(address):
            raise CodecUnavailable(_missing(shelf, missing))
        _fetch(shelf, address)
    return [(path, verified(path, address)) for address in wanted for path in (shelf.folder / name_in(address),)]


def verified(path: Path, address: str) -> str:
    """Return the sha256 of a file, after a check against its name and the lock file; raise `CodecUnavailable`."""
    try:
        digest = digest_of(path)
    except OSError as problem:
        raise CodecUnavailable(
            f"{path} cannot be read ({problem.strerror}); make it a file that can be read"
        ) from problem
    in_name = _IN_NAME.search(path.name)
    expected = {"its name": in_name.group(1) if in_name else "", LOCK: locked(path.parent).get(path.name, "")}
    for source, start in expected.items():
        if not digest.startswith(start):
            raise CodecUnavailable(
                f"{path} is damaged or another file: sha256 {digest}, expected {start} by {source}; "
                f"fetch it again: {_command(path, address)}"
            )
    return digest


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, 64 hexadecimal digits; it is computed again when the file has changed."""
    state = path.stat()
    return _digest(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _digest(path: Path, changed: int, size: int) -> str:  # noqa: ARG001 - both identify the state of the file
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locked(folder: Path) -> dict[str, str]:
    """Return the sha256 by name in the lock file of a folder, empty without one; raise `CodecUnavailable` for junk."""
    path = folder / LOCK
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    except OSError as problem:
        raise CodecUnavailable(
            f"{path} cannot be read ({problem.strerror}); make it a file that can be read"
        ) from problem
    found = {}
    for number, line in enumerate(lines, start=1):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](\S+)", line)
        if match is None:
            raise CodecUnavailable(
                f"{path}:{number}: found {line!r}, expected 'sha256  name'; write it anew: compress-guard doctor --lock"
            )
        found[match.group(2)] = match.group(1)
    return found


def write_lock(folder: Path, digests: Mapping[str, str]) -> Path:
    """Write the lock file of a folder, names in order."""
    path = folder / LOCK
    path.write_text("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)), encoding="utf-8")
    return path


def _missing(shelf: Shelf, addresses: list[str]) -> str:
    first = addresses[0]
    more = f", and {len(addresses) - 1} more of its levels" if len(addresses) > 1 else ""
    return (
        f"{name_in(first)} is missing in {shelf.folder} ({shelf.origin}){more}; put it there, or name another folder "
        f"or a mirror with the option weights or {WEIGHTS_VARIABLE}, or set {DOWNLOAD_VARIABLE}=1, or run "
        f"{_command(shelf.folder / name_in(first), first)}"
    )


def _command(path: Path, address: str) -> str:
    return f"curl --create-dirs -fLo {path} {address}"


def _fetch(shelf: Shelf, address: str) -> None:
    """Bring a file from the first address that has it, whole or not at all."""
    import urllib.error
    import urllib.request

    target = shelf.folder / name_in(address)
    failures = []
    for source in shelf.addresses(address):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target.parent) as folder:
                part = Path(folder, target.name)
                # Addresses begin with http: `shelf_of` checks mirrors, the others are in CompressAI's own table.
                with urllib.request.urlopen(source, timeout=_SECONDS) as reply, part.open("wb") as file:  # noqa: S310
                    while block := reply.read(_CHUNK):
                        file.write(block)
                verified(part, address)
                part.replace(target)
        except CodecUnavailable as problem:
            failures.append(f"{source}: {str(problem).partition('; ')[0]}")
        except (OSError, urllib.error.URLError, ValueError) as problem:
            failures.append(f"{source}: {problem}")
        else:
            return
    raise CodecUnavailable(
        f"{target.name} could not be fetched to {shelf.folder} ({'; '.join(failures)}); "
        f"put it there yourself: {_command(target, address)}"
    )
