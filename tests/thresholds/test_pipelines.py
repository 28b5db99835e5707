"""Codecs of type pipeline in a file: their steps, the names that these may use, and what is refused, with its line."""

from __future__ import annotations

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.records import Fixed, PipelineStep
from compress_guard.registry import CODECS

FILE = """version: 1
codecs:
{codecs}
guards:
  photos: {{task: classification, model: m:f, data: d:f, codecs: [upload], reference: input}}
"""
FIXED = "{type: pipeline, steps: [{resize: {longest: 64}}, {jpeg: {quality: 80}}]}"
OPEN = "{type: pipeline, steps: [{resize: {longest: 64}}, {jpeg: {quality: 80}}, webp]}"
GUARD = """version: 1
{defaults}
codecs:
  upload: {upload}
guards:
  photos:
    task: classification
    model: m:f
    data: d:f
    codecs: [jpeg, upload]
{keys}
"""
CROPPED = "{type: pipeline, steps: [{crop: {centre: 0.9}}, {jpeg: {quality: 80}}]}"


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
            "  upload:\n    type: pipeline\n    steps:\n      - resize: 1600",
            "thresholds.yaml:6: codec upload: the options of resize must be a map, found 1600; write resize: "
            "{longest: 1600}",
        ),
        (
            "  upload: {type: pipeline, steps: [crop: 224]}",
            "thresholds.yaml:3: codec upload: the options of crop must be a map, found 224; write crop: {centre: 0.9}",
        ),
        (
            "  source: {type: jpeg}\n  upload: {type: pipeline, steps: [source, jpeg]}",
            "thresholds.yaml:4: codec upload: step 1 (source): a codec of the file has the name of this step; give "
            "that codec another name; correct the step",
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


# Cells


def guarded(read, upload: str, keys: str = "", defaults: str = ""):
    keys = "".join(f"    {line}\n" for line in keys.splitlines())
    (guard,) = read(GUARD.format(upload=upload, keys=keys, defaults=defaults)).guards
    return guard


def cells(guard) -> dict[str, float | None]:
    return {cell.name: cell.max_drop for cell in guard.cells}


def test_a_pipeline_without_an_open_quality_is_one_cell(read):
    guard = guarded(read, FIXED, "bpp: [0.5, 1.0]\nquality: [75]\nmax_drop: 3")
    assert cells(guard) == dict.fromkeys(
        ["photos[jpeg-0.5bpp]", "photos[jpeg-1.0bpp]", "photos[jpeg-q75]", "photos[upload]"], 3
    )
    assert guard.points("upload") == (Fixed(),)
    assert guard.rates("upload") == ()


@pytest.mark.parametrize("defaults", ["", "defaults: {bpp: [0.1, 2.0]}", "defaults: {bpp: null, quality: [75]}"])
def test_no_rates_and_qualities_of_the_defaults_apply_to_it(read, defaults):
    assert [name for name in cells(guarded(read, FIXED, "", defaults)) if "upload" in name] == ["photos[upload]"]


def test_it_needs_no_rates_where_the_codecs_beside_it_have_their_own(read):
    guard = guarded(read, FIXED, "bpp: {jpeg: [0.5]}")
    assert list(cells(guard)) == ["photos[jpeg-0.5bpp]", "photos[upload]"]


def test_an_open_quality_at_the_end_has_rates_and_qualities(read):
    guard = guarded(read, OPEN, "bpp: {upload: [0.5], jpeg: [1.0]}\nquality: {upload: [80]}")
    assert list(cells(guard)) == ["photos[jpeg-1.0bpp]", "photos[upload-0.5bpp]", "photos[upload-q80]"]


def test_limits_are_one_number_or_given_by_its_name(read):
    guard = guarded(
        read, FIXED, "bpp: [0.5]\nmax_drop: {upload: 2, default: {0.5: 5}}\nmin_score: {upload: 40}\nmin_clean: 10"
    )
    assert cells(guard) == {"photos[jpeg-0.5bpp]": 5, "photos[upload]": 2}
    assert [(cell.min_score, cell.min_clean) for cell in guard.cells] == [(None, 10), (40, 10)]


def test_limits_of_slices_hold_in_it(read):
    guard = guarded(read, FIXED, "bpp: [0.5]\nmax_drop: 3\nslices: {label: {by: label, max_drop: 9}}")
    assert [limit.max_drop for cell in guard.cells for limit in cell.slice_limits] == [9, 9]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "bpp: [0.5]\nmax_drop: {0.5: 3}",
            "thresholds.yaml:12: photos: the codec 'upload' leaves no setting open, and the max_drop of line 12 is "
            "given at 0.5 bpp only; give max_drop as one number, for this codec by its name",
        ),
        (
            "bpp: {upload: [0.5], default: [1.0]}",
            "thresholds.yaml:6: photos: the bpp of line 11 names upload, whose steps leave no quality open; remove "
            "upload there, or leave the quality of its last codec out",
        ),
        (
            "bpp: [0.5]\nquality: {upload: [80], jpeg: [75]}",
            "thresholds.yaml:6: photos: the quality of line 12 names upload, whose steps leave no quality open; remove "
            "upload there, or leave the quality of its last codec out",
        ),
        (
            "bpp: [0.5]\nmax_drop: 3\nslices: {label: {by: label, max_drop: {0.5: 9}}}",
            "thresholds.yaml:13: photos: slices: label: the codec 'upload' leaves no setting open, and the max_drop of "
            "line 13 is given at 0.5 bpp only; give max_drop as one number, for this codec by its name; names "
            "of slices that are numbers stand in quotes",
        ),
        (
            "bpp: [0.5]\nrecovery: {train: d:g}",
            "thresholds.yaml:12: photos: recovery: the codec 'upload' leaves no quality open, so that it has no rates "
            "to train at; list the codecs to train at under codecs: there, without it",
        ),
    ],
)
def test_what_has_no_meaning_for_one_point_is_refused(read, keys, message):
    with pytest.raises(ThresholdsError) as caught:
        guarded(read, FIXED, keys)
    assert str(caught.value) == message


