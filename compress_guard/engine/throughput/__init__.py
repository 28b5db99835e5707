"""Codecs and images come in; speeds, their ratios and verdicts on them go out.

Open `cells` first. `timed_codec` makes a codec ready to be timed, `comparison` times it beside a reference.
"""
