"""What messages call a thing that somebody's code handed over."""

from __future__ import annotations


def kind(found: object) -> str:
    """The type of what was found with its article: ``a Tensor``, ``an int``."""
    name = type(found).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
