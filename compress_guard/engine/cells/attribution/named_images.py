"""Images that a cell lost most by, with the names that people know them and their classes by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from compress_guard.engine.cells.changes import Changes
from compress_guard.engine.images.naming.names import Names
from compress_guard.records import Evidence, LossFigures, NamedImage

_MOST_NUMBERS: Final = 5
_LABELS: Final = ("target", "truth_labels", "classes")
"""Arrays of evidence that hold labels of the truth, by task; `classes` also those that were only predicted."""


def with_names(losses: LossFigures, changes: Changes, names: Names, clean: Evidence) -> LossFigures:
    """Return the losses with the names of the worst images; `clean` has the labels that names are checked against."""
    remarks = [part for part in (names.remark, _unnamed(names, clean)) if part is not None]
    return replace(
        losses,
        worst_images=tuple(_named([name for name, _ in losses.worst], changes, names)),
        names_remark="; ".join(remarks) or None,
    )


def _named(ids: Sequence[str], changes: Changes, names: Names) -> Iterator[NamedImage]:
    flips = {flip.id: flip for flip in changes.harmful or ()}
    classes = names.classes
    for name in ids:
        image = NamedImage(name, names.image(name))
        if (flip := flips.get(name)) is not None:
            labels = {"target": flip.target, "clean": flip.clean, "compressed": flip.compressed}
            texts = {f"{side}_name": classes.get(label) for side, label in labels.items() if label is not None}
            image = NamedImage(image.id, image.name, **labels, **texts)  # type: ignore[arg-type]  # numbers and texts
        yield image


def _unnamed(names: Names, clean: Evidence) -> str | None:
    """Return a remark on labels of the targets that the data names no class for; None where each has a name."""
    if not names.classes:
        return None
    missing = sorted(_labels(clean.items) - names.classes.keys())
    if not missing:
        return None
    first = ", ".join(map(str, missing[:_MOST_NUMBERS])) + (", ..." if len(missing) > _MOST_NUMBERS else "")
    return (
        f"the data names {len(names.classes)} classes, {min(names.classes)} to {max(names.classes)}, and has labels "
        f"without a name: {first}; expected a name for each label, counted from 0 in a list"
    )


def _labels(items: Iterable[Any]) -> set[int]:
    """Return the labels in the truth of images, as far as evidence of a task of ours holds them."""
    labels: set[int] = set()
    for item in items:
        for key in _LABELS:
            if key in item:
                values = np.asarray(item[key]).reshape(-1)
                labels.update(values[item["truth"] > 0].tolist() if key == "classes" else values.tolist())
    return labels
