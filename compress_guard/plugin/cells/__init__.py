"""Cells as pytest tests: from a thresholds file to items, and from a result to an outcome.

Open `collection` first; `items` has the tests, `throughput` and `recovery` the other kinds of cells.

`file_cells` finds a cell by the id of its test, `selected` has the cells that were selected and not measured,
`reruns` keeps a test that runs again from being measured twice.
"""
