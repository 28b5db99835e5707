"""Texts about production traffic: `distribution` prints a profile, `thresholds_text` writes a thresholds file of it."""