def test_a_quality_out_of_the_range_of_the_last_codec_is_refused(read):
    with pytest.raises(ThresholdsError) as caught:
        guarded(read, OPEN, "bpp: null\nquality: {upload: [180], jpeg: [75]}")
    assert str(caught.value).startswith(
        "thresholds.yaml:12: photos: 180 is no quality of upload, which takes numbers from 0 to 100"
    )


def test_it_is_timed_as_one_cell_for_each_work(read):
    guard = guarded(read, FIXED, "bpp: [0.5]\nthroughput: {codecs: [upload]}")
    assert [cell.name for cell in guard.throughput.cells] == [
        "photos[throughput-upload-encode]",
        "photos[throughput-upload-decode]",
        "photos[throughput-upload]",
    ]


def test_many_fixed_pipelines_count_as_one_cell_each(read, monkeypatch):
    monkeypatch.setattr("compress_guard.thresholds.keys.rates.MOST_CELLS", 2)
    assert len(cells(guarded(read, FIXED, "bpp: [0.5]"))) == 2
    with pytest.raises(ThresholdsError, match="has more than 2 cells"):
        guarded(read, FIXED, "bpp: [0.5, 1.0]")


def test_a_crop_needs_a_reference_that_is_cropped_too(read):
    with pytest.raises(ThresholdsError) as caught:
        guarded(read, CROPPED, "bpp: [0.5]")
    assert str(caught.value) == (
        "thresholds.yaml:6: photos: the codec 'upload' crops, and the targets of what it leaves are not those of the "
        "source; set reference: input, so that both sides are cropped, or remove the step crop"
    )
    assert "photos[upload]" in cells(guarded(read, CROPPED, "bpp: [0.5]\nreference: input"))
    assert "photos[upload]" in cells(guarded(read, CROPPED, "bpp: [0.5]", "defaults: {reference: input}"))


ALONE = GUARD.replace("codecs: [jpeg, upload]", "codecs: [upload]")


@pytest.mark.parametrize("key", ["bpp: [0.5]", "quality: [75]", "quality: {default: [75]}"])
def test_rates_and_qualities_of_a_guard_apply_to_one_of_its_codecs(read, key):
    with pytest.raises(ThresholdsError) as caught:
        read(ALONE.format(upload=FIXED, keys=f"    {key}", defaults=""))
    name = key.partition(":")[0]
    assert str(caught.value).endswith(
        f": photos: {name} applies to no codec of this guard: the steps of its pipelines leave no quality open; "
        f"remove {name}, or leave the quality of a pipeline's last codec out"
    )


def test_null_says_the_same_as_nothing(read):
    (guard,) = read(ALONE.format(upload=FIXED, keys="    bpp: null\n    quality: null", defaults="")).guards
    assert list(cells(guard)) == ["photos[upload]"]


def test_a_step_with_an_option_without_a_value_is_refused(read):
    for option, remedy in (
        ("quality", "write a number such as quality: 80, or leave quality out, which only the last step may do"),
        ("progressive", "give it one, or leave progressive out"),
    ):
        with pytest.raises(ThresholdsError) as caught:
            guarded(read, f"{{type: pipeline, steps: [{{jpeg: {{{option}: null}}}}]}}")
        assert str(caught.value) == (
            f"thresholds.yaml:4: codec upload: {option} of the step jpeg has no value; {remedy}"
        )
