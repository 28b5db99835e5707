"""The key `recovery`: what is finetuned on what, and how much of the drop that has to bring back."""

from __future__ import annotations

import pytest

from compress_guard.records import CodecSpec, Recovery

TWO = ("codecs: [jpeg, webp]", "bpp: [0.5, 1]")
JPEG, WEBP, AVIF = (CodecSpec(name, name) for name in ("jpeg", "webp", "avif"))
DEFAULTS = "defaults: {recovery: {%s}}\n"


def cells(guard):
    return [(cell.codec.alias, cell.bpp) for cell in guard.recovery.cells]


def shares(guard):
    return {cell.codec.alias: cell.min_recovered for cell in guard.recovery.cells}


def test_nothing_is_studied_by_default(guard):
    assert guard(*TWO).recovery is None


def test_what_is_not_said_is_as_the_guard_and_the_records_have_it(guard):
    found = guard("codecs: [jpeg, webp]", "bpp: {jpeg: [1, 0.5], default: [2]}", "recovery: {train: d:train}")
    assert cells(found) == [("jpeg", 0.5), ("jpeg", 1.0), ("webp", 2.0)]
    assert not any(cell.judged for cell in found.recovery.cells)
    assert found.recovery == Recovery("d:train", cells=found.recovery.cells)
    assert found.recovery.trainer is None


def test_cells_have_node_names_of_their_own(guard):
    found = guard(*TWO, "recovery: {train: d:train, codecs: [webp], bpp: [1, 0.25, mixed]}").recovery
    assert [cell.name for cell in found.cells] == [
        "photos[recovery-webp-0.25bpp]",
        "photos[recovery-webp-1.0bpp]",
        "photos[recovery-webp-mixed]",
    ]


def test_every_key(guard):
    found = guard(
        *TWO,
        "recovery:",
        "  train: fixture:train",
        "  trainer: examples.recipes:finetune",
        "  codecs: [avif, fast]",
        "  bpp: {avif: [mixed, 1, 0.1], default: [0.25]}",
        "  steps: 3",
        "  batch: 4",
        "  images: 20",
        "  seeds: [5, 2]",
        "  learning_rate: 1e-3",
        "  min_recovered: {fast: 0.5, default: 0}",
        before="codecs: {fast: {type: jpeg, progressive: true}}\n",
    )
    made = found.recovery
    assert (made.train, made.trainer) == ("fixture:train", "examples.recipes:finetune")
    assert (made.steps, made.batch, made.images, made.seeds, made.learning_rate) == (3, 4, 20, (5, 2), 1e-3)
    assert cells(found) == [("avif", 0.1), ("avif", 1.0), ("avif", "mixed"), ("fast", 0.25)]
    assert made.cells[-1].codec == CodecSpec("fast", "jpeg", (("progressive", True),))
    assert shares(found) == {"avif": 0, "fast": 0.5}
    assert all(cell.judged for cell in made.cells)


def test_the_limit_of_a_codec_holds_though_the_guard_does_not_test_it(guard):
    found = guard(*TWO, "limit: {avif: 30, default: 100}", "recovery: {train: d:train, codecs: [avif, jpeg], bpp: [1]}")
    assert [(cell.codec.alias, cell.limit) for cell in found.recovery.cells] == [("avif", 30), ("jpeg", 100)]


def test_one_seed_needs_no_list(guard):
    assert guard(*TWO, "recovery: {train: d:train, seeds: 7}").recovery.seeds == (7,)


def test_a_cell_points_to_the_line_of_its_limit(guard):
    found = guard(*TWO, "recovery:", "  train: d:train", "  min_recovered: {webp: 0.5}").recovery
    assert {cell.codec.alias: cell.line for cell in found.cells} == {"jpeg": 10, "webp": 11}


# Defaults and guards


def test_the_keys_of_a_guard_are_laid_over_those_of_the_defaults(guard):
    before = DEFAULTS % "codecs: [avif], bpp: [0.1, 0.25, mixed], steps: 30, seeds: [4], min_recovered: 0.5"
    found = guard(*TWO, "recovery: {train: d:train, steps: 9}", before=before)
    assert (found.recovery.train, found.recovery.steps, found.recovery.seeds) == ("d:train", 9, (4,))
    assert cells(found) == [("avif", 0.1), ("avif", 0.25), ("avif", "mixed")]
    assert shares(found) == {"avif": 0.5}
    own = guard(*TWO, "recovery: {train: d:train, bpp: [2]}", before=before)
    assert cells(own) == [("avif", 2.0)]


def test_defaults_without_training_data_ask_for_nothing_of_their_own(guard):
    assert guard(*TWO, before=DEFAULTS % "steps: 30").recovery is None


def test_defaults_with_training_data_are_inherited(guard):
    found = guard(*TWO, before=DEFAULTS % "train: d:train, steps: 30").recovery
    assert (found.train, found.steps, len(found.cells)) == ("d:train", 30, 4)
    assert {cell.line for cell in found.cells} == {2}


def test_null_takes_away_what_the_defaults_say(guard):
    before = DEFAULTS % "train: d:train, trainer: r:f, min_recovered: 0.5"
    assert guard(*TWO, "recovery: null", before=before).recovery is None
    found = guard(*TWO, "recovery: {trainer: null, min_recovered: null}", before=before)
    assert found.recovery.trainer is None
    assert shares(found) == {"jpeg": None, "webp": None}


def test_limits_of_the_defaults_may_name_codecs_that_a_guard_does_not_study(guard):
    before = DEFAULTS % "train: d:train, min_recovered: {avif: 0.5}"
    assert shares(guard(*TWO, before=before)) == {"jpeg": None, "webp": None}
    assert shares(guard(*TWO, "recovery: {steps: 3}", before=before)) == {"jpeg": None, "webp": None}


