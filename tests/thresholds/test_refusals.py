"""Every refusal with its whole message: where, what was found, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress_guard.errors import ThresholdsError
from compress_guard.registry import CODECS, TASKS
from compress_guard.thresholds import load

HEAD = "version: 1\n"
PHOTOS = "guards:\n  photos:\n    task: classification\n    model: m:f\n    data: d:f\n"
STANDS_FOR = {
    "<photos>": HEAD + PHOTOS,
    "<codecs>": ", ".join(sorted(CODECS)),
    "<codecs and default>": ", ".join(sorted([*CODECS, "default"])),
    "<tasks>": ", ".join(sorted(TASKS)),
    "<keys of defaults>": "bpp, codecs, confidence, correction, decoder_swap, decoders, groups, limit, "
    "max_decoder_drop, max_error_share, max_regression, min_clean, on_inconclusive, on_unavailable, on_unreachable, "
    "orientation, quality, rate, rate_tolerance, recovery, reference, throughput",
}


def spelled_out(text: str) -> str:
    for short, long in STANDS_FOR.items():
        text = text.replace(short, long)
    return text


# Line 1 is the first of the text; <photos> is a whole file that ends inside the guard `photos`, on line 6
@pytest.mark.parametrize(("text", "message"), [
    ("", "thresholds.yaml:1: the file is empty; begin it with version: 1 and add guards"),
    ("# x\n", "thresholds.yaml:1: the file is empty; begin it with version: 1 and add guards"),
    ("- a\n", "thresholds.yaml:1: the file must be a map of keys, found a list; begin it with version: 1"),
    ("text\n", "thresholds.yaml:1: the file must be a map of keys, found 'text'; begin it with version: 1"),
    ("version: 1\n", "thresholds.yaml:1: there are no guards; add guards: with at least one guard"),
    ("guards: {}\n", "thresholds.yaml:1: version is missing; begin the file with version: 1"),
    ("version: 2\n", "thresholds.yaml:1: version must be 1, found 2; write version: 1"),
    ("version: true\n", "thresholds.yaml:1: version must be 1, found true; write version: 1"),
    ("version: '1'\n", "thresholds.yaml:1: version must be 1, found '1'; write version: 1"),
    ("version: 1\nguards: {}\n", "thresholds.yaml:2: there are no guards; add at least one guard"),
    ("version: 1\nguards:\n", "thresholds.yaml:2: there are no guards; add at least one guard"),
    ("version: 1\nguards: [a]\n",
     "thresholds.yaml:2: guards: expected a map of keys, found a list; write key: value lines below it"),
    ("version: 1\ngaurds: {}\n",
     ("thresholds.yaml:2: unknown key 'gaurds', did you mean 'guards'? known: codecs, defaults, guards, "
      "thresholds, version, waive; correct or remove it")),
    ("version: 1\nversion: 1.0\n",
     "thresholds.yaml:2: the key 'version' is given twice, first on line 1; keep one of them"),
    ("a: [1\nb: 2\n",
     ("thresholds.yaml:2: not valid YAML: expected ',' or ']', but got ':' (while parsing a flow sequence "
      "that begins on line 1); correct the syntax")),
    ("a:\n\tb: 1\n",
     ("thresholds.yaml:2: not valid YAML: found character '\\t' that cannot start any token (while scanning "
      "for the next token); indent with spaces, not tabs")),
    ("a: 'x\n",
     ("thresholds.yaml:2: not valid YAML: found unexpected end of stream (while scanning a quoted scalar "
      "that begins on line 1); correct the syntax")),
    ("a: *b\n", "thresholds.yaml:1: not valid YAML: found undefined alias 'b'; correct the syntax"),
    ("a: 1\n---\nb: 2\n",
     ("thresholds.yaml:2: not valid YAML: expected a single document in the stream, but found another "
      "document; correct the syntax")),
    ("a: &x [*x]\n", "thresholds.yaml:1: an anchor contains itself; write the value out"),
    ("a: !!python/object:os.system {}\n",
     "thresholds.yaml:1: the tag !!python/object:os.system does not belong here; remove the tag"),
    ("a: !!int x\n", "thresholds.yaml:1: the tag !!int does not belong here; remove the tag"),
    ("a: \u0007\n", "thresholds.yaml:1: the character U+0007 is not allowed in YAML; remove it"),
    ("? [a]\n: 1\n", "thresholds.yaml:1: a key must be a name or a number, found a list; write a plain key"),
    ("1: 2\n", "thresholds.yaml:1: expected a name, found 1; write a name, and put a number in quotes"),
    ("a: b: c\n", "thresholds.yaml:1: not valid YAML: mapping values are not allowed here; correct the syntax"),
    ("? \n", "thresholds.yaml:1: expected a name, found nothing; write a name, and put a number in quotes"),
    ("<photos>    bpp: {jpeg: [1]}\n",
     "thresholds.yaml:3: photos: the bpp of line 7 has no rates for the codec 'webp'; add webp or default to it"),
    ("<photos>    max_drop: {1: 2, 1.0: 3}\n",
     "thresholds.yaml:7: the key 1.0 is the same as 1 on line 7; keep one of them"),
    ("<photos>    task: detection\n",
     "thresholds.yaml:7: the key 'task' is given twice, first on line 4; keep one of them"),
    ("version: 1\nguards:\n  a b: {}\n",
     ("thresholds.yaml:3: guards: the guard name 'a b' has characters that node ids cannot contain; begin "
      "with a letter, digit or _ and use letters, digits, _, . and - only")),
    ("version: 1\nguards:\n  1: {}\n",
     "thresholds.yaml:3: guards: expected a name, found 1; write a name, and put a number in quotes"),
    ("version: 1\nguards:\n  a:\n",
     "thresholds.yaml:3: a: expected a map of keys, found nothing; write key: value lines below it"),
    ("version: 1\nguards:\n  a: {}\n", "thresholds.yaml:3: a: task is missing; add task"),
    ("version: 1\nguards:\n  a: {task: detect, model: m:f, data: d:f}\n",
     "thresholds.yaml:3: a: unknown task 'detect', did you mean 'detection'? known: <tasks>; use one of these"),
    ("version: 1\nguards:\n  a: {task: detection, model: m, data: d:f}\n",
     'thresholds.yaml:3: a: model \'m\' is not a factory; write "package.module:callable" or "fixture:NAME"'),
    ("version: 1\nguards:\n  a: {task: detection, model: m:f, data: 5}\n",
     "thresholds.yaml:3: a: data must be text, found 5; write text, in quotes if need be"),
    ("version: 1\nguards:\n  a: {task: detection, model: m:f}\n", "thresholds.yaml:3: a: data is missing; add data"),
    ("version: 1\nguards:\n  a: {task: detection, model: m:f, data: 'fixture:a-b'}\n",
     ('thresholds.yaml:3: a: data \'fixture:a-b\' is not a factory; write "package.module:callable" or '
      '"fixture:NAME"')),
    ("<photos>  photos:\n    task: x\n",
     "thresholds.yaml:7: the key 'photos' is given twice, first on line 3; keep one of them"),
    ("<photos>    <<: {max_drop: 2}\n    <<: {max_drop: 2}\n",
     "thresholds.yaml:8: the key '<<' is given twice, first on line 7; keep one of them"),
    ("<photos>    max_drop: {jpeg: 1, jpeg: 2}\n",
     "thresholds.yaml:7: the key 'jpeg' is given twice, first on line 7; keep one of them"),
    ("version: 1\nguards:\n  1a/b: {}\n",
     ("thresholds.yaml:3: guards: the guard name '1a/b' has characters that node ids cannot contain; begin "
      "with a letter, digit or _ and use letters, digits, _, . and - only")),
    ("<photos>    x: !local 5\n", "thresholds.yaml:7: the tag !local does not belong here; remove the tag"),
])  # fmt: skip
def test_a_file_is_refused(refusal, text, message):
    assert refusal(spelled_out(text)) == spelled_out(message)


# Line 2 is the first of the sections
@pytest.mark.parametrize(("sections", "message"), [
    ("thresholds: 5\n",
     "thresholds.yaml:2: thresholds: expected a map of keys, found 5; write key: value lines below it"),
    ("thresholds: {klassification: {max_drop: 1}}\n",
     ("thresholds.yaml:2: thresholds: unknown task 'klassification', did you mean 'classification'? known: "
      "<tasks>; use one of these")),
    ("thresholds: {classification: 5}\n",
     ("thresholds.yaml:2: thresholds of classification: expected a map of keys, found 5; write key: "
      "value lines below it")),
    ("thresholds: {classification: {}}\n",
     "thresholds.yaml:2: thresholds: classification has no max_drop; add max_drop, or remove the task"),
    ("thresholds: {classification: {min_score: 5}}\n",
     ("thresholds.yaml:2: thresholds of classification: min_score is no key of a task; move it into each guard that "
      "needs it")),
    ("thresholds: {classification: {max_decoder_drop: 5}}\n",
     ("thresholds.yaml:2: thresholds of classification: max_decoder_drop is no key of a task; move it into defaults, "
      "or into each guard that needs it")),
    ("thresholds: {classification: {max_drops: 5}}\n",
     ("thresholds.yaml:2: thresholds of classification: unknown key 'max_drops', did you mean 'max_drop'? known: "
      "max_drop; correct or remove it")),
    ("thresholds: {classification: {max_drop: 101}}\n",
     ("thresholds.yaml:2: thresholds of classification: max_drop is 101, outside 0 to 100; use a number in "
      "that range")),
    ("thresholds: {classification: {max_drop: }}\n",
     ("thresholds.yaml:2: thresholds of classification: max_drop must be a number or a map from rate to "
      "number, found nothing; write e.g. 3 or {0.25: 5, 1.0: 3}")),
    ("codecs: {a-b: {type: jpeg}}\n",
     ("thresholds.yaml:2: codecs: the name 'a-b' has characters that node ids cannot contain; begin with a "
      "letter and use letters, digits, _ and . only")),
    ("codecs: {default: {type: jpeg}}\n",
     ("thresholds.yaml:2: codecs: the name 'default' is reserved for all other codecs in per-codec maps; choose "
      "another name")),
    ("codecs: {a: jpeg}\n",
     "thresholds.yaml:2: codec a: expected a map of keys, found 'jpeg'; write key: value lines below it"),
    ("codecs: {a: {}}\n", "thresholds.yaml:2: codec a: type is missing; add type: one of <codecs>"),
    ("codecs: {a: {type: jpg}}\n",
     "thresholds.yaml:2: codec a: unknown codec 'jpg', did you mean 'jpeg'? known: <codecs>; use one of these"),
    ("codecs: {webp: {type: jpeg}}\n",
     ("thresholds.yaml:2: codec webp: the name 'webp' is that of a registered codec, but its type is "
      "'jpeg'; choose another name, or type: webp")),
    ("codecs: {a: {type: jpeg, subsamplin: 1}}\n",
     ("thresholds.yaml:2: codec a: unknown option 'subsamplin', did you mean 'subsampling'? known: "
      "progressive, subsampling, type; correct or remove it")),
    ("codecs:\n  a:\n    type: jpeg\n    subsampling: 4:1:1\n",
     ("thresholds.yaml:5: codec a: subsampling must be '4:2:0' or '4:4:4', found '4:1:1'; correct the "
      "option or leave it out")),
    ("codecs:\n  a:\n    type: jpeg\n    progressive: yes\n",
     "thresholds.yaml:3: codec a: true or false is expected, found 'yes'; correct the option or leave it out"),
    ("codecs: {a: {type: command, encoder: x}}\n",
     "thresholds.yaml:2: codec a: the option decoder is missing, and command needs it; add decoder"),
    ("defaults:\n  codecs: [command]\n",
     ("thresholds.yaml:3: defaults: codec 'command' needs the options encoder, decoder; "
      "give it a name of its own under codecs, with type: command and these options")),
    ("codecs: {a: {type: jpeg, subsampling: }}\n",
     ("thresholds.yaml:2: codec a: subsampling must be text, a number, true, false or a list, found nothing; "
      "give it a value")),
    ("codecs: {a: {type: jpeg, subsampling: {}}}\n",
     ("thresholds.yaml:2: codec a: subsampling must be text, a number, true, false or a list, found a map; "
      "give it a value")),
    ("codecs: {a: {type: jpeg, subsampling: [true]}}\n",
     "thresholds.yaml:2: codec a: the list subsampling must hold texts or numbers; write texts or numbers"),
    ("codecs: {a: {type: jpeg, subsampling: []}}\n",
     "thresholds.yaml:2: codec a: subsampling is an empty list; give at least one"),
    ("codecs: {1: {type: jpeg}}\n",
     "thresholds.yaml:2: codecs: expected a name, found 1; write a name, and put a number in quotes"),
    ("codecs: {a: {type: 5}}\n",
     "thresholds.yaml:2: codec a: type must be text, found 5; write text, in quotes if need be"),
    ("codecs:\n",
     "thresholds.yaml:2: codecs: expected a map of keys, found nothing; write key: value lines below it"),
    ("defaults:\n",
     "thresholds.yaml:2: defaults: expected a map of keys, found nothing; write key: value lines below it"),
    ("defaults: {task: x}\n",
     "thresholds.yaml:2: defaults: task is no key of defaults; move it into each guard that needs it"),
    ("defaults: {tasks: x}\n",
     "thresholds.yaml:2: defaults: unknown key 'tasks'; known: <keys of defaults>; correct or remove it"),
    ("defaults: {max_drop: 1}\n",
     ("thresholds.yaml:2: defaults: max_drop is no key of defaults; give it for each task, thresholds: "
      "{classification: {max_drop: 2}}, or in each guard")),
    ("max_drop: 1\n",
     ("thresholds.yaml:2: max_drop is no section of the file; give it for each task, thresholds: "
      "{classification: {max_drop: 2}}, or in each guard")),
    ("min_score: 1\n",
     "thresholds.yaml:2: min_score is no section of the file; move it into each guard that needs it"),
    ("bpp: [0.5]\n",
     "thresholds.yaml:2: bpp is no section of the file; move it into defaults, or into each guard that needs it"),
    ("defaults: {bpp: [20]}\n",
     ("thresholds.yaml:2: defaults: rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean "
      "quality: [20]?")),
    ("defaults:\n  bpp: [0.1, 2]\nthresholds:\n  classification:\n    max_drop: {0.25: 3, 1: 2}\n",
     ("thresholds.yaml:8: photos: rate 0.1 bpp (from line 3) is outside the max_drop of line 6, which is given at "
      "0.25 to 1.0 bpp; give max_drop at 0.1 bpp too, or remove this rate")),
    ("codecs:\n  a: {type: jpeg}\n  a: {type: avif}\n",
     "thresholds.yaml:4: the key 'a' is given twice, first on line 3; keep one of them"),
])  # fmt: skip
def test_a_section_is_refused(refusal, sections, message):
    assert refusal(HEAD + sections + PHOTOS) == spelled_out(message)


@pytest.mark.parametrize(("lines", "message"), [
    ("codecs: jpeg", "codecs must be a list, found 'jpeg'; write [jpeg]"),
    ("codecs: []", "codecs is an empty list; give at least one"),
    ("codecs: [jpg]",
     "unknown codec 'jpg', did you mean 'jpeg'? known: <codecs>; use one of these, or define it under codecs"),
    ("codecs: [jpeg, jpeg]", "the codec 'jpeg' is given twice; keep one of them"),
    ("codecs: [5]", "a codec must be text, found 5; write text, in quotes if need be"),
    ("codecs:", "codecs must be a list, found nothing; write a list in brackets"),
    ("bpp: 0.25", "bpp must be a list, found 0.25; write [0.25]"),
    ("bpp: []", "bpp is an empty list; give at least one"),
    ("bpp: [20]", "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality: [20]?"),
    ("bpp: [0.01]", "rate 0.01 bpp is outside 0.02 to 8; use a rate in that range"),
    ("bpp: ['0.25']", "a rate must be a number, found '0.25'; write it without quotes"),
    ("bpp: [true]", "a rate must be a number, found true; write a number from 0.02 to 8"),
    ("bpp: [1, 1.0]", "the rate 1.0 of bpp is the same as 1; keep one of them"),
    ("bpp: [1, 1]", "the rate 1 of bpp is given twice; keep one of them"),
    ("bpp: [.nan]", "rate .nan bpp is outside 0.02 to 8; use a rate in that range"),
    ("bpp: {jpg: [1]}",
     ("unknown codec 'jpg', did you mean 'jpeg'? known: <codecs and default>; use one of these, or define "
      "it under codecs")),
    ("bpp: {jpeg: 1}", "bpp of jpeg must be a list, found 1; write [1]"),
    ("bpp: {1: 2}", "bpp must be a list, found a map; write a list in brackets"),
    ("bpp: {jpeg: [1], 2: 3}", "bpp mixes codec names with 2; give rates below each codec, or no codecs"),
    ("bpp: {}", "bpp must be a list, found a map; write a list in brackets"),
    ("bpp: [1_0]", "a rate must be a number, found '1_0'; write a number from 0.02 to 8"),
    ("rate: images", "rate must be dataset or image, found 'images'; use one of these"),
    ("rate: 1", "rate must be dataset or image, found 1; use one of these"),
    ("rate_tolerance: 0", "rate_tolerance is 0, outside 0 to 0.5 (0 excluded); use a number in that range"),
    ("rate_tolerance: 0.6", "rate_tolerance is 0.6, outside 0 to 0.5 (0 excluded); use a number in that range"),
    ("rate_tolerance: 2%", "rate_tolerance must be a number, found '2%'; write a number from 0 to 0.5 (0 excluded)"),
    ("limit: 0",
     "limit must be a whole number above 0 or null, found 0; write a number of images, or null for all of them"),
    ("limit: 1.5",
     "limit must be a whole number above 0 or null, found 1.5; write a number of images, or null for all of them"),
    ("limit: true",
     "limit must be a whole number above 0 or null, found true; write a number of images, or null for all of them"),
    ("limit: {jpg: 1}",
     ("unknown codec 'jpg', did you mean 'jpeg'? known: <codecs and default>; use one of these, or define "
      "it under codecs")),
    ("limit: {jpeg: 0}",
     ("limit of jpeg must be a whole number above 0 or null, found 0; write a number of images, or null for "
      "all of them")),
    ("limit: []",
     "limit must be a whole number above 0 or null, found a list; write a number of images, or null for all of them"),
    ("confidence: 95", "confidence is 95, outside 0.5 to 1 (0.5 and 1 excluded); use a number in that range"),
    ("confidence: 0.5", "confidence is 0.5, outside 0.5 to 1 (0.5 and 1 excluded); use a number in that range"),
    ("confidence: 1", "confidence is 1, outside 0.5 to 1 (0.5 and 1 excluded); use a number in that range"),
    ("confidence: '0.9'", "confidence must be a number, found '0.9'; write it without quotes"),
    ("correction: holm", "correction must be none or bonferroni, found 'holm'; use one of these"),
    ("correction:", "correction must be none or bonferroni, found nothing; use one of these"),
    ("decoder_swap: yes", "decoder_swap must be true or false, found 'yes'; write true or false"),
    ("decoder_swap: 1", "decoder_swap must be true or false, found 1; write true or false"),
    ("orientation: exif", "orientation must be upright or stored, found 'exif'; use one of these"),
    ("reference: clean", "reference must be source or input, found 'clean'; use one of these"),
    ("orientation: 6", "orientation must be upright or stored, found 6; use one of these"),
    ("max_error_share: 1", "max_error_share is 1, outside 0 to 1 (1 excluded); use a number in that range"),
    ("max_error_share: -0.1", "max_error_share is -0.1, outside 0 to 1 (1 excluded); use a number in that range"),
    ("on_inconclusive: skip", "on_inconclusive must be pass, fail or point, found 'skip'; use one of these"),
    ("on_unreachable: pass", "on_unreachable must be skip or fail, found 'pass'; use one of these"),
    ("on_unavailable:", "on_unavailable must be skip or fail, found nothing; use one of these"),
    ("max_drop: -1", "max_drop is -1, outside 0 to 100; use a number in that range"),
    ("max_drop: true", "max_drop must be a number, found true; write a number from 0 to 100"),
    ("max_drop: '3'", "max_drop must be a number, found '3'; write it without quotes"),
    ("max_drop:",
     "max_drop must be a number or a map from rate to number, found nothing; write e.g. 3 or {0.25: 5, 1.0: 3}"),
    ("max_drop: []",
     "max_drop must be a number or a map from rate to number, found a list; write e.g. 3 or {0.25: 5, 1.0: 3}"),
    ("max_drop: {}", "max_drop is an empty map; give a number, or a map from rate to number"),
    ("max_drop: {0.5: 2, 1: 3}",
     ("rate 0.1 bpp (a default) is outside the max_drop of line 7, which is given at 0.5 to 1.0 bpp; give max_drop "
      "at 0.1 bpp too, or remove this rate")),
    ("max_drop: {1: 2}",
     ("rate 0.1 bpp (a default) is outside the max_drop of line 7, which is given at 1.0 bpp only; give max_drop at "
      "0.1 bpp too, or remove this rate")),
    ("max_drop: {20: 2}", "rate 20 bpp is outside 0.02 to 8; use a rate in that range, or did you mean q20?"),
    ("max_drop: {'0.5': 2}", "the rate '0.5' of max_drop is text; write it without quotes"),
    ("max_drop: {jpeg: {'0.5': 2}}", "a rate must be a number, found '0.5'; write it without quotes"),
    ("max_drop: {jpeg: 2, 1: 3}", "max_drop mixes codec names with 1; give rates below each codec, or no codecs"),
    ("max_drop: {jpg: 2}",
     ("unknown codec 'jpg', did you mean 'jpeg'? known: <codecs and default>; use one of these, or define "
      "it under codecs")),
    ("max_drop: {jpeg: {webp: 2}}", "a rate must be a number, found 'webp'; write a number from 0.02 to 8"),
    ("max_drop: {true: 2}", "a rate must be a number, found true; write a number from 0.02 to 8"),
    ("max_drop: {jpeg: -1}", "max_drop of jpeg is -1, outside 0 to 100; use a number in that range"),
    ("max_drop: {1: x}", "max_drop must be a number, found 'x'; write a number from 0 to 100"),
    ("max_drop: {jpeg: {}}", "max_drop of jpeg is an empty map; give a number, or a map from rate to number"),
    ("max_drop: three", "max_drop must be a number, found 'three'; write a number from 0 to 100"),
    ("min_score: 101", "min_score is 101, outside 0 to 100; use a number in that range"),
    ("min_score: {3: 50}",
     "min_score applies to no cell of this guard; give it for a codec and a rate that the guard uses"),
    ("min_score: {heic: 50}",
     "min_score applies to no cell of this guard; give it for a codec and a rate that the guard uses"),
    ("metric: top2",
     "unknown classification metric 'top2', did you mean 'top5'? known: top1, top5; use one of these"),
    ("metric: 1", "metric must be text, found 1; write text, in quotes if need be"),
    ("metrics: top1",
     ("unknown key 'metrics', did you mean 'metric'? known: bpp, codecs, confidence, correction, data, "
      "decoder_swap, decoders, fingerprint, groups, limit, max_decoder_drop, max_drop, max_error_share, "
      "max_regression, metric, min_clean, min_score, model, on_inconclusive, on_unavailable, on_unreachable, "
      "orientation, quality, rate, rate_tolerance, recovery, reference, slices, task, throughput, traffic; "
      "correct or remove it")),
    ("<<: 5", "<< must name a map, found 5; merge the anchor of a map"),
    ("bpp: {1: [1]}", "bpp must be a list, found a map; write a list in brackets"),
    ("max_drop: {0.5: 3, 1: 2}\nbpp: [2]",
     ("rate 2.0 bpp (from line 8) is outside the max_drop of line 7, which is given at 0.5 to 1.0 bpp; give max_drop "
      "at 2.0 bpp too, or remove this rate")),
    ("limit: {1: 2}",
     "limit must be a whole number above 0 or null, found a map; write a number of images, or null for all of them"),
    ("limit: {}",
     "limit must be a whole number above 0 or null, found a map; write a number of images, or null for all of them"),
])  # fmt: skip
def test_a_key_of_a_guard_is_refused(guard_refusal, lines, message):
    assert guard_refusal(*lines.splitlines()) == spelled_out(f"thresholds.yaml:7: photos: {message}")


@pytest.mark.parametrize("name", ["a b", "a[b]", "a::b", "a/b", "", "-a", ".", "größe"])
def test_guard_names_that_node_ids_cannot_carry(refusal, name):
    message = refusal(f"version: 1\nguards:\n  '{name}': {{}}\n")
    assert message == (
        f"thresholds.yaml:3: guards: the guard name {name!r} has characters that node ids cannot contain; "
        "begin with a letter, digit or _ and use letters, digits, _, . and - only"
    )


@pytest.mark.parametrize("name", ["m", "m:", ":f", "m:f()", "m.:f", "m:f:g", "m f:g", "m/n:f", "fixture:", "m:a.b"])
@pytest.mark.parametrize("key", ["model", "data"])
def test_factories_that_cannot_be_named_so(refusal, key, name):
    good = {"model": "m:f", "data": "d:f", key: name}
    message = refusal(
        f"version: 1\nguards:\n  a:\n    task: detection\n    model: '{good['model']}'\n    data: '{good['data']}'\n"
    )
    line = {"model": 5, "data": 6}[key]
    assert message == (
        f'thresholds.yaml:{line}: a: {key} {name!r} is not a factory; write "package.module:callable" or "fixture:NAME"'
    )


@pytest.mark.parametrize("task", ["thresholds: {classification: {max_drop: {0.5: 3, 2: 1}}}\n", ""])
def test_a_rate_beyond_the_thresholds_names_both(refusal, task):
    own = "" if task else "    max_drop: {0.5: 3, 2: 1}\n"
    message = refusal(HEAD + task + PHOTOS + "    bpp:\n      [0.5, 3]\n" + own)
    at, line, rates = (4, 2, 9) if task else (9, 9, 8)
    assert message == (
        f"thresholds.yaml:{at}: photos: rate 3.0 bpp (from line {rates}) is outside the max_drop of line {line}, "
        "which is given at 0.5 to 2.0 bpp; give max_drop at 3.0 bpp too, or remove this rate"
    )


def test_nesting_without_end(refusal):
    message = refusal("a: " + "[" * 1000)
    assert message == "thresholds.yaml:1: lists or maps are nested more than 40 deep; nest them less deeply"


def refused(path: Path) -> ThresholdsError:
    with pytest.raises(ThresholdsError) as caught:
        load(path)
    return caught.value


def test_a_missing_file(tmp_path):
    error = refused(tmp_path / "thresholds.yaml")
    assert str(error) == (
        "thresholds.yaml: there is no such file; create it, or name another file with --cg-thresholds"
    )
    assert error.__suppress_context__


def test_a_folder(tmp_path):
    assert str(refused(tmp_path)) == f"{tmp_path.name}: this is a folder; name a thresholds file"


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path: Path, mode: str) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "thresholds.yaml").write_text("version: 1\n")
    monkeypatch.setattr(Path, "open", refuse)
    error = refused(tmp_path / "thresholds.yaml")
    assert str(error) == "thresholds.yaml: cannot be read (Permission denied); make it readable"


def test_bytes_that_are_not_utf_8(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_bytes("version: 1\n# Größe\n".encode("latin-1"))
    assert str(refused(path)) == "thresholds.yaml:2: byte 0xF6 is not UTF-8; save the file as UTF-8"


def test_an_error_carries_its_three_parts(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_text(HEAD + PHOTOS + "    bpp: [20]\n")
    error = refused(path)
    assert (error.where, error.found, error.remedy) == (
        "thresholds.yaml:7: photos",
        "rate 20 bpp is outside 0.02 to 8",
        "use a rate in that range, or did you mean quality: [20]?",
    )
