"""Whole runs of a thresholds file: seconds, encodes, predictions and megabytes come out.

Open `pipeline` first: a run beside the work that it cannot avoid. `start` and `memory` measure what their names say,
`second_reading` the check that data stays the same; `ourselves` sets the gate beside the ways of `contenders`.
`record` writes the figures of the bundled gate that a test compares.
"""