def test_a_guard_with_codecs_of_its_own_does_not_answer_for_limits_of_the_defaults(guard):
    before = DEFAULTS % "train: d:train, codecs: [avif], min_recovered: {avif: 0.5}"
    found = guard(*TWO, "recovery: {codecs: [webp]}", before=before)
    assert shares(found) == {"webp": None}


@pytest.mark.parametrize(("written", "message"), [
    ("3", "expected a map of keys, found 3; write key: value lines below it"),
    ("{step: 3}",
     "unknown key 'step', did you mean 'steps'? known: batch, bpp, codecs, images, learning_rate, min_recovered, "
     "quality, seeds, steps, train, trainer; correct or remove it"),
    ("{train: d:t, learning_rate: 0}",
     "learning_rate is 0, outside 1e-08 to 10; use a number in that range"),
    ("{steps: 3}", "train is missing; add train: with a factory of training data, or recovery: null"),
    ("{train: data}", """train 'data' is not a factory; write "package.module:callable" or "fixture:NAME\""""),
    ("{train: null}", "train must be text, found nothing; write text, in quotes if need be"),
    ("{train: d:f}",
     "train is d:f, the guard's own data, and a model is not tested on what it was trained on; give it images that the "
     "guard does not evaluate"),
    ("{train: d:t, trainer: fixture:finetune}",
     """trainer 'fixture:finetune' is not a factory; write "package.module:callable\""""),
    ("{train: d:t, codecs: [webp, webp]}", "the codec 'webp' is given twice; keep one of them"),
    ("{train: d:t, bpp: 0.5}", "bpp must be a list, found 0.5; write [0.5]"),
    ("{train: d:t, bpp: []}", "bpp is an empty list; give at least one"),
    ("{train: d:t, bpp: [20]}",
     "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality: [20]?"),
    ("{train: d:t, bpp: [0.1, 0.10]}", "the rate 0.10 of bpp is the same as 0.1; keep one of them"),
    ("{train: d:t, bpp: [0.1, mixd]}",
     "a rate of bpp must be a number or mixed, found 'mixd'; write a number from 0.02 to 8 without quotes, or mixed"),
    ("{train: d:t, bpp: mixed}",
     "mixed is the only entry of bpp, and is a model over the rates beside it; list the rates that it mixes, e.g. "
     "[0.1, 0.25, mixed]"),
    ("{train: d:t, bpp: {jpeg: [mixed], default: [1]}}",
     "mixed is the only entry of bpp of jpeg, and is a model over the rates beside it; list the rates that it mixes, "
     "e.g. [0.1, 0.25, mixed]"),
    ("{train: d:t, bpp: [0.25, mixed]}",
     ("mixed has a single rate beside it in bpp, and would be the model of 0.25 bpp; list another rate, or leave mixed "
      "out")),
    ("{train: d:t, bpp: [0.1, 0.25, mixed, mixed]}", "mixed is given twice in bpp; keep one of them"),
    ("{train: d:t, bpp: {jpeg: [1]}}",
     "the bpp of line 9 has no rates for the codec 'webp'; add webp or default to it"),
    ("{train: d:t, steps: 0}", "steps must be a whole number from 1 to 1000000, found 0; write such a number"),
    ("{train: d:t, steps: 1e3}", "steps must be a whole number from 1 to 1000000, found 1e3; write such a number"),
    ("{train: d:t, batch: 5000}", "batch must be a whole number from 1 to 4096, found 5000; write such a number"),
    ("{train: d:t, images: true}",
     "images must be a whole number from 1 to 1000000, found true; write such a number"),
    ("{train: d:t, seeds: []}", "seeds is an empty list; give at least one"),
    ("{train: d:t, seeds: [1, 0, 1]}", "the seed 1 is given twice; keep one of them"),
    ("{train: d:t, seeds: [-1]}",
     "a seed must be a whole number from 0 to 4294967295, found -1; write such a number"),
    ("{train: d:t, seeds: two}",
     "seeds must be a whole number from 0 to 4294967295, found 'two'; write such a number"),
    ("{train: d:t, min_recovered: 50}", "min_recovered is 50, outside 0 to 1; use a number in that range"),
    ("{train: d:t, min_recovered: {0.1: 0.5}}",
     "min_recovered must be a number, found a map; write a number from 0 to 1"),
    ("{train: d:t, min_recovered: {jpeg: 0.5, avif: 0.5}}",
     "min_recovered names avif, which is not studied here; the codecs studied are jpeg, webp; correct or remove it"),
    ("{train: d:t, codecs: [avif], min_recovered: {jpeg: 0.5}}",
     "min_recovered names jpeg, which is not studied here; the codecs studied are avif; correct or remove it"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(guard_refusal, written, message):
    assert guard_refusal(*TWO, f"recovery: {written}") == f"thresholds.yaml:9: photos: recovery: {message}"


def test_defaults_are_refused_where_they_stand(refusal):
    text = "version: 1\ndefaults:\n  recovery: {codecs: [webp], min_recovered: {avif: 1}}\nguards:\n  a: {}\n"
    assert refusal(text) == (
        "thresholds.yaml:3: defaults: recovery: min_recovered names avif, which is not studied here; the codecs "
        "studied are webp; correct or remove it"
    )


def test_training_data_of_the_defaults_that_a_guard_evaluates_are_refused_with_the_guard(refusal):
    text = "version: 1\ndefaults:\n  recovery: {train: d:f}\nguards:\n  a: {task: detection, model: m:f, data: d:f}\n"
    assert refusal(text) == (
        "thresholds.yaml:3: a: recovery: train is d:f, the guard's own data, and a model is not tested on what it was "
        "trained on; give it images that the guard does not evaluate"
    )
