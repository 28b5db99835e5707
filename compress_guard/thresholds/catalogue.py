"""The codecs that a file may name: the registered ones and its own names for a codec with options."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from compress_guard.errors import OptionError, StepError, ThresholdsError, described
from compress_guard.records import PIPELINE, CodecSpec, Scalar
from compress_guard.registry import CODECS, SCHEMES, codec_named, option_names, required_options, unknown
from compress_guard.thresholds.codec_options import read_option, read_pipeline
from compress_guard.thresholds.value import Entry, Value

DEFAULT: Final = "default"
"""The key of a per-codec map for every codec that it does not name; hence no codec's name."""
# A hyphen separates codec and rate in node ids, so that a name with one could not be told from its rate.
ALIAS: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The file's own codecs by alias."""

    aliases: Mapping[str, CodecSpec] = field(default_factory=dict)
    folder: str | None = None
    """The folder from which relative paths in the options of codecs are seen."""

    def __contains__(self, name: object) -> bool:
        return name in self.aliases or name in CODECS

    def knows(self, value: Value) -> bool:
        """Return True for the name of a codec; raises `ThresholdsError` for a name with options that make no sense."""
        if isinstance(value.scalar, str) and ":" in value.scalar:
            self._inline(value)
            return True
        return value.scalar in self

    def spec(self, value: Value) -> CodecSpec:
        """Return the codec that an element of a list names."""
        name = value.text("a codec")
        if ":" in name:
            return self._inline(value)
        if name not in self:
            raise self.unknown(value)
        if name not in self.aliases:
            value.resolved(CODECS, name)
            if needed := required_options(name):
                found = f"codec {name!r} needs the options {', '.join(needed)}"
                raise value.error(found, _naming(name))
        return self.named(name)

    def named(self, name: str) -> CodecSpec:
        """Return the codec of a name that is in the catalogue."""
        return self.aliases.get(name) or CodecSpec(name, name, folder=self.folder)

    def unknown(self, value: Value, *others: str) -> ThresholdsError:
        names = tuple({*self.aliases, *CODECS, *others})
        return value.error(unknown("codec", str(value.scalar), names), "use one of these, or define it under codecs")

    def _inline(self, value: Value) -> CodecSpec:
        """Return the codec of a name that carries its own options, such as ``zoo:mbt2018-mean``."""
        spec = _named(value, str(value.scalar), {})
        options = dict(spec.options)
        _check_options(value, spec.type, {name: Entry(value, value) for name in options}, options)
        return dataclasses.replace(spec, folder=self.folder)

    @classmethod
    def read(cls, section: Value | None, folder: str | None = None) -> Catalogue:
        """Read the section `codecs` of a file, None if it has none; relative paths in it are seen from `folder`."""
        table = {} if section is None else section.inside("codecs").table()
        # A pipeline may name any other codec of the file, also one below it.
        others = {
            name: _read_codec(name, entry, folder, {}) for name, entry in table.items() if not _is_pipeline(entry)
        }
        pipelines = [name for name in table if name not in others]
        known = others | {name: CodecSpec(name, PIPELINE) for name in pipelines}
        read = {name: _read_codec(name, table[name], folder, known) for name in pipelines}
        return cls({name: (others | read)[name] for name in table}, folder)


def _is_pipeline(entry: Entry) -> bool:
    if not entry.value.is_map:
        return False
    return any(each.key.scalar == "type" and each.value.scalar == PIPELINE for each in entry.value.entries())


def _read_codec(alias: str, entry: Entry, folder: str | None, aliases: Mapping[str, CodecSpec]) -> CodecSpec:
    """Read a codec of the file's own; `aliases` are the names that the steps of a pipeline may use."""
    key = entry.key
    if not ALIAS.fullmatch(alias):
        found = f"the name {alias!r} has characters that node ids cannot contain"
        raise key.error(found, "begin with a letter and use letters, digits, _ and . only")
    if alias == DEFAULT:
        raise key.error(f"the name {alias!r} is reserved for all other codecs in per-codec maps", "choose another name")
    key, value = key.inside(f"codec {alias}"), entry.value.inside(f"codec {alias}")
    table = value.table()
    if "type" not in table:
        raise key.error("type is missing", f"add type: one of {', '.join(sorted(CODECS))}")
    kind_value = table.pop("type").value
    if kind_value.scalar == PIPELINE:
        options = read_pipeline(table, aliases)
    else:
        options = {name: read_option(name, option.value) for name, option in table.items()}
    named = _named(kind_value, kind_value.text("type"), options)
    kind = named.type
    if kind not in CODECS:
        raise kind_value.error(unknown("codec", kind, CODECS), "use one of these")
    if alias in CODECS.own and alias != kind:
        found = f"the name {alias!r} is that of a registered codec, but its type is {kind!r}"
        raise key.error(found, f"choose another name, or type: {alias}")
    if ":" in kind_value.text("type"):
        options = dict(named.options)
        table = {name: Entry(kind_value, kind_value) for name in options} | table
    _check_options(key, kind, table, options)
    return CodecSpec(alias, kind, tuple(options.items()), folder)


def _named(value: Value, text: str, options: Mapping[str, Scalar]) -> CodecSpec:
    try:
        return codec_named(text, options)
    except OptionError as error:
        raise value.error(str(error), "see docs/reference/codecs.md for names") from None


def _naming(kind: str) -> str:
    """Return how to use a codec that needs options, for a message."""
    inline = f", or write {kind}:{SCHEMES[kind].upper()}" if kind in SCHEMES else ""
    return f"give it a name of its own under codecs, with type: {kind} and these options{inline}"


def _check_options(key: Value, kind: str, table: Mapping[str, Entry], options: dict[str, Any]) -> None:
    """Build the codec once, which imports no codec library, so that a refused option is reported with its line."""
    codec, known = key.resolved(CODECS, kind), option_names(kind)
    for name, entry in table.items():
        if name not in known:
            message = unknown("option", name, ("type", *known))
            raise entry.key.inside(key.context).error(message, "correct or remove it")
    for name in required_options(kind):
        if name not in options:
            raise key.error(f"the option {name} is missing, and {kind} needs it", f"add {name}")
    try:
        codec(**options)
    except StepError as error:
        raise table["steps"].value.elements("steps")[error.number - 1].error(str(error), "correct the step") from None
    except OptionError as error:
        words = re.findall(r"\w+", str(error))
        blamed = next((table[word].value for word in words if word in table), key)
        raise blamed.error(str(error), "correct the option or leave it out") from None
    except Exception as error:  # of a third party, whose codec may raise anything
        raise key.error(
            f"{kind} raised {described(error)} for these options", "correct them or leave them out"
        ) from error
