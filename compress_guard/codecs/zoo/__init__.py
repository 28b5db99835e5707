"""CompressAI's models as codecs: those that it publishes (`zoo`) and a user's own checkpoints (`compressai`).

In: images and a level or gain of the ladder. Out: real streams, or latents with the bits that the likelihoods estimate.
Open `learned` first, the part that both codecs share, then `published` and `own`. `weights` finds and checks files of
weights, `checkpoint` loads one, `network` runs it, `precision` makes its sums the same everywhere, `streams` packs.

`architectures` and `library` know CompressAI, `jobs` are images and streams in batches.
"""
