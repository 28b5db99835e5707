"""Pictures: their orientation, levels and metadata, and the comparison of two images.

In: a picture, or two of one size. Out: how it is stored, or how far they are apart. `pixels`, one folder up, uses it.
`orientation` turns by EXIF, `metadata` reads what codecs may keep, `levels` measures the range of values, `fidelity`
compares two images, and `mishaps` finds swapped channels, turns and shifts. `geometry` is that of codecs that scale or
crop.
"""
