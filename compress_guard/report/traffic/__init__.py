"""Texts about production traffic.

`distribution` prints a profile, `thresholds_text` writes a thresholds file of it, and `drop` prints the drop of a guard
over its traffic.
"""
