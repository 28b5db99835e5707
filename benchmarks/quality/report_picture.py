"""A picture of the HTML report, for the documents: the top of the page that a real run has written.

``pytest --compress-guard examples/verdicts.yaml --cg-html report.html`` makes the page, and ``python -m
benchmarks.quality.report_picture report.html --out docs/images/report.webp`` the picture. It needs Chromium.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
WIDTH: Final = 1100
"""Pixels of the page, which is drawn twice as large and then scaled down, so that letters are smooth."""
MOST_BYTES: Final = 150_000


def photograph(browser: str, page: Path, height: int) -> Image.Image:
    """Return the top of a page as the browser draws it, light."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "page.png"
        command = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += ["--force-device-scale-factor=2", "--blink-settings=preferredColorScheme=1"]
        command += [f"--window-size={WIDTH},{height}", f"--screenshot={target}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - a page of ours
        with Image.open(target) as drawn:
            return drawn.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)


def webp(picture: Image.Image, most: int = MOST_BYTES) -> bytes:
    """Return the picture as WebP of the best quality that has at most so many bytes; raises ValueError if none has."""
    for quality in range(95, 0, -5):
        coded = io.BytesIO()
        picture.save(coded, "WEBP", quality=quality, method=6)
        if len(coded.getvalue()) <= most:
            return coded.getvalue()
    raise ValueError(f"the picture needs more than {most} bytes at every quality; choose a smaller --height")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="written by --cg-html")
    parser.add_argument("--height", type=int, default=1760, help="pixels of the page from its top (default: 1760)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the WebP file to write")
    options = parser.parse_args(arguments)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"no browser found; install one of {', '.join(BROWSERS)}")
    options.out.write_bytes(webp(photograph(browser, options.page, options.height)))


if __name__ == "__main__":
    main()
