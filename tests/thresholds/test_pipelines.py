"""Codecs of type pipeline in a file: their steps, the names that these may use, and what is refused, with its line."""

from __future__ import annotations

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.records import PipelineStep
from compress_guard.registry import CODECS

FILE = """version: 1
codecs:
{codecs}
guards:
  photos: {{task: classification, model: m:f, data: d:f, codecs: [upload], bpp: [0.5]}}
"""


@pytest.fixture(autouse=True)
def real_codecs(stand_ins, monkeypatch) -> None:
    """Take the codecs themselves in place of the stand-ins, since a pipeline builds its steps."""
    for name in ("jpeg", "avif", "command"):
        monkeypatch.delitem(CODECS._found, name)


def upload(read, codecs: str):
    (guard,) = read(FILE.format(codecs=codecs)).guards
    (spec,) = guard.codecs
    return spec


def refusal(read, codecs: str) -> str:
    with pytest.raises(ThresholdsError) as caught:
        read(FILE.format(codecs=codecs))
    return str(caught.value)


def test_steps_are_names_and_maps_of_one_name(read):
    spec = upload(
        read,
        """\
  upload:
    type: pipeline
    steps:
      - source
      - resize: {longest: 1600, filter: lanczos}
      - jpeg: {quality: 80, subsampling: "4:4:4"}
      - crop: {box: [0.0, 0.0, 0.5, 1]}
      - webp:
""",
    )
    assert spec.steps == (
        PipelineStep("source", "source"),
        PipelineStep("resize", "resize", (("filter", "lanczos"), ("longest", 1600))),
        PipelineStep("jpeg", "jpeg", (("subsampling", "4:4:4"),), 80.0),
        PipelineStep("crop", "crop", (("box", (0.0, 0.0, 0.5, 1)),)),
        PipelineStep("webp", "webp"),
    )
    assert hash(spec) == hash(spec)
    assert (spec.fixed, spec.crops) == (False, True)


def test_a_step_has_the_options_of_the_files_own_codec_of_that_name(read):
    spec = upload(
        read,
        """\
  upload: {type: pipeline, steps: [{app: {quality: 60, speed: 6}}, jpeg]}
  app: {type: avif, subsampling: "4:4:4", speed: 10}
  jpeg: {type: jpeg, progressive: true}
""",
    )
    assert spec.steps == (
        PipelineStep("app", "avif", (("speed", 6), ("subsampling", "4:4:4")), 60.0),
        PipelineStep("jpeg", "jpeg", (("progressive", True),)),
    )


def test_a_step_may_be_a_name_that_carries_options(read):
    spec = upload(read, '  upload: {type: pipeline, steps: [{jpeg: {quality: 80}}, "zoo:mbt2018?metric=ms-ssim"]}')
    assert spec.steps[1] == PipelineStep(
        "zoo:mbt2018?metric=ms-ssim", "zoo", (("metric", "ms-ssim"), ("model", "mbt2018"))
    )


def test_anchors_and_merge_keys_work_in_steps(read):
    spec = upload(
        read,
        """\
  base: &first {type: jpeg, subsampling: "4:4:4"}
  upload:
    type: pipeline
    steps:
      - resize: &size {longest: 100}
      - jpeg: {quality: 80}
      - resize: {<<: *size, filter: box}
      - jpeg: {quality: 50}
""",
    )
    assert spec.steps[2] == PipelineStep("resize", "resize", (("filter", "box"), ("longest", 100)))
    assert spec.fixed


@pytest.mark.parametrize(
    ("codecs", "message"),
    [
        (
            "  upload: {type: pipeline}",
            "thresholds.yaml:3: codec upload: the option steps is missing, and pipeline needs it; add steps",
        ),
        (
            "  upload: {type: pipeline, steps: []}",
            "thresholds.yaml:3: codec upload: steps is an empty list; give at least one",
        ),
        (
            "  upload: {type: pipeline, steps: jpeg}",
            "thresholds.yaml:3: codec upload: steps must be a list, found 'jpeg'; write [jpeg]",
        ),
        (
            "  upload: {type: pipeline, steps: [jpeg], quality: 80}",
            "thresholds.yaml:3: codec upload: unknown option 'quality'; known: steps, type; correct or remove it",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - jpeg: {quality: 80}\n      - 80",
            "thresholds.yaml:7: codec upload: a step must be a name or a map with one name, found 80; "
            "write a name, or one name with its options: {jpeg: {quality: 80}}",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - jpeg: 80",
            "thresholds.yaml:6: codec upload: the options of jpeg must be a map, found 80; write jpeg: {quality: 80}",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - jpeg: {quality: 80}\n        webp: {quality: 80}",
            "thresholds.yaml:6: codec upload: step 1: found a map of 2 keys; write a name, or one name with its "
            "options: {jpeg: {quality: 80}}; correct the step",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - resize: {longest: 10}\n      - resize: {scale: 0.5}",
            "thresholds.yaml:6: codec upload: steps holds no codec; add one, such as jpeg: {quality: 80}; "
            "correct the option or leave it out",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - jpeg: {quality: 80}\n      - wepb: {quality: 80}",
            "thresholds.yaml:7: codec upload: step 2: unknown step 'wepb', did you mean 'webp'? known: avif, command, "
            "compressai, crop, heic, jp2, jpeg, jxl, neural, resize, source, webp, zoo; correct the step",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - jpeg: {quality: 80}\n      - resize: {scale: 0}",
            "thresholds.yaml:7: codec upload: step 2 (resize): scale must be a number above 0, found 0; "
            "correct the step",
        ),
        (
            "  upload:\n    type: pipeline\n    steps:\n      - webp\n      - jpeg: {quality: 80}",
            "thresholds.yaml:6: codec upload: step 1 (webp): its quality is open, which only the last step may be; "
            "add it: webp: {quality: 80}; correct the step",
        ),
        (
            "  cdn: {type: pipeline, steps: [jpeg]}\n  upload: {type: pipeline, steps: [cdn]}",
            "thresholds.yaml:4: codec upload: step 1 (cdn): a pipeline cannot be a step of another; write its steps "
            "here; correct the step",
        ),
        (
            "  upload: {type: pipeline, steps: [{jpeg: {quality: 80, quality: 90}}]}",
            "thresholds.yaml:3: the key 'quality' is given twice, first on line 3; keep one of them",
        ),
        (
            "  pipeline: {type: jpeg}",
            "thresholds.yaml:3: codec pipeline: the name 'pipeline' is that of a registered codec, but its type is "
            "'jpeg'; choose another name, or type: pipeline",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(read, codecs, message):
    assert refusal(read, codecs) == message


def test_a_pipeline_needs_a_name_of_its_own(read):
    text = "version: 1\ndefaults: {codecs: [pipeline]}\nguards:\n  a: {task: classification, model: m:f, data: d:f}\n"
    with pytest.raises(ThresholdsError) as caught:
        read(text)
    assert str(caught.value) == (
        "thresholds.yaml:2: defaults: codec 'pipeline' needs the options steps; give it a name of its own under "
        "codecs, with type: pipeline and these options"
    )
