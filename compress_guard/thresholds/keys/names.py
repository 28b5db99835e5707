"""Names and factories as a file may spell them."""

from __future__ import annotations

import re
from typing import Final

from compress_guard.registry import Registry
from compress_guard.thresholds.value import Value

NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
FACTORY: Final = '"package.module:callable"'
FIXTURE: Final = '"fixture:NAME"'


def check_name(key: Value, what: str, bearer: str) -> None:
    """Refuse a key, the name of `what`, with characters that `bearer` cannot contain."""
    if not NAME.fullmatch(str(key.scalar)):
        found = f"the {what} name {key.scalar!r} has characters that {bearer} cannot contain"
        raise key.error(found, "begin with a letter, digit or _ and use letters, digits, _, . and - only")


def is_factory(text: str) -> bool:
    """Return True for a text that is spelled like ``package.module:callable``."""
    module, colon, name = text.partition(":")
    return bool(colon) and name.isidentifier() and all(part.isidentifier() for part in module.split("."))


def read_factory(value: Value, what: str, *, fixtures: bool, names: Registry | None = None) -> str:
    """Return ``package.module:callable`` or, with `fixtures`, ``fixture:NAME``; only the spelling is looked at.

    A text without a colon is one of the registered `names`; the object that it names is not loaded.
    """
    text = value.text(what)
    module, colon, _ = text.partition(":")
    if not colon and names is not None and text in names:
        return text
    if not is_factory(text) or (module == "fixture" and not fixtures):
        remedy = f"write {FACTORY} or {FIXTURE}" if fixtures else f"write {FACTORY}"
        raise value.error(f"{what} {text!r} is not a factory", remedy)
    return text
