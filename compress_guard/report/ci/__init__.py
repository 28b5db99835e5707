"""Results in the forms of a continuous integration: nothing here knows which one.

`conclusion` is the run in a word and a figure, `badge` draws it as an SVG image, and `annotations` has a message for
each failed cell with its place in the thresholds file.
"""
