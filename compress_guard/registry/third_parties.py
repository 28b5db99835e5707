"""Objects that others offer under a name: by a decorator in this process, or by an entry point of a distribution."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from compress_guard.errors import RegistrationError, described

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_REFERENCE: Final = re.compile(r"[\w.]+(:[\w.]+)?\s*(\[.*\])?")
"""``package.module:name [extra]``, as the value of an entry point."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One object that a third party offers under a name; an object of an entry point is not loaded yet."""

    target: str
    """``package.module:Class``."""
    owner: str
    """Third party, as messages name it: ``the distribution cg-demo 1.0``."""
    remedy: str
    """Remedy for a faulty object, as messages state it."""
    load: Callable[[], Any]

    def __str__(self) -> str:
        return f"{self.target} of {self.owner}"

    def loaded(self, word: str, name: str) -> Any:
        """Return the object; raise `RegistrationError` where it cannot be imported."""
        try:
            return self.load()
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as problem:  # a module that leaves when imported must not end the gate
            found = f"the {word} {name!r} ({self}) cannot be imported ({described(problem)})"
            raise RegistrationError(found, self.remedy) from problem


def decorated(made: Any) -> Offer:
    """Return the offer of a decorator."""
    module, name = getattr(made, "__module__", "?"), getattr(made, "__qualname__", type(made).__qualname__)
    file = getattr(sys.modules.get(module), "__file__", None)
    return Offer(f"{module}:{name}", f"the file {file}" if file else "this process", "correct it", lambda: made)


def installed(group: str) -> dict[str, list[Offer]]:
    """Return the offers of the installed distributions in a group of entry points, by name."""
    from importlib import metadata  # the slow part of a look-up, which only unknown names need

    offers: dict[str, list[Offer]] = {}
    for point in metadata.entry_points(group=group):
        project = point.dist.name if point.dist is not None else "unknown"
        version = f" {point.dist.version}" if point.dist is not None else ""
        owner = f"the distribution {project}{version}"
        offers.setdefault(point.name, []).append(
            Offer(point.value, owner, f"repair or uninstall {project}", partial(_load, point))
        )
    return offers


def _load(point: EntryPoint) -> Any:
    # The message of importlib differs from version to version.
    if not _REFERENCE.fullmatch(point.value):
        raise ValueError("expected package.module:name")
    return point.load()


def refuse_second(word: str, name: str, owners: Iterable[object], remedy: str) -> RegistrationError:
    """Return the error for a name that two offers claim."""
    first, second, *_ = map(str, owners)
    return RegistrationError(f"the {word} name {name!r} has two owners: {first}, and {second}", remedy)
