"""Headers of image files in, the distribution of a sample of production traffic out. No pixel is decoded.

Open `profile` first: it counts what `headers` reads. `sample` finds the files and draws among them; `formats` tells
their formats apart. `jpeg`, `containers`, `heif`, `jxl` and `rasters` read the headers of one family of formats each,
`exif` the turn of an image, and `quantisation` the quality of a JPEG file. `distribution` has the percentiles and
histograms, `cover` the operating points that cover them, with the share of traffic at each.
"""
