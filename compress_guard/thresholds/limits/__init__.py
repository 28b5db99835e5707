"""Limits from measurements, written into a thresholds file.

`measured` says which limit a measured drop gives, `places` where the file's text has the limits of each cell, and
`rewriting` what the text becomes: numbers are replaced in place, so that comments, order and spelling stay. `update`
says which runs may write limits, and writes them.
"""
