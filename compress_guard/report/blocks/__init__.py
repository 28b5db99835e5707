"""The block of one guard on a terminal or in a log: its cells, then each failed cell, then what is undecided.

Open `guard` first: the whole block. `display` says for which output it is made, `cell_texts` has the texts of one cell,
`layouts` arranges them by the width of the output, `failed` explains a failed cell, `undecided` says what would settle
the others, `wrapping` breaks sentences and `columns` wide tables. `summary_line` is the whole run in one line.
"""
