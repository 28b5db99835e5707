"""The lines beside the matrices: what a person should know of a run, one sentence each.

Open `lines` first: it asks the other modules in turn. Each of them owns the sentences about one subject.

`provenance` says when and of what the results are, `environment` with which versions. `coding` (rates and decoded
images), `certainty` (intervals and numbers of images), `controls`, `earlier_runs`, `losses`, `obstacles`, `pictures`,
`releases` (the change since a baseline), `slices`, `together` (groups) and `waivers` have the lines. Sentences that the
engine says too, before a run, are in `verdict.sentence` and `verdict.grouped.doubts`.
"""
