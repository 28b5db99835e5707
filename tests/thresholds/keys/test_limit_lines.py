"""Each cell knows the line of the number that limits it."""

from __future__ import annotations

TEXT = """\
version: 1
thresholds:
  classification:
    max_drop:
      0.25: 8
      1.0: 2
defaults: {bpp: [0.25, 0.5, 1.0], codecs: [jpeg]}
guards:
  by_task: {task: classification, model: "m:f", data: "d:f"}
  own:
    task: classification
    model: m:f
    data: d:f
    min_score:
      1.0: 60
    max_drop:
      0.25: 9
      1.0: 3
  one_number:
    task: detection
    model: m:f
    data: d:f
    max_drop: 5
  floor:
    task: detection
    model: m:f
    data: d:f
    min_score: 40
  unlimited:
    task: detection
    model: m:f
    data: d:f
  decoders:
    task: detection
    model: m:f
    data: d:f
    bpp: [0.5]
    decoders: [pillow, opencv]
    max_drop: 30
    max_decoder_drop: 2
"""
LINES = {
    "by_task": [5, 5, 6],  # between two rates the lower one
    "own": [17, 17, 18],
    "one_number": [23, 23, 23],
    "floor": [28, 28, 28],
    "unlimited": [29, 29, 29],
    "decoders": [39, 40],
}


def test_a_cell_names_the_line_of_the_number_that_limits_it(read):
    assert {guard.name: [cell.limit_line for cell in guard.cells] for guard in read(TEXT).guards} == LINES
