"""A table of names of one kind, open to others: ``name -> "module:object"``, imported when it is first asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, final

from compress_guard.errors import RegistrationError
from compress_guard.registry.contracts import GUIDE, Kind
from compress_guard.registry.third_parties import Offer, decorated, installed, refuse_second

_MOST_COMPARED: Final = 300
_MOST_SHOWN: Final = 60


@final
class Registry:
    """A table of names of one kind, each standing for an object that is imported when it is first asked for.

    Names that are not in the package's own table are looked up in the entry points of the kind's group, and only then.
    """

    __slots__ = ("_decorated", "_found", "_installed", "_kind", "_looked_up", "_targets")

    def __init__(self, kind: Kind, targets: Mapping[str, str]) -> None:
        self._kind: Final = kind
        self._targets: Final = dict(targets)
        self._found: Final[dict[str, Any]] = {}
        self._decorated: Final[dict[str, Offer]] = {}
        self._installed: Final[dict[str, list[Offer]]] = {}
        self._looked_up: Final[set[str]] = set()
        """Names of others that have been looked for among the installed distributions."""

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names that are known by now: the package's own first, without looking any up."""
        return iter(dict.fromkeys((*self._targets, *self._decorated, *self._installed)))

    def __contains__(self, name: object) -> bool:
        """Return whether somebody owns this name; one that the package does not know is looked up."""
        return name in self._targets or (isinstance(name, str) and self._is_offered(name))

    @property
    def own(self) -> tuple[str, ...]:
        """The names in the package's own table."""
        return tuple(self._targets)

    def resolve(self, name: str) -> Any:
        """Return the object behind `name`.

        Raises KeyError for a name that nobody owns, `RegistrationError` for one with two owners and for an object of
        others that cannot be imported or is not what it should be.
        """
        if name not in self._found:
            self._found[name] = self._load(name)
        return self._found[name]

    def register(self, name: str, made: object) -> None:
        """Put an object of this process under a name.

        Raises `RegistrationError` for a name that has an owner, and for an object that breaks the rules. A source that
        is executed again, as by a reload, is no second owner.
        """
        offer, word, known = decorated(made), self._kind.word, self._decorated.get(name)
        remedy = "register yours under another name"
        if name in self._targets:
            raise refuse_second(word, name, ("compress_guard", offer), remedy)
        if known is not None and known.load() is not made and str(known) != str(offer):
            raise refuse_second(word, name, (known, offer), remedy)
        self._check(name, offer, made)
        self._decorated[name] = offer
        self._found.pop(name, None)

    def look_all_up(self) -> tuple[str, ...]:
        """Return all names, those of every installed distribution among them."""
        self._read_installed()
        return tuple(self)

    def owner(self, name: str) -> str | None:
        """Return ``cg_demo:Demo of the distribution cg-demo 1.0`` for a known name of others; None for our own."""
        offers = [offer for offer in (self._decorated.get(name), *self._installed.get(name, ())) if offer is not None]
        return str(offers[0]) if offers and name not in self._targets else None

    def claims(self) -> dict[str, RegistrationError]:
        """Return what is wrong with distributions that offer a name of the package, after `look_all_up`.

        Nothing of them is ever used.
        """
        remedy = "uninstall it, or ask its authors for another name"
        return {
            name: refuse_second(self._kind.word, name, ("compress_guard", *offers), remedy)
            for name, offers in self._installed.items()
            if name in self._targets
        }

    def unknown(self, name: str) -> str:
        """Return the half of a message about a name that nobody owns: the near match, then all names."""
        return unknown(self._kind.word, name, self)

    def _is_offered(self, name: str) -> bool:
        if name not in self._looked_up:
            self._read_installed()
        if name in self._decorated or name in self._installed:
            self._looked_up.add(name)
            return True
        return False

    def _read_installed(self) -> None:
        self._installed.clear()
        self._installed.update(installed(self._kind.group))

    def _load(self, name: str) -> Any:
        if name in self._targets:
            module, _, attribute = self._targets[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        if not self._is_offered(name):
            raise KeyError(name)
        return self._load_offered(name)

    def _load_offered(self, name: str) -> Any:
        """Return the object of others under a name; raise `RegistrationError`."""
        word, offers = self._kind.word, self._installed.get(name, [])
        if len({offer.target for offer in offers}) > 1:
            raise refuse_second(word, name, offers, "uninstall one of the two distributions")
        made = offers[0].loaded(word, name) if offers else None
        # Only now: the module of an entry point may decorate its object too.
        own = self._decorated.get(name)
        if own is None:
            self._check(name, offers[0], made)
        elif offers and own.load() is not made:
            raise refuse_second(word, name, (own, offers[0]), "register yours under another name")
        return made if own is None else own.load()

    def _check(self, name: str, offer: Offer, made: object) -> None:
        """Raise `RegistrationError` for an object of others that breaks the rules for its kind, or whose name does."""
        where = f"the {self._kind.word} {name!r} ({offer})"
        in_use = [*self._targets, *self._decorated, *self._found]
        if (wrong := self._kind.check_name(name, in_use)) is not None:
            raise RegistrationError(f"{where}: its name {wrong[0]}", wrong[1])
        if (wrong := self._kind.check_object(name, made)) is not None:
            raise RegistrationError(f"{where} {wrong[0]}; expected {wrong[1]}", f"see {GUIDE}")


def unknown(kind: str, name: str, known: Iterator[str] | Registry | tuple[str, ...]) -> str:
    """Return ``unknown codec 'jpg', did you mean 'jpeg'? known: avif, ...``, the first half of a message."""
    names = sorted(known)
    # Nobody reads a list of hundreds of names, and comparing takes its time.
    near = difflib.get_close_matches(name, names, n=1) if len(names) <= _MOST_COMPARED else []
    hint = f", did you mean {near[0]!r}?" if near else ";"
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"unknown {kind} {name!r}{hint} known: {', '.join(names[:_MOST_SHOWN])}{more}"
