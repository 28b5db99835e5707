"""Everything between a thresholds file and its results, in one process; knows neither pytest nor a command line.

`session` opens the bench of a guard and measures its cells; `single_cell` does so without a file, for a guard that
`keyword_guard` builds. The folders follow the way of an image: `images` reads it, `coding` codes it to a rate, `models`
and `prediction` make evidence of it, `cells` judge the evidence. `throughput` times codecs, `recovery` finetunes.
`machine` is the ground: devices, memory, threads, clock. `releases` compares with the results of an earlier run.
`pictures` draws the worst images for a report.

Beside the folders: `settings` and `progress` are what a run is given, `pace` says how far it is, `plan_ahead` plans the
next codec while a model works, `compressed_batches` serves a user's own tests, `readiness` does slow imports before a
clock runs, `evidence_files` and `unmeasured` serve results files, `traffic_drop` averages over the cells of a guard.
`trouble` is the one place where an exception becomes an error with a verdict; `frames` and `wording` help its messages.
"""
