"""Models and data as a thresholds file names them: ``package.module:callable``, called once per process."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from compress_guard.engine.trouble import pass_on
from compress_guard.engine.wording import kind
from compress_guard.errors import DataError, ModelError, RunError, described


def anchor_search_path() -> None:
    """Let modules that a relative entry of `sys.path` leads to now be found after a change of the current folder.

    The absolute form of each such entry goes right behind it, unless it is there already.
    """
    place = 0
    while place < len(sys.path):
        entry = sys.path[place]
        if not Path(entry).is_absolute() and (full := str(Path(entry).absolute())) not in sys.path:
            sys.path.insert(place + 1, full)
        place += 1


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """While inside, modules in `folder` can be imported."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(entry)


def imported(factory: str, folder: Path, error: type[RunError], expected: str) -> Callable[..., Any]:
    """The callable of that name; raises `error` where there is none, `expected` being what it should be."""
    module_name, _, attribute = factory.partition(":")
    with importable(folder):
        try:
            made = importlib.import_module(module_name)
            for part in attribute.split("."):
                made = getattr(made, part)
        except BaseException as problem:  # a script that leaves when imported must not end the gate
            pass_on(problem)
            raise error(
                f"{factory}: cannot be imported ({described(problem)}); expected an importable "
                f"package.module:callable, looked up with {folder} on sys.path"
            ) from problem
    if not callable(made):
        raise error(f"{factory}: is {kind(made)}; expected {expected}")
    return made


def call(factory: str, folder: Path, device: str, error: type[RunError]) -> Any:
    """What the factory returns, given ``device=`` if it has that parameter; raises `error` with what went wrong."""
    made = imported(factory, folder, error, "a callable that returns the object to use")
    with importable(folder):
        try:
            return made(device=device) if _takes_device(made) else made()
        except RunError:
            raise
        except BaseException as problem:
            pass_on(problem)
            raise error(f"{factory}: raised {described(problem)}; expected it to return an object") from problem


def _takes_device(factory: Any) -> bool:
    try:
        return "device" in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False


def check_model(model: Any, name: str) -> Any:
    """The model, if it can be called; raises `ModelError`."""
    if not callable(model):
        raise ModelError(
            f"{name}: returned {kind(model)}; expected a predictor: a callable from a list of uint8 images to "
            "one prediction per image, as compress_guard.predictor(module, ...) makes"
        )
    return model


def check_data(data: Any, name: str) -> Any:
    """The data, if it is a map-style sequence with images in it; raises `DataError`."""
    if not all(hasattr(type(data), method) for method in ("__len__", "__getitem__")):
        raise DataError(
            f"{name}: returned {kind(data)}; expected a map-style data set with len() and [] that gives "
            "(image, target) or (image, target, id)"
        )
    try:
        count = len(data)
    except BaseException as problem:
        pass_on(problem)
        raise DataError(f"{name}: len() of it raised {described(problem)}; expected its images") from problem
    if count == 0:
        raise DataError(f"{name}: has no images; expected at least one")
    return data
