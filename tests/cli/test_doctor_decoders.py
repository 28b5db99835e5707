"""``compress-guard doctor``: which decoders are here, what they read, and what brings the others."""

from __future__ import annotations

import sys

import cv2
import PIL
import pytest
import torchvision

from compress_guard.codecs.decoding.opencv import OpenCv
from compress_guard.registry import DECODERS

PIPELINE = "codecs: {cdn: {type: pipeline, steps: [{jpeg: {quality: 80}}, {webp: {quality: 75}}]}}\n"


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress_guard.cli.doctor._has_gpu", lambda: False)


@pytest.fixture
def asked(command, folder):
    """Run the command on a guard with these keys; return its exit code, and state and remark by decoder."""

    def run(keys: str, codecs: str = ""):
        (folder / "thresholds.yaml").write_text(
            f"version: 1\n{codecs}guards:\n"
            f"  toy: {{task: classification, model: 'toy:model', data: 'toy:data', {keys}}}\n"
        )
        done = command("doctor", "thresholds.yaml")
        return done.code, decoders(done.out)

    return run


def decoders(out: str) -> dict[str, list[str]]:
    """State and remark by name, in the section on decoders."""
    _, _, section = out.partition("\ndecoders\n")
    lines = []
    for line in section.splitlines():
        if not line.startswith("  "):
            break
        lines.append(line)
    return {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines}


def test_every_decoder_is_listed_with_what_it_reads(command) -> None:
    done = command("doctor")
    found = decoders(done.out)
    assert list(found) == list(DECODERS)
    assert found["pillow"][0] == "ok"
    assert found["pillow"][1].startswith(f"Pillow {PIL.__version__} reads avif, ")
    assert found["torchvision"] == ["ok", f"torchvision {torchvision.__version__.partition('+')[0]} reads jpeg, webp"]
    assert found["nvjpeg"] == [
        "missing",
        "nvjpeg decodes on CUDA devices, and this run is on cpu; run on a CUDA device",
    ]
    assert done.code == 0, "without a file nothing is needed"


def test_what_a_build_lacks_is_named_beside_what_it_reads(command, monkeypatch) -> None:
    monkeypatch.setattr(OpenCv, "_library", lambda self: "NO" if self.codec.type in ("avif", "jp2") else "some")
    version = f"OpenCV {cv2.__version__}"
    lacks = "; ".join(
        f"not {kind}: {version} was built without {kind.upper()}; pip install --upgrade opencv-python-headless"
        for kind in ("avif", "jp2")
    )
    assert decoders(command("doctor").out)["opencv"] == ["ok", f"{version} reads jpeg, webp; {lacks}"]


def test_a_decoder_that_is_not_installed_is_named_with_the_command(command, asked, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    remedy = ["missing", "OpenCV is not installed; pip install --upgrade opencv-python-headless"]
    assert decoders(command("doctor").out)["opencv"] == remedy
    code, found = asked("codecs: [jpeg], quality: [75], bpp: null, decoders: [pillow, opencv]")
    assert (code, found["opencv"]) == (1, remedy)


def test_a_file_is_asked_for_the_decoders_of_its_guards(asked) -> None:
    code, found = asked("codecs: [webp, jpeg], quality: [75], bpp: null, decoders: [pillow, torchvision]")
    assert code == 0
    assert list(found) == ["pillow", "torchvision"]
    assert found["pillow"] == ["ok", f"Pillow {PIL.__version__} reads jpeg, webp"]
    assert asked("codecs: [jpeg], quality: [75], bpp: null") == (0, {})


def test_a_build_that_lacks_one_of_the_needed_types_is_missing(asked, monkeypatch) -> None:
    monkeypatch.setattr(OpenCv, "_library", lambda self: "NO" if self.codec.type == "webp" else "some")
    keys = "quality: [75], bpp: null, decoders: [pillow, opencv]"
    code, found = asked(f"codecs: [jpeg, webp], {keys}")
    assert (code, found["opencv"][0]) == (1, "missing")
    code, found = asked(f"codecs: [jpeg], {keys}")
    assert (code, found["opencv"][0]) == (0, "ok")


def test_a_pipeline_needs_a_decoder_of_what_it_delivers(asked, monkeypatch) -> None:
    code, found = asked("codecs: [cdn], decoders: [pillow, opencv]", PIPELINE)
    assert (code, found["opencv"]) == (0, ["ok", f"OpenCV {cv2.__version__} reads webp"])
    monkeypatch.setattr(OpenCv, "_library", lambda self: "NO" if self.codec.type == "webp" else "some")
    assert asked("codecs: [cdn], decoders: [pillow, opencv]", PIPELINE)[0] == 1
