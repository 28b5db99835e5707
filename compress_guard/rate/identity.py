"""Identity of the search that made a plan: a stored plan is valid only for the same arithmetic."""

from __future__ import annotations

from compress_guard import own_code


def search_identity() -> str:
    """Return a digest that changes with any line of the search or of the record that stores a plan."""
    return own_code.digest("rate", "records/plans.py")
