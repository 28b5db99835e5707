"""The JSON Schema of thresholds files, for editors: what may stand under which key.

``thresholds.schema.json`` is the schema itself. `forms` has the forms of values, `defaults` and `guards` the keys of
these sections, `studies` those of throughput and recovery, and `whole` puts all of them together.
``python -m compress_guard.thresholds.schema`` writes the file anew after a key has changed; a test says when it is out
of date.

The reader takes no file that the schema refuses. The other way round there are gaps, since a schema sees neither other
parts of the file nor how a value is spelled; tests/thresholds/schema lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

SCHEMA_FILE: Final = Path(__file__).with_name("thresholds.schema.json")
SCHEMA_ID: Final = "urn:compress-guard:thresholds:1"
"""Identity of the schema, by which a copy of it is recognised."""
