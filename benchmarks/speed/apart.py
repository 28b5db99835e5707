"""Time of coding (CPU, GPU) and of prediction in a whole gate that does one thing at a time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeAlias, final
from unittest.mock import patch

from compress_guard.engine import session
from compress_guard.engine.images.factories import check_model
from compress_guard.engine.machine.clock import timed
from compress_guard.engine.settings import RunSettings, resolve_device
from compress_guard.registry import CODECS
from compress_guard.thresholds import load

Spent: TypeAlias = defaultdict[str, float]
"""Seconds by kind of work."""
TIMED: Final = ("encode", "decode", "proofs")
"""Timed methods of a codec."""


@dataclass(frozen=True, slots=True)
class Apart:
    """Seconds by kind of work; a GPU is synchronised each time."""

    coding_cpu: float
    coding_device: float
    prediction: float


@final
class TimedModel:
    """A model whose calls are timed."""

    def __init__(self, model: Any, device: str, spent: Spent) -> None:
        self._model, self._device, self._spent = model, device, spent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, images: Any) -> Any:
        seconds, found = timed(lambda: self._model(images), self._device)
        self._spent["prediction"] += seconds
        return found


def measure(path: Path, device: str, limit: int | None, cache: Path) -> Apart:
    """Run the file in this process, on one thread of coding and nothing done ahead; raises `SystemExit` for errors."""
    file, spent = load(path), Spent(float)
    where = resolve_device(device)
    codecs = {CODECS.resolve(cell.codec.type) for guard in file.guards for cell in guard.cells}
    with watched(codecs, where, spent):
        settings = RunSettings(cache / "run", cache, device=where, workers=1, limit=limit)
        settings.run_folder.mkdir(parents=True, exist_ok=True)
        with closing(session.Session(file, settings)) as run:
            for guard in file.guards:
                for cell in guard.cells:
                    result = run.measure(cell, cell.name, session.without_fixtures, lambda *told: None).result
                    if result.verdict in ("error", "codec_error"):
                        raise SystemExit(f"{result.id}: {result.reason}; a run with errors has no figures")
    return Apart(spent["cpu"], spent["device"], spent["prediction"])


@contextmanager
def watched(codecs: set[type[Any]], device: str, spent: Spent) -> Iterator[None]:
    """Count the time of these codecs and of models inside the context; nested codecs and models count once."""
    within = threading.local()

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def watching(codec: Any, *given: Any, **named: Any) -> Any:
            if getattr(within, "busy", False):
                return function(codec, *given, **named)
            within.busy = True
            try:
                place = codec.device
                seconds, found = timed(lambda: function(codec, *given, **named), place)
            finally:
                within.busy = False
            spent["cpu" if place == "cpu" else "device"] += seconds
            return found

        return watching

    classes: Final = {one for codec in codecs for one in codec.__mro__}
    places = [(one, name, vars(one)[name]) for one in classes for name in TIMED if name in vars(one)]
    for owner, name, function in places:
        setattr(owner, name, counted(function))

    def timed_model(made: Any, *said: Any) -> TimedModel:
        return TimedModel(check_model(made, *said), device, spent)

    try:
        with patch.object(session, "check_model", timed_model):
            yield
    finally:
        for owner, name, function in places:
            setattr(owner, name, function)
