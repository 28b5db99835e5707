"""Samples and a codec come in; streams, decoded images and what was checked of them go out.

Open `planned` first: a codec at work on the images of a guard. `coder` makes and keeps streams, `watch` and `proving`
check the codec before a model is blamed, `fidelity` and `outliers` describe how images came back, `compress` serves
loose batches.
"""
