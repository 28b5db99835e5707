"""Files of pictures: three pictures for each image, and an index of each cell."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from compress_guard.engine.releases.names import evidence_name
from compress_guard.foreign import shown, shown_json

SIDES: Final = ("source", "coded", "difference")
TRUTH: Final = "truth"
_WORDS: Final = ("target", "clean", "compressed")
COLOURS: Final = 12
"""Number of colours that classes are drawn in."""
LARGEST: Final = 2**18
"""Bytes of the largest picture that is read."""


@dataclass(frozen=True, slots=True)
class WorstImage:
    """One image that a cell lost much by: pictures as WebP files, and the predictions in words."""

    id: str
    points: float
    """Points of the drop that come from it."""
    target: str
    clean: str
    """Prediction on the clean image."""
    compressed: str
    """Prediction on the coded image."""
    pictures: tuple[bytes, bytes, bytes]
    """Source, coded image and difference."""
    name: str = ""
    """Name of the image's file; empty if it is unknown."""
    truth: bytes = b""
    """Source with the boxes or the mask of the target; empty for targets that mark no place."""
    key: tuple[tuple[int, str], ...] = ()
    """Number of the colour and name of each class that is drawn."""

    @property
    def sides(self) -> tuple[tuple[str, bytes], ...]:
        """Pictures with the names of their sides."""
        return (*zip(SIDES, self.pictures, strict=True), *([(TRUTH, self.truth)] if self.truth else []))


def keep_images(folder: Path, node_id: str, drop: float | None, images: Sequence[WorstImage]) -> None:
    """Write the pictures of a cell in place of those of an earlier run; a full disk leaves the cell without any."""
    name = evidence_name(node_id)
    index = folder / f"{name}.images.json"
    entries = [
        {key: getattr(each, key) for key in ("id", "name", "points", *_WORDS, "key")} | {TRUTH: bool(each.truth)}
        for each in images
    ]
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        index.unlink(missing_ok=True)
        for number, each in enumerate(images, start=1):
            for side, picture in each.sides:
                (folder / f"{name}.{number}.{side}.webp").write_bytes(picture)
        if images:
            # The index comes last, so that it never names pictures that are not there.
            whole = index.with_name(f"{index.name}.tmp")
            text = json.dumps({"cell": node_id, "drop": drop, "images": entries}, ensure_ascii=False, allow_nan=False)
            whole.write_text(shown_json(text) + "\n", encoding="utf-8")
            whole.replace(index)


def kept_images(
    folder: Path, node_id: str, drop: float | None, worst: Collection[tuple[str, float]]
) -> tuple[WorstImage, ...]:
    """Return the pictures of a cell with this drop; none if they cannot be read, or belong to another run.

    `worst` has the ids and points of the worst images. Drops of two runs are often equal, since each image counts the
    same: pictures of any other image are of another run.
    """
    name = evidence_name(node_id)
    try:
        made = json.loads((folder / f"{name}.images.json").read_text(encoding="utf-8"))
        entries = {(shown(str(entry["id"])), entry["points"]) for entry in made["images"]}
        if made["drop"] != drop or not entries <= set(worst):
            return ()
        return tuple(_image(folder, f"{name}.{number}", entry) for number, entry in enumerate(made["images"], start=1))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()


def _image(folder: Path, name: str, entry: dict[str, object]) -> WorstImage:
    """Read one image; raises ValueError for pictures that this package does not write."""
    source, coded, difference = (_picture(folder / f"{name}.{side}.webp") for side in SIDES)
    target, clean, compressed = (shown(str(entry[key])) for key in _WORDS)
    points, pictures = float(str(entry["points"])), (source, coded, difference)
    image = WorstImage(shown(str(entry["id"])), points, target, clean, compressed, pictures)
    # Folders of older versions have no more than that.
    truth = _picture(folder / f"{name}.{TRUTH}.webp") if entry.get(TRUTH) else b""
    key = entry.get("key", [])
    colours = [(int(number) % COLOURS, shown(str(text))) for number, text in key] if isinstance(key, list) else []
    return replace(image, name=shown(str(entry.get("name", ""))), truth=truth, key=tuple(colours))


def _picture(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST or data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError(f"{path} is no picture of a report")
    return data
