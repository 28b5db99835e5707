"""Names of others by entry points: looked up when they are named, and refused in one sentence where they are faulty."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from compress_guard import thresholds
from compress_guard.engine.coding.available import build_codec
from compress_guard.errors import OptionError, RegistrationError, ThresholdsError
from compress_guard.records import CodecSpec, Thresholds
from compress_guard.registry import CODECS, DATA, MODELS, TASKS, codec_named

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

FILE = """
version: 1
guards:
  photos: {task: classification, model: "m:f", data: "d:f", codecs: [tone], bpp: [1.0]}
"""


def load(folder: Path, text: str = FILE) -> Thresholds:
    file = folder / "thresholds.yaml"
    file.write_text(text)
    return thresholds.load(file)


def test_an_unknown_name_alone_reads_entry_points(tmp_path, install, look_ups) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC)
    load(tmp_path, FILE.replace("tone", "jpeg"))
    assert codec_named("zoo:mbt2018").type == "zoo"
    assert all(name in CODECS and CODECS.resolve(name) for name in ("jpeg", "webp"))
    assert (list(CODECS), "tones" in sys.modules) == (list(CODECS.own), False)
    assert look_ups == []
    assert load(tmp_path).guards[0].cells[0].codec.type == "tone"
    load(tmp_path)
    assert look_ups == ["compress_guard.codecs"]


def test_a_number_is_no_name_to_look_up(look_ups) -> None:
    assert 0.5 not in CODECS
    assert None not in TASKS
    assert look_ups == []


def test_a_codec_is_built_with_its_options(install) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC + "        level: int = 3\n")
    assert build_codec(CodecSpec("tone", "tone", (("level", 5),))).level == 5
    with pytest.raises(OptionError, match=r"^unknown option of codec tone 'levels', did you mean 'level'\? known: "):
        build_codec(CodecSpec("tone", "tone", (("levels", 5),)))


def test_options_of_a_codec_are_checked_with_their_line(tmp_path, install) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC + "        level: int = 3\n")
    text = FILE.replace("guards", "codecs: {deep: {type: tone, levels: 4}}\nguards")
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path, text)
    assert str(caught.value) == (
        "thresholds.yaml:3: codec deep: unknown option 'levels', did you mean 'level'? known: level, type; "
        "correct or remove it"
    )


def test_a_codec_that_raises_anything_for_an_option(tmp_path, install) -> None:
    faulty = "        level: int = 3\n        __post_init__ = lambda self: 1 / 0\n"
    install("tones", "codecs", "tone = tones:Tone", CODEC + faulty)
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path, FILE.replace("guards", "codecs: {deep: {type: tone, level: 4}}\nguards"))
    assert str(caught.value) == (
        "thresholds.yaml:3: codec deep: tone raised ZeroDivisionError: division by zero for these options; "
        "correct them "
        "or leave them out"
    )


def test_names_known_by_then_are_in_the_hints(tmp_path, install) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC)
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path, FILE.replace("[tone]", "[tones]"))
    assert caught.value.found == (
        "unknown codec 'tones', did you mean 'tone'? known: avif, command, compressai, heic, jp2, jpeg, jxl, neural, "
        "pipeline, tone, webp, zoo"
    )


def test_two_distributions_with_one_name(tmp_path, install) -> None:
    install("bells", "codecs", "tone = bells:Tone", CODEC)
    install("tones", "codecs", "tone = tones:Tone", CODEC)
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        "thresholds.yaml:4: photos: the codec name 'tone' has two owners: tones:Tone of the distribution tones "
        "1.0, and "
        "bells:Tone of the distribution bells 1.0; uninstall one of the two distributions"
    )
    assert not {"bells", "tones"} & set(sys.modules)


def test_a_distribution_that_offers_a_name_of_the_package(install) -> None:
    install("tones", "codecs", "jpeg = tones:Tone", CODEC)
    assert CODECS.look_all_up() == CODECS.own
    assert CODECS.resolve("jpeg").__module__ == "compress_guard.codecs.jpeg"
    assert {name: str(problem) for name, problem in CODECS.claims().items()} == {
        "jpeg": "the codec name 'jpeg' has two owners: compress_guard, and tones:Tone of the distribution tones 1.0; "
        "uninstall it, or ask its authors for another name"
    }


FAULTS = {
    "no module": (
        "tone = nowhere_at_all:Tone",
        CODEC,
        "the codec 'tone' (nowhere_at_all:Tone of the distribution tones 1.0) cannot be imported "
        "(ModuleNotFoundError: No "
        "module named 'nowhere_at_all'); repair or uninstall tones",
    ),
    "no name": (
        "tone = tones:Tonne",
        CODEC,
        "the codec 'tone' (tones:Tonne of the distribution tones 1.0) cannot be imported (AttributeError: module "
        "'tones' "
        "has no attribute 'Tonne'); repair or uninstall tones",
    ),
    "exits": (
        "tone = tones:Tone",
        "raise SystemExit(0)",
        "the codec 'tone' (tones:Tone of the distribution tones 1.0) cannot be imported (SystemExit: 0); repair or "
        "uninstall tones",
    ),
    "module": (
        "tone = tones",
        CODEC,
        "the codec 'tone' (tones of the distribution tones 1.0) is a module; expected a frozen dataclass with "
        "the members "
        "of compress_guard.Codec; see docs/howto/extending.md",
    ),
    "no spelling": (
        "tone = to nes!",
        CODEC,
        "the codec 'tone' (to nes! of the distribution tones 1.0) cannot be imported (ValueError: expected "
        "package.module:name); repair or uninstall tones",
    ),
    "members": (
        "tone = tones:Tone",
        CODEC.replace("def encode", "def code").replace("(RealStreams)", ""),
        "the codec 'tone' (tones:Tone of the distribution tones 1.0) has no bits and no device and no remark and no "
        "device_tolerance and no seen_from and no generative and no on and no unavailable and no encode and no "
        "cost and no "
        "proofs; expected a frozen dataclass with the members of compress_guard.Codec; see docs/howto/extending.md",
    ),
    "frozen": (
        "tone = tones:Tone",
        CODEC.replace("frozen", "order"),
        "the codec 'tone' (tones:Tone of the distribution tones 1.0) is no frozen dataclass; expected a frozen "
        "dataclass "
        "with the members of compress_guard.Codec; see docs/howto/extending.md",
    ),
    "type": (
        "tone = tones:Tone",
        CODEC.replace('"tone"', '"tune"'),
        "the codec 'tone' (tones:Tone of the distribution tones 1.0) has the type 'tune'; expected the attribute "
        "type to "
        "be 'tone'; see docs/howto/extending.md",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_entry_point_is_one_sentence(tmp_path, install, fault) -> None:
    points, source, message = FAULTS[fault]
    install("tones", "codecs", points, source)
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"thresholds.yaml:4: photos: {message}"
    with pytest.raises(RegistrationError, match=f"^{re.escape(message)}$"):
        build_codec(CodecSpec("tone", "tone"))


NAMES = {
    "myjpeg": "contains the name of the codec 'jpeg'; choose a name that pytest -k jpeg can tell apart",
    "JPEG": "contains the name of the codec 'jpeg'; choose a name that pytest -k jpeg can tell apart",
    "z": "is contained in the name of the codec 'neural'; choose a name that pytest -k z can tell apart",
    "two-tone": "has characters that node ids cannot contain; begin with a letter and use letters, digits, _ and . "
    "only",
    "default": "is reserved for all other codecs in per-codec maps; choose another name",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_breaks_the_rules_of_names(install, name) -> None:
    install("tones", "codecs", f"{name} = tones:Tone", CODEC.replace('"tone"', f'"{name}"'))
    with pytest.raises(RegistrationError) as caught:
        CODECS.resolve(name)
    expected = NAMES[name].replace("'neural'", "'zoo'")
    assert str(caught.value) == f"the codec {name!r} (tones:Tone of the distribution tones 1.0): its name {expected}"


def test_an_alias_of_the_file_wins_and_is_not_looked_up(tmp_path, install, look_ups) -> None:
    install("tones", "codecs", "tone = tones:Tone", CODEC)
    guard = load(tmp_path, FILE.replace("guards", "codecs: {tone: {type: webp}}\nguards")).guards[0]
    assert guard.cells[0].codec.type == "webp"
    assert look_ups == []


def test_a_task_that_is_none(tmp_path, install) -> None:
    install("tones", "tasks", "hearing = tones:Tone", CODEC)
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path, FILE.replace("classification", "hearing").replace("tone", "jpeg"))
    assert str(caught.value) == (
        "thresholds.yaml:4: photos: the task 'hearing' (tones:Tone of the distribution tones 1.0) has no metrics "
        "and no "
        "target and no classes and no is_placed and no extent and no borders and no prediction and no evidence and no "
        "scorer and no skill and no remarks and no saturated; expected a class with the members of "
        "compress_guard.Task; "
        "see docs/howto/extending.md"
    )


def test_models_and_data_are_named_without_being_loaded(tmp_path, install) -> None:
    install("tones", "models", "ear = tones:ear", "raise RuntimeError('not now')")
    install("songs", "data", "choir = songs:choir", "raise RuntimeError('not now')")
    guard = load(tmp_path, FILE.replace("m:f", "ear").replace("d:f", "choir").replace("tone", "jpeg")).guards[0]
    assert (guard.model, guard.data) == ("ear", "choir")
    with pytest.raises(RegistrationError) as caught:
        MODELS.resolve("ear")
    assert str(caught.value) == (
        "the model 'ear' (tones:ear of the distribution tones 1.0) cannot be imported (RuntimeError: not now); "
        "repair or "
        "uninstall tones"
    )
    assert "ear" not in DATA


def test_a_text_that_is_neither_a_name_nor_a_factory(tmp_path) -> None:
    with pytest.raises(ThresholdsError) as caught:
        load(tmp_path, FILE.replace("m:f", "ear").replace("tone", "jpeg"))
    assert str(caught.value) == (
        'thresholds.yaml:4: photos: model \'ear\' is not a factory; write "package.module:callable" or "fixture:NAME"'
    )
