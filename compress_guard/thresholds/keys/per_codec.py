"""A setting that is one for all codecs or given per codec, with or without a default."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from compress_guard.thresholds.catalogue import DEFAULT, Catalogue
from compress_guard.thresholds.value import Value

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PerCodec(Generic[T]):
    """`default` holds for every codec that is not `named`; None if there is none."""

    default: T | None = None
    named: Mapping[str, T] = field(default_factory=dict)
    line: int = 0
    """The line where it begins in the file."""

    def at(self, alias: str) -> T | None:
        return self.named.get(alias, self.default)

    @classmethod
    def read(
        cls,
        value: Value,
        what: str,
        catalogue: Catalogue,
        one: Callable[[Value, str], T],
        inner: Callable[[Value], bool] = lambda _: False,
    ) -> PerCodec[T]:
        """Read a setting; `one` reads its value for a codec. A map with a name among its keys is a map of codecs.

        `inner` returns True for a text among the keys of a value for a codec, which is no name.
        """

        def named_codec(key: Value) -> bool:
            return isinstance(key.scalar, str) and not inner(key)

        if not value.is_map or not any(named_codec(entry.key) for entry in value.entries()):
            return cls(one(value, what), line=value.line)
        named: dict[str, T] = {}
        for entry in value.entries():
            name = entry.key.scalar
            if not isinstance(name, str) or inner(entry.key):
                found = f"{what} mixes codec names with {entry.key.described}"
                raise entry.key.error(found, "give rates below each codec, or no codecs")
            if name != DEFAULT and not catalogue.knows(entry.key):
                raise catalogue.unknown(entry.key, DEFAULT)
            named[name] = one(entry.value, f"{what} of {name}")
        return cls(named.pop(DEFAULT, None), named, value.line)


def check_codecs_used(value: Value, what: str, catalogue: Catalogue, used: Collection[str]) -> None:
    """Raise `ThresholdsError` for a codec that a guard's own points `what` name, if it is none of those `used`."""
    for entry in value.entries() if value.is_map else ():
        name = entry.key.scalar
        if isinstance(name, str) and name not in (DEFAULT, *used) and catalogue.knows(entry.key):
            found = f"{what} names the codec {name}, which is not used here: the codecs are {', '.join(used)}"
            raise entry.key.inside(value.context).error(found, f"add {name} to the codecs, or remove it from {what}")
