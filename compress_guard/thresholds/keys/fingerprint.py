"""The key `fingerprint` of a guard: a text or files that make its model certain to be the one of an earlier run."""

from __future__ import annotations

from typing import Final

from compress_guard.records import Fingerprint
from compress_guard.thresholds.value import Value

_REMEDY: Final = (
    "write a text that changes whenever the model does, or {files: [...]} with the files that hold the model and its "
    "code"
)


def read_fingerprint(value: Value) -> Fingerprint:
    """Read a text, or a map with files; whether these exist is checked when the model is loaded."""
    if value.is_map:
        table = value.table(("files",))
        if "files" not in table:
            raise value.error("the fingerprint is an empty map", _REMEDY)
        names = [name.text("a file of the fingerprint") for name in table["files"].value.elements("files")]
        return Fingerprint(files=tuple(names))
    if value.empty or value.is_list or isinstance(value.scalar, bool) or not str(value.scalar).strip():
        raise value.error(f"fingerprint must be a text or a map with files, found {value.described}", _REMEDY)
    # A version such as 1.10 is a text, however YAML reads it.
    return Fingerprint(str(value.node.value))
