"""Samples and a codec come in; streams, decoded images and the results of checks go out.

Open `planned` first: a codec on the images of a guard. `coder` makes and keeps streams, which `streams` names and
decodes. `watch` and `proving` check the codec before a model is blamed, `fidelity` and `outliers` describe the decoded
images, `compress` serves loose batches.

`available` finds the codec of a specification, `decoded_image` and `kept_images` are its results, `likeness` finds a
decoder that is wrong for every image, `decoders_apart` compares two decoders of the same streams, `steps` are the rates
of the parts of a pipeline, `source_files` the files that images came in.
"""
