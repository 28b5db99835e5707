"""Codecs: lists of images to lists of streams, and back.

In: uint8 RGB tensors (3, H, W) and a setting of the codec's ladder for each. Out: streams that hold all a decoder
needs, and decoded images. Open `contract` first, then `pillow` and `webp` for a plain codec. Learned codecs are in
`neural` (ours) and `zoo` (CompressAI's); `pixels` makes RGB of any picture, `pictures` compares and turns them,
`execution` threads, processes and programs, `decoding` reads streams by other libraries.

Each codec has a module: `jpeg` (`cuda_jpeg` on a GPU), `webp`, `avif`, `heic`, `jp2`, `jxl`, and `command` for any
program; `pipeline` is made of several. `calls` hold any codec to its contract, `ladder` and `options` read their
options.
"""
