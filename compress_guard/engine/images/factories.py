"""Factories of models and data, which a thresholds file names as ``package.module:callable``."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from compress_guard.engine.models.bare_modules import remedy, surely_bare
from compress_guard.engine.trouble import pass_on
from compress_guard.engine.wording import kind
from compress_guard.errors import DataError, ModelError, RegistrationError, RunError, described
from compress_guard.registry import DATA, MODELS, Registry


def anchor_search_path() -> None:
    """Keep modules behind relative entries of `sys.path` importable after a change of the current folder.

    The absolute form of each such entry is added right after it, unless it is there already.
    """
    place = 0
    while place < len(sys.path):
        entry = sys.path[place]
        if not Path(entry).is_absolute() and (full := str(Path(entry).absolute())) not in sys.path:
            sys.path.insert(place + 1, full)
        place += 1


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let modules in `folder` be imported inside the block."""
    entry = str(folder)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(entry)


def imported(factory: str, folder: Path, error: type[RunError], expected: str) -> Callable[..., Any]:
    """Return the callable of this name; raises `error` if there is none. `expected` describes it for the message."""
    module_name, _, attribute = factory.partition(":")
    made: Any = None
    near: str | None
    name: str | None
    with importable(folder):
        try:
            made = importlib.import_module(module_name)
            for part in attribute.split("."):
                made = getattr(made, part)
        except BaseException as problem:  # a script that exits on import must not end the gate
            pass_on(problem)
            if made is None:
                near, name = _near_module(module_name, folder, problem), attribute
            else:
                near, name = module_name, _near_name(module_name, attribute)
            raise error(
                f"{factory}: cannot be imported ({described(problem)}); expected an importable "
                f"package.module:callable, looked up with {folder} on sys.path"
                + (f"; did you mean {near}:{name}?" if near and name else "")
            ) from problem
    if not callable(made):
        raise error(f"{factory}: is {kind(made)}; expected {expected}")
    return made  # type: ignore[no-any-return]  # callable, as just checked


def _near_module(module: str, folder: Path, problem: BaseException) -> str | None:
    """Return the module name that is nearest to a missing one; None if the import failed for another reason."""
    missing = problem.name if isinstance(problem, ModuleNotFoundError) else None
    if missing is None or not f"{module}.".startswith(f"{missing}."):
        return None
    package, _, name = missing.rpartition(".")
    places = [folder] if not package else [Path(path) for path in getattr(sys.modules.get(package), "__path__", ())]
    names: set[str] = set()
    with contextlib.suppress(OSError):
        names = {known for place in places for entry in place.iterdir() if (known := _importable_as(entry))} - {name}
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return f"{package}.{near[0]}".removeprefix(".") + module.removeprefix(missing) if near else None


def _importable_as(entry: Path) -> str | None:
    """Return the import name of a source file or a folder of sources; None for anything else."""
    name = entry.name.removesuffix(".py")
    source = entry.suffix == ".py" or (entry.is_dir() and any(entry.glob("*.py")))
    return name if source and name.isidentifier() else None


def _near_name(module: str, attribute: str) -> str | None:
    """Return the name in a module that is nearest to a missing one."""
    names = [name for name in getattr(sys.modules.get(module), "__dict__", {}) if not name.startswith("_")]
    near = difflib.get_close_matches(attribute, names, n=1)
    return near[0] if near else None


def call(factory: str, folder: Path, device: str, error: type[RunError]) -> Any:
    """Call the factory, with ``device=`` if it has that parameter, and return its object; raises `error`."""
    names = MODELS if error is ModelError else DATA
    if ":" not in factory and factory in names:
        made = _registered(names, factory, folder, error)
    else:
        made = imported(factory, folder, error, "a callable that returns the object to use")
    with importable(folder):
        try:
            return made(device=device) if _takes_device(made) else made()
        except RunError:
            raise
        except BaseException as problem:
            pass_on(problem)
            raise error(f"{factory}: raised {described(problem)}; expected it to return an object") from problem


def _registered(names: Registry, name: str, folder: Path, error: type[RunError]) -> Callable[..., Any]:
    """Return the factory of a model or data set that is registered under a name; raises `error`."""
    try:
        with importable(folder):
            made: Callable[..., Any] = names.resolve(name)
    except RegistrationError as problem:
        raise error(str(problem)) from problem
    return made


def _takes_device(factory: Any) -> bool:
    try:
        return "device" in inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return False


def check_model(model: Any, name: str, task: str = "...") -> Any:
    """Return the model; raises `ModelError` if it cannot be called, or is a network that cannot take lists."""
    if not callable(model):
        raise ModelError(
            f"{name}: returned {kind(model)}; expected a predictor: a callable from a list of uint8 images to "
            "one prediction per image, as compress_guard.predictor(module, ...) makes"
        )
    if surely_bare(model):
        raise ModelError(
            f"{name}: is a bare torch.nn.Module, {type(model).__name__}, which takes batches of floats; expected a "
            f"predictor, which takes a list of uint8 images (3, H, W); {remedy(task)}"
        )
    return model


def _remedy_of_data(data: Any) -> str:
    """Return the remedy for data that is not a map-style data set."""
    if hasattr(data, "dataset") and hasattr(data, "batch_size"):  # torch's DataLoader, or one like it
        return "hand over the data set that it loads, its attribute dataset, since images are read one by one"
    return "hand over a list of these, or an object that has both methods"


def check_data(data: Any, name: str) -> Any:
    """Return the data; raises `DataError` if it is not a map-style data set, or is empty."""
    if not all(hasattr(type(data), method) for method in ("__len__", "__getitem__")):
        raise DataError(
            f"{name}: returned {kind(data)}; expected a map-style data set with len() and [] that gives "
            f"(image, target) or (image, target, id); {_remedy_of_data(data)}"
        )
    try:
        count = len(data)
    except BaseException as problem:
        pass_on(problem)
        raise DataError(f"{name}: len() of it raised {described(problem)}; expected its images") from problem
    if count == 0:
        raise DataError(f"{name}: has no images; expected at least one")
    return data
