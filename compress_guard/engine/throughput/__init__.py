"""Codecs and images come in; speeds, their ratios and verdicts on them go out.

Open `cells` first. `timed_codec` makes a codec ready to be timed, `comparison` times it beside a reference.

`result_draft` has what is known before timing and turns the measurement into a result.
"""
