"""Commands for the first ten minutes: `init` writes a thresholds file, `check` tries one on a few images.

`answers` reads what `init` is to write from flags or from a person, and `text` writes it. `cost` estimates the time of
a whole run for `check`.
"""
