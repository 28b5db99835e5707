"""A badge: the conclusion of a run as a small SVG image, which needs no network."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from compress_guard.foreign import shown
from compress_guard.report.ci.conclusion import Conclusion

_LABEL: Final = "compression"
_COLOURS: Final = {"held": "#2e7d32", "undecided": "#8a6100", "failed": "#c62828", "error": "#5f6368"}
"""Backgrounds on which white text has a contrast of at least 4.5."""
_LONGEST: Final = 48
"""Most characters of the conclusion on the badge; its title has all of them."""
_ADVANCE: Final = 7
"""Width of a character: the text is fitted to the box, so that another font does not overflow."""
_MARGIN: Final = 6


def badge(conclusion: Conclusion) -> str:
    """Return an SVG image of the label and the conclusion, side by side."""
    whole = shown(conclusion.text)
    text = whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 3]}..."
    left, right = (_ADVANCE * len(words) + 2 * _MARGIN for words in (_LABEL, text))
    title = f"{_LABEL}: {whole}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label={quoteattr(title)}>
<title>{escape(title)}</title>
<clipPath id="round"><rect width="{left + right}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)">
<rect width="{left}" height="20" fill="#444"/>
<rect x="{left}" width="{right}" height="20" fill="{_COLOURS[conclusion.word]}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{_MARGIN}" y="14" textLength="{left - 2 * _MARGIN}" lengthAdjust="spacingAndGlyphs">{_LABEL}</text>
<text x="{left + _MARGIN}" y="14" textLength="{right - 2 * _MARGIN}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>
</g>
</svg>
"""  # noqa: E501 - attributes of one element
