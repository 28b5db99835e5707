"""Names in messages for objects that user code handed over."""

from __future__ import annotations


def kind(value: object) -> str:
    """Return the type of a value with its article: ``a Tensor``, ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
