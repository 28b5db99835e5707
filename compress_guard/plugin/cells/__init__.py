"""Cells as pytest tests: from a thresholds file to items, and from a result to an outcome.

Open `collection` first; `items` has the tests, `throughput` and `recovery` the other kinds of cells.
"""
