"""Rate control: the settings that bring images to target rates."""

from compress_guard.rate.identity import search_identity
from compress_guard.rate.plan import plan

__all__ = ["plan", "search_identity"]
