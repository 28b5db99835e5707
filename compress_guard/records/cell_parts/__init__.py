"""The parts of a cell's result: what was asked for, coded, checked, predicted and judged.

Each field has the name of its key in the results file. A number that was not measured is None, never 0. Scores and
drops are points (0 to 100), rates are bits per pixel.

Open `scores` first. `terms` is what the cell is judged by, `images` counts what the data set gave, `coding` describes
the streams, `work` what this run and earlier ones did. `part` is the base of all.
"""
