"""Positions of images and settings come in; names of streams, and images decoded from streams, go out.

`names` says what the streams, plans and proofs of a guard's images are called in the store, `reader` decodes streams.
"""
