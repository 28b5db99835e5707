"""Pixels: source images to upright 8-bit RGB, and the comparison of two images.

In: a tensor or PIL image in any mode. Out: uint8 RGB (3, H, W) with what its file says of it. Open `pixels` first.
`orientation` turns by EXIF, `levels` measures the range of values, `fidelity` compares two images, and `mishaps` finds
swapped channels, turns and shifts.
"""
