"""Write the schema beside this module, or with an argument to another file."""

from __future__ import annotations

import sys
from pathlib import Path

from compress_guard.thresholds.schema import SCHEMA_FILE
from compress_guard.thresholds.schema.whole import schema_text

if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SCHEMA_FILE
    target.write_text(schema_text(), encoding="utf-8")
