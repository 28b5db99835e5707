"""Texts about production traffic: `distribution` prints a profile, `drop` the drop of a guard over its traffic."""
