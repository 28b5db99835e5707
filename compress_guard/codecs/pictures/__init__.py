"""Pixels: source images to upright 8-bit RGB, and how far two images are apart. Open `pixels` first."""
