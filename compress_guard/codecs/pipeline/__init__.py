"""Pipelines: codecs made of steps, as an upload is scaled, coded, and coded again by a delivery network.

In: images and a setting of the last codec. Out: its streams, each behind a small header, and the pictures delivered.
Open `codec` first. `route` builds the steps and refuses what makes no sense; `scaling` and `cropping` are the steps
that change the geometry, `coding` runs all of them in front of the last codec, `prefix` keeps what that gave, and
`container` is the header.
"""
