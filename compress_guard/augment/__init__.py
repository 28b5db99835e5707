"""Compression in training: an image and a rate go in, the image as the codec returns it comes out, after one encode.

Open `roundtrip` first: one codec that codes images at drawn rates, or at drawn settings (`settings`);
`compress_guard.transforms` is made of it. `aim` chooses the setting from features of the image, which `activity` and,
for learned codecs, `expectation` compute with the cosine transform of `waves`.
"""
