"""Names of others by decorators, and what a second owner is told."""

from __future__ import annotations

import dataclasses
import importlib
from typing import get_type_hints

import pytest

import compress_guard
from compress_guard.codecs.contract import Codec
from compress_guard.errors import RegistrationError
from compress_guard.registry import CODECS, DATA, MODELS, TASKS
from compress_guard.registry.contracts import CODEC_MEMBERS, TASK_MEMBERS
from compress_guard.tasks.contract import Task

CODEC = """
    from dataclasses import dataclass
    from compress_guard import RealStreams

    @dataclass(frozen=True)
    class Tone(RealStreams):
        type = "tone"
        version = "1"
        ladder = (1.0, 2.0)
        def encode(self, images, settings, workers=1): ...
        def decode(self, streams, workers=1): ...
"""
"""The source of a module with a codec called `tone`."""

TONE = {"type": "tone", "version": "1", "ladder": (1.0,), "encode": None, "decode": None, "__module__": __name__}


def tone(**other: object) -> type:
    return dataclasses.dataclass(frozen=True)(type("Tone", (compress_guard.RealStreams,), TONE | other))


def test_the_class_is_given_back_and_found_under_its_name() -> None:
    made = tone()
    assert compress_guard.register_codec("tone")(made) is made
    assert CODECS.resolve("tone") is made
    assert list(CODECS) == [*CODECS.own, "tone"]


def test_a_name_of_the_package_is_not_free() -> None:
    with pytest.raises(RegistrationError) as caught:
        compress_guard.register_codec("jpeg")(tone(type="jpeg"))
    assert str(caught.value) == (
        f"the codec name 'jpeg' has two owners: compress_guard, and {__name__}:Tone of the file {__file__}; register "
        "yours under another name"
    )
    with pytest.raises(RegistrationError, match="^the task name 'detection' has two owners: compress_guard, and "):
        compress_guard.register_task("detection")(compress_guard.Classification)


def test_a_second_class_is_refused_and_the_first_one_stays() -> None:
    first, second = tone(), tone(__qualname__="Other")
    compress_guard.register_codec("tone")(first)
    with pytest.raises(RegistrationError) as caught:
        compress_guard.register_codec("tone")(second)
    assert str(caught.value) == (
        f"the codec name 'tone' has two owners: {__name__}:Tone of the file {__file__}, and {__name__}:Other of "
        f"the file "
        f"{__file__}; register yours under another name"
    )
    assert CODECS.resolve("tone") is first


def test_a_source_that_runs_again_is_no_second_owner(install) -> None:
    install(
        "tones",
        "codecs",
        "",
        CODEC.replace("@dataclass", "@register_codec('tone')\n    @dataclass").replace(
            "import RealStreams", "import RealStreams, register_codec"
        ),
    )
    module = importlib.import_module("tones")
    first = CODECS.resolve("tone")
    assert importlib.reload(module).Tone is CODECS.resolve("tone") is not first


def test_a_decorated_object_and_an_entry_point_that_differ(install) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC)
    compress_guard.register_codec("tone")(tone())
    assert "tone" in CODECS
    with pytest.raises(RegistrationError) as caught:
        CODECS.resolve("tone")
    assert str(caught.value) == (
        f"the codec name 'tone' has two owners: {__name__}:Tone of the file {__file__}, and tones:Tone of the "
        f"distribution "
        "tones 1.0; register yours under another name"
    )


def test_an_object_that_is_registered_both_ways(install) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC)
    made = importlib.import_module("tones").Tone
    compress_guard.register_codec("tone")(made)
    assert CODECS.resolve("tone") is made


def test_a_class_that_is_no_codec_is_refused_at_once() -> None:
    with pytest.raises(RegistrationError) as caught:
        compress_guard.register_codec("tone")(type("Tone", (compress_guard.RealStreams,), TONE))
    assert str(caught.value) == (
        f"the codec 'tone' ({__name__}:Tone of the file {__file__}) is no frozen dataclass; expected a frozen "
        f"dataclass "
        "with the members of compress_guard.Codec; see docs/howto/extending.md"
    )
    assert "tone" not in CODECS


def test_a_task_needs_its_own_name_and_metrics() -> None:
    with pytest.raises(RegistrationError, match="has the name 'classification'; expected the attribute name to be"):
        compress_guard.register_task("rating")(type("Rating", (compress_guard.Classification,), {}))
    unnamed = type("Rating", (compress_guard.Classification,), {"name": "rating", "metrics": ()})
    with pytest.raises(RegistrationError, match="has no usable metrics; expected the attribute metrics to be a"):
        compress_guard.register_task("rating")(unnamed)
    assert "rating" not in TASKS


def test_factories_have_to_be_callable_and_have_a_table_each() -> None:
    assert compress_guard.register_model("ear")(tone) is tone
    assert ("ear" in MODELS, "ear" in DATA) == (True, False)
    with pytest.raises(RegistrationError, match="is a list; expected a callable that returns the object to use; see "):
        compress_guard.register_data("songs")([])
    with pytest.raises(RegistrationError, match="its name has other characters than expected; begin with a "):
        compress_guard.register_data("two songs")(tone)


def test_the_checks_know_the_members_of_the_protocols() -> None:
    def members(protocol: type) -> set[str]:
        return {*get_type_hints(protocol), *(name for name in vars(protocol) if not name.startswith("_"))}

    assert members(Codec) == {"type", *CODEC_MEMBERS}
    assert members(Task) == {"name", *TASK_MEMBERS}
