"""Decorators that put a class or factory of a user's own under a name, for this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from compress_guard.registry.lazy_table import Registry
from compress_guard.registry.tables import CODECS, DATA, MODELS, TASKS

T = TypeVar("T")


def register_codec(name: str) -> Callable[[type[T]], type[T]]:
    """Register a codec: a frozen dataclass with the members of `compress_guard.Codec`, whose `type` is `name`.

    Thresholds files, calls and fixtures can use the name once the decorated module is imported: put it into conftest.py
    or import it there. An installed package names its codec in the entry points `compress_guard.codecs` instead.
    Raises `RegistrationError` for a class that is no codec, and for a name that has an owner.
    """
    return _into(CODECS, name)


def register_task(name: str) -> Callable[[type[T]], type[T]]:
    """Register a task: a class with the members of `compress_guard.Task`, built without arguments.

    Its `name` is `name`. See `register_codec` for the rest; the entry points are `compress_guard.tasks`.
    """
    return _into(TASKS, name)


def register_model(name: str) -> Callable[[T], T]:
    """Register a factory of a model, so that a guard can say ``model: name``.

    It is called once per process, with ``device=`` if it has that parameter. The entry points are
    `compress_guard.models`. Raises `RegistrationError`.
    """
    return _into(MODELS, name)


def register_data(name: str) -> Callable[[T], T]:
    """Register a factory of a data set, so that a guard can say ``data: name``.

    It is called as that of a model is. The entry points are `compress_guard.data`. Raises `RegistrationError`.
    """
    return _into(DATA, name)


def _into(registry: Registry, name: str) -> Callable[[T], T]:
    def register(made: T) -> T:
        registry.register(name, made)
        return made

    return register
