"""Quality at given rates: `photographs` prints the PSNR of codecs, `curves` draws scores of results files.

`decoders` and `encoders` compare what these make of photographs; `report_picture` shows what a report looks like.
"""
