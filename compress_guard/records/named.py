"""Images of a result with the names that people know them and their classes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from compress_guard.records.texts import settle_texts


@dataclass(frozen=True, slots=True)
class NamedImage:
    """One image that cost the score much: its file name and classes, each as far as the data and the evidence tell.

    Classes are known where the model predicts one class per image, and the image turned from right to wrong.
    """

    id: str
    name: str | None = None
    """Name of its file, or the name that the data gives it."""
    target: int | None = None
    """Class of the target."""
    target_name: str | None = None
    clean: int | None = None
    """Class that the model predicted for the clean image."""
    clean_name: str | None = None
    compressed: int | None = None
    """Class that the model predicted for the compressed image."""
    compressed_name: str | None = None

    def __post_init__(self) -> None:
        settle_texts(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NamedImage:
        """Return the image that these JSON values describe; keys that this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})

    @property
    def shown(self) -> str:
        """Name of the image for people: that of its file, else its id."""
        return self.id if self.name is None else self.name

    @property
    def change(self) -> str | None:
        """Change of the predicted class, ``cat -> dog``; None without classes.

        The target comes first where the clean prediction was another, as it may be for top5: ``cat: lynx -> dog``.
        """
        if self.clean is None or self.compressed is None:
            return None
        moved = f"{_named(self.clean, self.clean_name)} -> {_named(self.compressed, self.compressed_name)}"
        if self.target is None or self.target == self.clean:
            return moved
        return f"{_named(self.target, self.target_name)}: {moved}"


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Score of one class on the images of a cell, in points."""

    label: int
    name: str | None
    clean: float
    score: float

    def __post_init__(self) -> None:
        settle_texts(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ClassScore:
        """Return the class that these JSON values describe; keys that this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})

    @property
    def shown(self) -> str:
        """Name of the class for people: ``cat``, else ``class 3``."""
        return _named(self.label, self.name)


def _named(label: int, name: str | None) -> str:
    return f"class {label}" if name is None else name
