"""Clean and compressed evidence come in; the result of a cell goes out.

Open `guard_bench` first: one guard in one process; a cell leaves it as `measured`. `trials` prepares the images of a
cell, `cell_pass` takes them through the model, `judging` makes verdicts, `result_draft` collects what the result says,
`changes` and `slices` say where a loss comes from, and
`attribution` names the images for people. `guard_codecs` are the guard's codecs with their plans and decoders.

`limits` finds limits that no score can miss, `crops` counts targets that a crop loses, `resolution` tells which drops
the images can decide, `resamples` keeps slow scores for later runs, `needed` counts the images that would settle a
cell. `baseline_limits` compares a cell with the one of an earlier run.
"""
