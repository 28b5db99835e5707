"""Readers of single keys of a thresholds file.

A value that knows its line comes in; a frozen record goes out, or a `ThresholdsError` with that line. Each reader is a
pure function. Open `rates` and `curve` first: rates, and limits that depend on the rate; `per_codec` is for values that
differ by codec. `keywords`, one folder up, has the ranges.

The others are `names`, `slices`, `groups`, `recovery`, `throughput`, `traffic` (shares of cells), `fingerprint`,
`decoders`, `correction` (of the confidence, for many cells) and `shares` (limits that look like 0.05 for 5 points).
"""
