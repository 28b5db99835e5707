"""A user's model comes in; a predictor that is called with batches goes out.

Open `predictor` first. `outputs` takes answers apart, `preprocess` prepares images, `bare_modules` explains what a
module lacks, `fingerprint` says when two runs have the same model.

`device_noise` is the difference that a GPU may make between two predictions of one image.
"""
