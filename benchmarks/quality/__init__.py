"""Quality at given rates: `photographs` prints the PSNR of codecs, `curves` draws scores of results files."""
