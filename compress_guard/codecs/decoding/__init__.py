"""Decoders of a codec's streams beside the codec's own.

In: the streams of a codec, by type. Out: the images that a named library makes of them. Open `contract` first: a
decoder is bound to a codec and a device. Each library has a module: `pillow_files`, `opencv`, `torchvision_files`,
`torchcodec_files` and `nvjpeg`. `streams` is a codec whose streams another decoder reads, so that everything that
checks a codec checks the decoder too. `second` holds what the control `decoder_swap` uses.
"""
