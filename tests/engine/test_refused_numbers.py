"""Truth values and texts in the place of numbers get the sentence that a thresholds file gets."""

from __future__ import annotations

import re

import pytest

import compress_guard
from compress_guard.errors import OptionError

POINTS = "write a number from 0 to 100"
CASES = [
    ({"max_drop": True}, f"max_drop must be a number, found True; {POINTS}"),
    ({"min_score": [3]}, f"min_score must be a number, found [3]; {POINTS}"),
    ({"min_clean": False}, f"min_clean must be a number, found False; {POINTS}"),
    ({"max_drop": "3"}, f"max_drop must be a number, found '3'; {POINTS}"),
    ({"bpp": True}, "bpp must be a number, found True; write a number from 0.02 to 8"),
    (
        {"rate_tolerance": True},
        "rate_tolerance must be a number, found True; write a number from 0 to 0.5 (0 excluded)",
    ),
    (
        {"confidence": True},
        "confidence must be a number, found True; write a number from 0.5 to 1 (0.5 and 1 excluded)",
    ),
    (
        {"max_error_share": False},
        "max_error_share must be a number, found False; write a number from 0 to 1 (1 excluded)",
    ),
]


@pytest.mark.parametrize(("wanted", "message"), CASES)
def test_what_is_no_number_is_refused(wanted, message):
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        compress_guard.measure(lambda images: images, [], task="classification", **wanted)
